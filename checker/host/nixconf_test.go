package host

import (
	"os"
	"path/filepath"
	"testing"
)

func TestNixTrusts(t *testing.T) {
	const groups = "root:x:0:\nwheel:x:10:ann,dev\nusers:x:100:\n"
	for name, tc := range map[string]struct {
		conf, included string
		facts          Facts
		want, fails    bool
	}{
		"no setting":             {"sandbox = true\n", "", Facts{UID: 1, User: "dev"}, false, false},
		"root":                   {"", "", Facts{UID: 0}, true, false},
		"by name":                {"trusted-users = root dev\n", "", Facts{UID: 1, User: "dev"}, true, false},
		"another":                {"trusted-users = root devs # dev\n", "", Facts{UID: 1, User: "dev"}, false, false},
		"everybody":              {"trusted-users = *\n", "", Facts{UID: 1}, true, false},
		"by group":               {"trusted-users = root @wheel\n", "", Facts{UID: 1, User: "dev"}, true, false},
		"by group of process":    {"trusted-users = @users\n", "", Facts{UID: 1, User: "ann"}, true, false},
		"not in group":           {"trusted-users = root @wheel\n", "", Facts{UID: 1, User: "bob"}, false, false},
		"nameless and nobody":    {"trusted-users = root @wheel\n", "", Facts{UID: 1}, false, false},
		"group that nobody made": {"trusted-users = @devs\n", "", Facts{UID: 1, User: "dev"}, false, true},
		"last counts":            {"trusted-users = dev\ntrusted-users = root\n", "", Facts{UID: 1, User: "dev"}, false, false},
		"extra":                  {"trusted-users = root\nextra-trusted-users = dev\n", "", Facts{UID: 1, User: "dev"}, true, false},
		"included":               {"!include nix.custom.conf\n", "trusted-users = dev\n", Facts{UID: 1, User: "dev"}, true, false},
		"included and absent":    {"!include other.conf\n", "", Facts{UID: 1, User: "dev"}, false, false},
		"absent and needed":      {"include other.conf\n", "", Facts{UID: 1, User: "dev"}, false, true},
		"including itself":       {"include nix.conf\n", "", Facts{UID: 1, User: "dev"}, false, true},
	} {
		dir := t.TempDir()
		n := nixTrust{fs: NewFS(), conf: filepath.Join(dir, "nix.conf"), groups: filepath.Join(dir, "group"), own: func() ([]int, error) { return []int{5, 100}, nil }}
		for file, text := range map[string]string{"nix.conf": tc.conf, "nix.custom.conf": tc.included, "group": groups} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := n.trusts(tc.facts); got != tc.want || (err != nil) != tc.fails {
			t.Errorf("%s: %v, %v, want %v", name, got, err, tc.want)
		}
	}
}

func TestNixTrustsWithoutConfiguration(t *testing.T) {
	dir := t.TempDir()
	n := nixTrust{fs: NewFS(), conf: filepath.Join(dir, "nix.conf"), groups: filepath.Join(dir, "group"), own: func() ([]int, error) { return []int{5, 100}, nil }}
	if got, err := n.trusts(Facts{UID: 1, User: "dev"}); got || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}
