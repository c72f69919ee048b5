package host

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// maxLinks is the kernel's limit on links in one lookup (path_resolution(7)).
const maxLinks = 40

// Link is a symbolic link met while a path was resolved.
type Link struct {
	Path   string // where the link is, its own parents resolved
	Target string // its text
}

// Real is where a path leads.
type Real struct {
	Path  string       // absolute and clean, without symbolic links
	Stat  sandbox.Stat // of Path; never a symbolic link
	Links []Link       // all that were followed, in order
}

type resolved struct {
	real Real
	err  error
}

// RealPath resolves every symbolic link in path, which must be absolute.
//
// When nothing is there the error is [fs.ErrNotExist], and Real.Path is where
// creating path would create it, dangling links followed; so are Links. Any
// other error wraps [sandbox.ErrUnknown]: a directory that may not be searched,
// more than 40 links (wrapping ELOOP), or a link whose text is not where the
// kernel goes, as those of /proc/PID/fd and /proc/PID/root (proc(5)).
func (f *FS) RealPath(path string) (Real, error) {
	if !filepath.IsAbs(path) {
		return Real{}, fmt.Errorf("resolve %q: %w: the path is not absolute", path, sandbox.ErrUnknown)
	}
	return f.realPath(path)
}

func (f *FS) realPath(path string) (Real, error) {
	if r, ok := f.reals.of(path); ok {
		return r.real, r.err
	}
	real, err := f.resolve(path)
	if len(real.Links) > 0 && (err == nil || errors.Is(err, fs.ErrNotExist)) {
		if e := f.confirm(path, real.Stat, err); e != nil {
			real, err = Real{}, e
		}
	}
	real.Links = slices.Clip(real.Links)
	r := f.reals.note(path, &resolved{real, err})
	return r.real, r.err
}

// walk is the state of one resolution: the real path so far and what is left.
type walk struct {
	at      string
	stat    sandbox.Stat
	rest    []string
	links   []Link
	missing error // set once a component is absent
}

func (f *FS) resolve(path string) (Real, error) {
	w, err := f.begin(path)
	if err != nil {
		return Real{}, err
	}
	for len(w.rest) > 0 {
		if w.missing != nil { // all at once: one by one would take the square of the length
			w.at, w.stat = filepath.Join(append([]string{w.at}, w.rest...)...), sandbox.Stat{}
			break
		}
		name := w.rest[0]
		w.rest = w.rest[1:]
		if err := f.step(w, name); err != nil {
			return Real{}, fmt.Errorf("resolve %s: %w", path, err)
		}
	}
	return Real{Path: w.at, Stat: w.stat, Links: w.links}, w.missing
}

// begin goes as far as the directory that path is in, which is known where another
// path in it was resolved. What is too long for the kernel is in none that is worth
// remembering, and all above it would take the square of its length.
func (f *FS) begin(path string) (*walk, error) {
	slash := strings.LastIndexByte(path, '/')
	if dir, name := path[:slash], path[slash+1:]; name != "" && strings.Trim(dir, "/") != "" && len(path) < unix.PathMax {
		real, err := f.realPath(dir)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return &walk{at: real.Path, stat: real.Stat, rest: []string{name}, links: real.Links, missing: err}, nil
		}
	}
	st, err := f.lstat("/")
	return &walk{at: "/", stat: st, rest: components(path)}, err
}

// step takes one component.
func (f *FS) step(w *walk, name string) error {
	if w.stat.Type != sandbox.Dir {
		w.missing = absent(join(w.at, name))
		w.at, w.stat = filepath.Join(w.at, name), sandbox.Stat{}
		return nil
	}
	if name == "." {
		return nil
	}
	if name == ".." {
		st, err := f.lstat(parentOf(w.at))
		w.at, w.stat = parentOf(w.at), st
		return err
	}
	next := join(w.at, name)
	st, err := f.lstat(next)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		w.at, w.stat, w.missing = next, sandbox.Stat{}, err
	case err != nil:
		return err
	case st.Type == sandbox.Symlink:
		return f.follow(w, next, st.Target)
	default:
		w.at, w.stat = next, st
	}
	return nil
}

func (f *FS) follow(w *walk, link, target string) error {
	if len(w.links) == maxLinks {
		return fmt.Errorf("%w: %s is one link too many: %w", sandbox.ErrUnknown, link, unix.ELOOP)
	}
	w.links = append(w.links, Link{link, target})
	w.rest = append(components(target), w.rest...)
	if !filepath.IsAbs(target) {
		return nil
	}
	st, err := f.lstat("/")
	w.at, w.stat = "/", st
	return err
}

// components splits a path; a trailing slash becomes ".", for it demands a
// directory (path_resolution(7)).
func components(path string) []string {
	parts := strings.Split(path, "/")
	last := parts[len(parts)-1]
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	if last == "" && len(parts) > 0 {
		parts = append(parts, ".")
	}
	return parts
}

// confirm compares a resolution by link texts with the kernel's own: magic
// links, nosymfollow mounts and protected_symlinks make the two differ.
func (f *FS) confirm(path string, want sandbox.Stat, missing error) error {
	st, err := f.disk.Follow(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if missing != nil {
			return nil
		}
	case err != nil:
		return fmt.Errorf("resolve %s: %w: %w", path, sandbox.ErrUnknown, err)
	case missing == nil && st.ID() == want.ID():
		return nil
	}
	return fmt.Errorf("resolve %s: %w: its links do not lead where their texts say", path, sandbox.ErrUnknown)
}
