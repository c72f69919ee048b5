package review

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// area is a directory that the jail can write. What lies in it is reached from
// its descriptor, without following a symbolic link (openat2(2), Linux 5.6).
type area struct {
	path string
	fd   int
	// whole is false for a folder of which the jail can write single files only.
	whole bool
}

const beneath = unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS

// openArea returns nil for a directory that is not there.
func openArea(path string) (*area, error) {
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS}
	fd, err := openat2(unix.AT_FDCWD, path, &how)
	switch {
	case errors.Is(err, unix.ENOENT):
		return nil, nil
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM):
		return nil, fmt.Errorf("open %s: %w: reviews need openat2(2), of Linux 5.6: use a newer kernel, or review = \"off\"", path, err)
	case err != nil:
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return &area{path: path, fd: fd}, nil
}

func openat2(dir int, path string, how *unix.OpenHow) (int, error) {
	for {
		fd, err := unix.Openat2(dir, path, how)
		if err != unix.EINTR && err != unix.EAGAIN { // EAGAIN: a rename went on meanwhile
			return fd, err
		}
	}
}

// open opens what lies at rel, "." for the area itself; a symbolic link only
// with O_PATH|O_NOFOLLOW. Nothing waits for a FIFO's other end.
func (a *area) open(rel string, flags int) (int, error) {
	if rel == "" {
		rel = "."
	}
	flags |= unix.O_CLOEXEC
	if flags&unix.O_PATH == 0 {
		flags |= unix.O_NONBLOCK | unix.O_NOCTTY
	}
	return openat2(a.fd, rel, &unix.OpenHow{Flags: uint64(flags), Resolve: beneath})
}

// searchable tells whether somebody who knows the names in a folder that can not
// be listed finds them, and the jail can have put them there.
func (a *area) searchable(rel string) bool {
	fd, err := a.open(rel, unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return searchable(fd, ".")
}

// searchable asks it of name in dir. What belongs to the user the jail can open and
// close again.
func searchable(dir int, name string) bool {
	var st unix.Stat_t
	return unix.Faccessat(dir, name, unix.X_OK, 0) == nil && unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil &&
		(int(st.Uid) == unix.Getuid() || unix.Faccessat(dir, name, unix.W_OK, 0) == nil)
}

// areas are those of a plan, open.
type areas []*area

// openAreas opens whole areas, then the folders of single files.
func openAreas(whole, parents []string) (areas, error) {
	var all areas
	for i, p := range append(append([]string{}, whole...), parents...) {
		a, err := openArea(p)
		if err != nil {
			all.close()
			return nil, err
		}
		if a != nil {
			a.whole = i < len(whole)
			all = append(all, a)
		}
	}
	return all, nil
}

func (all areas) close() {
	for _, a := range all {
		unix.Close(a.fd)
	}
}

// find returns the area that holds path, and the path in it.
func (all areas) find(path string) (a *area, rel string, ok bool) {
	for _, a := range all {
		if rel, ok := sandbox.Below(a.path, path); ok {
			return a, strings.TrimPrefix(rel, "/"), true
		}
	}
	return nil, "", false
}

// parent opens the directory that holds path and returns its last name.
func (all areas) parent(path string) (fd int, name string, err error) {
	a, rel, ok := all.find(path)
	if !ok || rel == "" {
		return -1, "", fmt.Errorf("%s: not in a folder that the jail could write", path)
	}
	fd, err = a.open(filepath.Dir(rel), unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return -1, "", fmt.Errorf("open %s: %w", filepath.Dir(path), err)
	}
	return fd, filepath.Base(rel), nil
}
