package host

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
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

// A name that a project's configuration can hold is remembered without the thousands
// of folders that it has.
func TestLongNamesAreNotRemembered(t *testing.T) {
	f := NewFS()
	if _, err := f.RealPath("/absent" + strings.Repeat("/a", 4000)); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if len(f.reals.known) > 1 {
		t.Errorf("%d names are remembered", len(f.reals.known))
	}
}
