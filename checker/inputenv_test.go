package checker

import (
	"strings"
	"testing"
)

func TestShape(t *testing.T) {
	hex := strings.Repeat("0123456789abcdef", 4)
	for _, tc := range []struct{ name, value, want string }{
		{"X", "", "empty"},
		{"X", "/usr/bin", "path"},
		{"X", "plain words", "other"},
		{"X", "ghp_" + strings.Repeat("x", 36), "secret"},
		{"X", "ghp_short", "other"},
		{"X", "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY", "secret"},
		{"DATABASE_URL", "postgres://u:pw@db.example:5432/x", "secret"},
		{"DATABASE_URL", "postgres://u:p@ss@db.example/x", "secret"},
		{"REMOTE", "https://ghp_" + strings.Repeat("x", 36) + "@github.com/o/r", "secret"},
		{"REMOTE", "ssh://git@github.com/o/r", "other"},
		{"REMOTE", "https://example.org:8080/x@y:z", "other"},
		{"REMOTE", "https://example.org/?q=a:b@c", "other"},
		{"REMOTE", "u:pw@example.org", "other"},
		{"API_KEY_X", hex, "secret"},
		{"signing_secret_v1", hex[:40], "secret"},
		{"TOKEN_ID", hex[:32], "secret"},
		{"GIT_COMMIT", hex[:40], "other"},
		{"KEY_X", hex[:39] + "g", "other"},
		{"KEY_X", hex[:20], "other"},
	} {
		if got := shape(tc.name, tc.value); got != tc.want {
			t.Errorf("%s=%s: %s, want %s", tc.name, tc.value, got, tc.want)
		}
	}
}
