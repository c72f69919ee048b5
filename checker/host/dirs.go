package host

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

func (s source) findDirs(f *FS, facts *Facts) error {
	// Not where XDG_STATE_HOME and XDG_CONFIG_HOME say: a project's .env, which agents
	// write, can set those, and the state is what was approved, what is to be reviewed,
	// which bundles were seen, and what was decided.
	facts.StateDir = filepath.Join(facts.Home, ".local/state/ocjail")
	facts.ConfigDir = filepath.Join(facts.Home, ".config/ocjail")
	var err error
	if facts.ConfigHome, err = s.findConfigHome(f, facts); err != nil {
		return err
	}
	cache, err := s.findCache(f, facts.Home)
	if err != nil {
		return err
	}
	facts.CacheDir = filepath.Join(cache, "ocjail")
	s.findRuntime(f, facts)
	return nil
}

// findConfigHome is where other programs look for the user's configuration. An
// ocjail.hcl there that does not count is an error: whoever wrote it believes that it
// does.
func (s source) findConfigHome(f *FS, facts *Facts) (string, error) {
	const variable, name = "XDG_CONFIG_HOME", "ocjail.hcl"
	dir := s.getenv(variable)
	if dir == "" {
		return filepath.Join(facts.Home, ".config"), nil
	}
	if !filepath.IsAbs(dir) {
		return "", fmt.Errorf("%s is %q, a relative path: make it absolute, or unset it", variable, dir)
	}
	dir = filepath.Clean(dir)
	moved, own := filepath.Join(dir, "ocjail", name), filepath.Join(facts.ConfigDir, name)
	there, err := f.RealPath(moved)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return dir, nil
	case err != nil:
		return "", fmt.Errorf("%s is %s: %w: unset it", variable, dir, err)
	}
	if counts, err := f.RealPath(own); err == nil && counts.Stat.ID() == there.Stat.ID() {
		return dir, nil
	}
	return "", fmt.Errorf("%s is %s, and %s does not count: yours is %s whatever that variable says, for a project's .env can set it: move the file there or link to it, or unset the variable",
		variable, dir, moved, own)
}

// findCache returns the base directory of caches. One that a variable moves has to
// belong to the user and be writable by nobody else.
func (s source) findCache(f *FS, home string) (string, error) {
	const variable = "XDG_CACHE_HOME"
	standard := filepath.Join(home, ".cache")
	dir := s.getenv(variable)
	if dir == "" {
		return standard, nil
	}
	if !filepath.IsAbs(dir) {
		return "", fmt.Errorf("%s is %q, a relative path: make it absolute, or unset it", variable, dir)
	}
	if dir = filepath.Clean(dir); dir == standard {
		return dir, nil
	}
	real, err := f.directory(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return dir, nil
	case err != nil:
		return "", fmt.Errorf("%s: %w: unset it, or make it a directory of your own", variable, err)
	case int(real.Stat.UID) != s.uid:
		return "", fmt.Errorf("%s is %s, which belongs to user %d, not to you: unset it", variable, dir, real.Stat.UID)
	case real.Stat.Mode&0o022 != 0:
		return "", fmt.Errorf("%s is %s, which others can write: chmod go-w %s", variable, dir, real.Path)
	}
	return dir, nil
}
