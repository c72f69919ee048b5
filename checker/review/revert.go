package review

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// keepFor is how long what a revert took away is kept.
const keepFor = 30 * 24 * time.Hour

const keptStamp = "2006-01-02T15-04-05.000"

// Accept says that somebody has looked at the changes which match holds true for,
// and returns how many there were.
func (p *Project) Accept(match func(Change) bool) (int, error) {
	return p.resolve(match, func(*reverter, Change) error { return nil })
}

// Revert puts the changes back, as far as it is recorded how they were, and
// returns how many there were and where what it took away is kept. It follows no
// link. One that can not be put back stays pending and is part of the error.
func (p *Project) Revert(match func(Change) bool) (n int, kept string, err error) {
	kept = filepath.Join(p.dir, keptDir, time.Now().UTC().Format(keptStamp))
	n, err = p.resolve(match, func(r *reverter, c Change) error {
		r.kept = kept
		return r.revert(c)
	})
	if _, e := os.Lstat(kept); e != nil {
		kept = ""
	}
	return n, kept, err
}

// resolve does something to each change that matches and takes it off the list
// when it went well. Folders come before what is in them.
func (p *Project) resolve(match func(Change) bool, do func(*reverter, Change) error) (n int, err error) {
	if err := p.make(); err != nil {
		return 0, err
	}
	unlock, err := p.lock()
	if err != nil {
		return 0, err
	}
	defer unlock()
	if err := p.load(); err != nil {
		return 0, err
	}
	all, err := openAreas(p.pending.Areas, nil)
	if err != nil {
		return 0, err
	}
	defer all.close()
	var errs []error
	r := &reverter{areas: all}
	changes := slices.SortedFunc(slices.Values(p.pending.Changes), func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	var left []Change
	for _, c := range changes {
		if !match(c) {
			left = append(left, c)
			continue
		}
		if err := do(r, c); err != nil {
			errs, left = append(errs, fmt.Errorf("%s: %w", c.Path, err)), append(left, c)
			continue
		}
		n++
	}
	p.pending.Changes = p.pending.orphans(left)
	slices.SortFunc(p.pending.Changes, order)
	return n, errors.Join(append(errs, p.put(pendingFile, p.pending))...)
}

// reverter puts entries back.
type reverter struct {
	areas areas
	kept  string
}

var errUnknown = errors.New("how it was is not recorded: put it back yourself, or keep it")

func (r *reverter) revert(c Change) error {
	switch c.What {
	case Many:
		return fmt.Errorf("%d changes in it are too many to put back: look at the folder yourself, then keep it", c.Count)
	case Tracked:
		return errors.New("git's index is not ocjail's to change: git rm --cached it, or keep it")
	case Repository:
		if isBare(c.Path) {
			return r.restore(filepath.Join(c.Path, head), Entry{}) // without it git takes the folder for no repository
		}
	}
	return r.restore(c.Path, c.Before)
}

// isBare tells a folder that also holds other things from a git directory that is
// nothing else.
func isBare(path string) bool {
	parent := filepath.Dir(path)
	return !isDotGit(filepath.Base(path)) && filepath.Base(parent) != "worktrees" && !strings.Contains(path, "/.git/modules/")
}

// restore makes path what before says.
func (r *reverter) restore(path string, before Entry) error {
	known := before.Absent() || before.Type == sandbox.Symlink || before.Type == sandbox.Dir && !before.Large || before.readable()
	if !known {
		return errUnknown
	}
	now, err := newLooker(r.areas).entry(path)
	if err != nil {
		return err
	}
	if before.Type == sandbox.Dir && now.Type == sandbox.Dir {
		return nil
	}
	if link, _, is := strings.Cut(now.Target, " -> "); is && now.Type == detour {
		err = r.take(link)
	} else if !now.Absent() {
		err = r.take(path)
	}
	if err != nil || before.Absent() {
		return err
	}
	return r.put(path, before)
}

// take moves what is at path into the kept folder.
func (r *reverter) take(path string) error {
	dir, name, err := r.areas.parent(path)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	to := filepath.Join(r.kept, path)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return fmt.Errorf("keep what is there: %w", err)
	}
	if _, err := os.Lstat(to); err == nil {
		to += "." + rand.Text()[:6]
	}
	if err := move(dir, name, to); err != nil {
		return fmt.Errorf("keep what is there in %s: %w; it was left in place", to, err)
	}
	return nil
}

// put makes what e says at path, with the folders above it.
func (r *reverter) put(path string, e Entry) error {
	dir, name, err := r.open(path)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	switch e.Type {
	case sandbox.Dir:
		return unix.Mkdirat(dir, name, e.Mode&0o777)
	case sandbox.Symlink:
		return unix.Symlinkat(e.Target, dir, name)
	case sandbox.Regular:
		return putFile(dir, name, e)
	}
	return errUnknown
}

// open opens the folder of path, made if need be.
func (r *reverter) open(path string) (dir int, name string, err error) {
	dir, name, err = r.areas.parent(path)
	if !errors.Is(err, unix.ENOENT) {
		return dir, name, err
	}
	above, base, err := r.open(filepath.Dir(path))
	if err != nil {
		return -1, "", err
	}
	defer unix.Close(above)
	if err := unix.Mkdirat(above, base, 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
		return -1, "", fmt.Errorf("make %s: %w", filepath.Dir(path), err)
	}
	return r.areas.parent(path)
}

// putFile writes a file beside and links it into place, where nothing must be.
func putFile(dir int, name string, e Entry) error {
	temporary := ".ocjail-" + rand.Text()
	fd, err := unix.Openat(dir, temporary, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), temporary)
	_, err = f.Write(e.Content)
	err = errors.Join(err, unix.Fchmod(fd, e.Mode&0o7777), f.Sync(), f.Close())
	if err == nil {
		err = unix.Linkat(dir, temporary, dir, name, 0)
	}
	return errors.Join(err, unix.Unlinkat(dir, temporary, 0))
}
