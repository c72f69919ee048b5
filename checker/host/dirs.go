package host

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
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

// Within returns the first of roots that path leads into, or through: path
// itself, where it leads, and every link on the way count, by name and by
// identity. It returns "" when path is clear of all. Ask it whether a jail's
// writable mounts reach a directory of ocjail's own; path need not exist. An
// absent root holds nothing yet, so its name alone counts.
//
// A root mounted a second time below another name is only seen through its own
// directory, not through one above it: ask the sandbox's HostAccess as well.
func (f *FS) Within(path string, roots []string) (string, error) {
	real, err := f.RealPath(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	places := []string{filepath.Clean(path), real.Path}
	for _, link := range real.Links {
		places = append(places, link.Path)
	}
	for _, root := range roots {
		within, err := f.anyBelow(places, root)
		if err != nil {
			return "", err
		}
		if within {
			return root, nil
		}
	}
	return "", nil
}

func (f *FS) anyBelow(places []string, root string) (bool, error) {
	real, err := f.RealPath(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	for _, place := range places {
		if below(place, real.Path) || below(place, filepath.Clean(root)) {
			return true, nil
		}
		found, err := f.ancestor(place, real.Stat.ID())
		if found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// ancestor tells whether path or a directory above it is id. Links among them
// are skipped: what they lead to is asked about by its own name.
func (f *FS) ancestor(path string, id sandbox.ID) (bool, error) {
	if id == (sandbox.ID{}) {
		return false, nil
	}
	for ; ; path = parentOf(path) {
		real, err := f.RealPath(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		if err == nil && real.Stat.ID() == id {
			return true, nil
		}
		if path == "/" {
			return false, nil
		}
	}
}

// below tells whether the clean path is dir or lies in it.
func below(path, dir string) bool {
	return dir == "/" || path == dir || strings.HasPrefix(path, dir+"/")
}
