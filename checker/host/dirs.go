package host

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// baseDir is one of the XDG Base Directory Specification's directories.
type baseDir struct {
	variable, fallback string // fallback is below the home
	set                func(*Facts, string)
}

func baseDirs() []baseDir {
	return []baseDir{
		{"XDG_CONFIG_HOME", ".config", func(f *Facts, d string) { f.ConfigDir = d }},
		{"XDG_STATE_HOME", ".local/state", func(f *Facts, d string) { f.StateDir = d }},
		{"XDG_CACHE_HOME", ".cache", func(f *Facts, d string) { f.CacheDir = d }},
	}
}

func (s source) findDirs(f *FS, facts *Facts) error {
	for _, b := range baseDirs() {
		dir, err := s.findBase(f, b, facts.Home)
		if err != nil {
			return err
		}
		b.set(facts, filepath.Join(dir, "ocjail"))
	}
	s.findRuntime(f, facts)
	return nil
}

// findBase returns a base directory. One that a variable moves elsewhere is
// where somebody wants ocjail's trusted files to be read from, so it has to
// belong to the user and be writable by nobody else.
func (s source) findBase(f *FS, b baseDir, home string) (string, error) {
	standard := filepath.Join(home, b.fallback)
	dir := s.getenv(b.variable)
	if dir == "" {
		return standard, nil
	}
	if !filepath.IsAbs(dir) {
		return "", fmt.Errorf("%s is %q, a relative path: make it absolute, or unset it", b.variable, dir)
	}
	if dir = filepath.Clean(dir); dir == standard {
		return dir, nil
	}
	real, err := f.directory(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return dir, nil
	case err != nil:
		return "", fmt.Errorf("%s: %w: unset it, or make it a directory of your own", b.variable, err)
	case int(real.Stat.UID) != s.uid:
		return "", fmt.Errorf("%s is %s, which belongs to user %d, not to you: unset it", b.variable, dir, real.Stat.UID)
	case real.Stat.Mode&0o022 != 0:
		return "", fmt.Errorf("%s is %s, which others can write: chmod go-w %s", b.variable, dir, real.Path)
	}
	return dir, nil
}
