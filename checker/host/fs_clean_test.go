package host

import (
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

func TestIsClean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path := rapid.StringMatching(`[/.a]{0,12}`).Draw(t, "path")
		if got, want := isClean(path), filepath.IsAbs(path) && filepath.Clean(path) == path; got != want {
			t.Errorf("isClean(%q) = %v, want %v", path, got, want)
		}
	})
}
