package host

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

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
	facts.StateDir = s.stateDir(facts.Home)
	s.findRuntime(f, facts)
	return nil
}

// StateVariable names an environment variable that says where state is kept. There
// is none but in tests, which keep off the state of whoever runs them: a project's
// .env, which agents write, can set variables, and what is kept is what was approved,
// what is to be reviewed, which bundles were seen, and what was decided.
var StateVariable string

func (s source) stateDir(home string) string {
	if StateVariable != "" && s.getenv(StateVariable) != "" {
		return filepath.Join(s.getenv(StateVariable), "ocjail")
	}
	return filepath.Join(home, ".local/state/ocjail")
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
	if b.variable == "XDG_CONFIG_HOME" {
		if err := f.movesConfig(home, standard, dir); err != nil {
			return "", err
		}
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

// movesConfig refuses an XDG_CONFIG_HOME that a project's .env could have set, to
// have the user's ocjail.hcl overlooked or another taken for it. Jails write below
// the standard base directories: opencode's data lies there.
func (f *FS) movesConfig(home, standard, dir string) error {
	const name = "ocjail/ocjail.hcl"
	moved, err := f.RealPath(filepath.Join(dir, name))
	absent := errors.Is(err, fs.ErrNotExist)
	if err != nil && !absent {
		return fmt.Errorf("XDG_CONFIG_HOME is %s: %w: unset it", dir, err)
	}
	own, err := f.RealPath(filepath.Join(standard, name))
	switch {
	case err == nil && (absent || own.Stat.ID() != moved.Stat.ID()):
		return fmt.Errorf("XDG_CONFIG_HOME is %s, and would have %s overlooked: unset it, or move that file to %s", dir, own.Path, filepath.Join(dir, name))
	case err == nil, errors.Is(err, fs.ErrNotExist) && absent:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("your configuration: %w", err)
	}
	for _, base := range []string{".config", ".local", ".cache"} {
		real, err := f.RealPath(filepath.Join(home, base))
		if err != nil {
			continue // then nothing lies in it
		}
		if _, in := sandbox.Below(real.Path, moved.Path); in {
			return fmt.Errorf("XDG_CONFIG_HOME is %s, within %s, where programs in a jail may keep files: unset it, or keep %s elsewhere", dir, real.Path, name)
		}
	}
	return f.outsideProjects(home, dir, moved.Path)
}

// outsideProjects refuses a file in a project, also in another than that of the
// launch: its agent can write there.
func (f *FS) outsideProjects(home, dir, file string) error {
	homeReal, err := f.RealPath(home)
	if err != nil {
		return err
	}
	for at := parentOf(file); at != "/" && at != homeReal.Path; at = parentOf(at) {
		for _, marker := range []string{".git", "devenv.nix"} {
			if _, err := f.Lstat(join(at, marker)); !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("XDG_CONFIG_HOME is %s, in the project %s, whose agent can write there: unset it, or keep your ocjail.hcl elsewhere", dir, at)
			}
		}
	}
	return nil
}
