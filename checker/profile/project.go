package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// projectMarkers are names that only a project's root has.
var projectMarkers = []string{".git", "devenv.nix", "ocjail.hcl"}

// sharedDirs belong to all users: projects may lie in them, but they are none.
// Anybody can put a marker there.
var sharedDirs = []string{"/tmp", "/var/tmp", "/dev/shm"}

// shared tells whether dir is one of them, or one like them (a cluster's /scratch): all
// may make files there, and each only remove his own.
func shared(dir string) bool {
	if slices.Contains(sharedDirs, dir) {
		return true
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode()&fs.ModeSticky == 0 || info.Mode().Perm()&0o002 == 0 {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) != os.Geteuid()
}

// NoProjectError says that a folder lies in no project. Where a command does without
// one, it must do so for this error alone.
type NoProjectError struct{ reason error }

func (e *NoProjectError) Error() string { return e.reason.Error() }

func (e *NoProjectError) Unwrap() error { return e.reason }

// FindProject returns the root of the project that start lies in, free of
// symbolic links: explicit (absolute, or relative to start) when it isn't
// empty; else the nearest ancestor of start, or start, that has a marker, or a
// [NoProjectError]. It is never /, the home, a folder that contains the home, or a
// temporary directory of all users. TMPDIR, which a project's .env can set, makes no
// difference.
func FindProject(home, start, explicit string) (string, error) {
	realHome, err := filepath.EvalSymlinks(home)
	if err != nil {
		return "", fmt.Errorf("home directory: %w", reason(err))
	}
	if explicit != "" {
		if !filepath.IsAbs(explicit) {
			explicit = filepath.Join(start, explicit)
		}
		root, err := realDir(explicit)
		if err != nil {
			return "", fmt.Errorf("--project: %w", err)
		}
		return root, checkProject(root, realHome, home)
	}
	start, err = realDir(start)
	if err != nil {
		return "", fmt.Errorf("working directory: %w", err)
	}
	if err := checkProject(start, realHome, home); err != nil {
		return "", &NoProjectError{err}
	}
	return nearestProject(realHome, home, start)
}

func nearestProject(realHome, home, start string) (string, error) {
	for dir := start; checkProject(dir, realHome, home) == nil; dir = path.Dir(dir) {
		marked, err := hasMarker(dir)
		if marked || err != nil {
			return dir, err
		}
	}
	return "", &NoProjectError{fmt.Errorf("no project around %s: no folder up from it has .git, devenv.nix or ocjail.hcl; git init one, or name its root with --project %s",
		hclfile.Escape(start), hclfile.Escape(start))}
}

// Stated returns the root that a manifest states for a jail which starts in start, a
// folder without symbolic links: start itself, or one around it with a marker, free of
// them. It must not be what FindProject would never return, and hide no ocjail.hcl: what
// ocjail protects in a project is known by its root, and an agent can write a manifest.
// Whatever lies between the two and has a marker is a project as well, and returned as
// nested: its files matter no less.
func Stated(home, start, root string) (real string, nested []string, err error) {
	realHome, err := filepath.EvalSymlinks(home)
	if err != nil {
		return "", nil, fmt.Errorf("home directory: %w", reason(err))
	}
	if real, err = realDir(root); err != nil {
		return "", nil, err
	}
	if !below(start, real) {
		return "", nil, fmt.Errorf("this jail is that of %s, and %s lies outside it, so the agent would start in an empty home: cd %[1]s first", hclfile.Escape(real), hclfile.Escape(start))
	}
	if err := checkProject(real, realHome, home); err != nil || real == start {
		return real, nil, err
	}
	for dir := start; dir != real; dir = path.Dir(dir) {
		switch _, err := os.Lstat(path.Join(dir, "ocjail.hcl")); {
		case err == nil:
			return "", nil, fmt.Errorf("this jail is that of %s, so that the ocjail.hcl of %s would not count: cd %[1]s first, or start the jail of %[2]s", hclfile.Escape(real), hclfile.Escape(dir))
		case !errors.Is(err, fs.ErrNotExist):
			return "", nil, fmt.Errorf("cannot look for an ocjail.hcl in %s: %w", hclfile.Escape(dir), reason(err))
		}
		marked, err := hasMarker(dir)
		if err != nil {
			return "", nil, err
		}
		if marked {
			nested = append(nested, dir)
		}
	}
	marked, err := hasMarker(real)
	if err == nil && !marked {
		err = fmt.Errorf("%s has no .git, devenv.nix or ocjail.hcl, and so is the project of no folder in it: cd %[1]s first", hclfile.Escape(real))
	}
	return real, nested, err
}

// Around returns the ocjail.hcl of every folder above root, which has no symbolic link,
// that could be a project's itself; the nearest comes first.
func Around(home, root string) (files []string, err error) {
	realHome, err := filepath.EvalSymlinks(home)
	if err != nil {
		return nil, fmt.Errorf("home directory: %w", reason(err))
	}
	for dir := path.Dir(root); dir != "/" && !below(realHome, dir) && !below(home, dir) && !slices.Contains(sharedDirs, dir); dir = path.Dir(dir) {
		file := path.Join(dir, "ocjail.hcl")
		switch _, err := os.Lstat(file); {
		case err == nil:
			files = append(files, file)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("cannot look for %s, which would count here too: %w", hclfile.Escape(file), reason(err))
		}
	}
	return files, nil
}

// checkProject refuses roots that would give the jail all of the user's files,
// or other users'. homes are the names of the home.
func checkProject(root string, homes ...string) error {
	for _, home := range homes {
		if below(home, root) {
			return fmt.Errorf("%s is or contains your home directory, and so is no project: cd into one, or name the root of one with --project",
				hclfile.Escape(root))
		}
	}
	if root == "/" || shared(root) {
		return fmt.Errorf("%s is no project: make a folder in it, or name a project's root with --project", hclfile.Escape(root))
	}
	return nil
}

func hasMarker(dir string) (bool, error) {
	for _, name := range projectMarkers {
		_, err := os.Lstat(path.Join(dir, name))
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return false, fmt.Errorf("cannot look for %s in %s: %w; name the project's root with --project",
				name, hclfile.Escape(dir), reason(err))
		}
	}
	return false, nil
}

// realDir resolves every link of p, which must lead to a directory.
func realDir(p string) (string, error) {
	real, err := filepath.EvalSymlinks(p)
	if err != nil {
		return "", fmt.Errorf("cannot resolve %s: %w", hclfile.Escape(p), reason(err))
	}
	info, err := os.Stat(real)
	if err != nil {
		return "", fmt.Errorf("cannot look at %s: %w", hclfile.Escape(real), reason(err))
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s is not a directory", hclfile.Escape(real))
	}
	return real, nil
}
