package review

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Bounds of what a revert moves to another file system.
const (
	maxMoved      = 100_000 // files
	maxMovedBytes = 4 << 30
)

// move moves name of the folder dir to the path to, where nothing is: by
// renaming, or, to another file system, by copying all of it before removing any.
func move(dir int, name, to string) error {
	err := unix.Renameat(dir, name, unix.AT_FDCWD, to)
	if !errors.Is(err, unix.EXDEV) {
		return err
	}
	c := &copier{}
	if err := c.copy(dir, name, to); err != nil {
		return errors.Join(err, os.RemoveAll(to))
	}
	return unlink(dir, name)
}

// copier copies trees without following links.
type copier struct {
	files int
	bytes int64
}

func (c *copier) copy(dir int, name, to string) error {
	var st unix.Stat_t
	if err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	c.files++
	c.bytes += st.Size
	if c.files > maxMoved || c.bytes > maxMovedBytes {
		return fmt.Errorf("more than %d files or %d bytes: move it away yourself", maxMoved, int64(maxMovedBytes))
	}
	mode := st.Mode & 0o7777
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return copyFile(dir, name, to, os.FileMode(mode&0o777))
	case unix.S_IFLNK:
		var buf [unix.PathMax]byte
		n, err := unix.Readlinkat(dir, name, buf[:])
		if err != nil {
			return err
		}
		return os.Symlink(string(buf[:n]), to)
	case unix.S_IFDIR:
		return c.copyDir(dir, name, to)
	}
	// A FIFO, socket or device holds nothing: its kind is all there is to keep.
	return os.WriteFile(to, fmt.Appendf(nil, "%o\n", st.Mode), 0o600)
}

func (c *copier) copyDir(dir int, name, to string) error {
	fd, err := openDir(dir, name)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	list, err := readDir(fd, maxMoved)
	if err != nil {
		return err
	}
	for _, d := range list {
		if err := c.copy(fd, d.name, filepath.Join(to, d.name)); err != nil {
			return err
		}
	}
	return nil
}

func openDir(dir int, name string) (int, error) {
	return unix.Openat(dir, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
}

func copyFile(dir int, name, to string, mode os.FileMode) error {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	in := os.NewFile(uintptr(fd), name)
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode|0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, io.LimitReader(in, maxMovedBytes))
	return errors.Join(err, out.Sync(), out.Close())
}

// unlink removes what was copied.
func unlink(dir int, name string) error {
	err := unix.Unlinkat(dir, name, 0)
	if !errors.Is(err, unix.EISDIR) && !errors.Is(err, unix.EPERM) {
		return err
	}
	fd, err := openDir(dir, name)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	list, err := readDir(fd, maxMoved)
	if err != nil {
		return err
	}
	for _, d := range list {
		if err := unlink(fd, d.name); err != nil {
			return err
		}
	}
	return unix.Unlinkat(dir, name, unix.AT_REMOVEDIR)
}

// forget removes what reverts took away longer than keepFor ago. What can not be
// removed stays for the next time.
func (s store) forget(now time.Time) {
	dir := filepath.Join(s.dir, keptDir)
	list, err := os.ReadDir(dir)
	if err != nil {
		return // there is none
	}
	for _, d := range list {
		if at, err := time.Parse(keptStamp, d.Name()); err == nil && now.Sub(at) > keepFor {
			_ = os.RemoveAll(filepath.Join(dir, d.Name()))
		}
	}
}

// Discard moves all that is kept of a project's reviews aside, broken or not, and
// returns where it is now; "" when there was nothing. Nothing is reviewed then:
// whoever calls it has looked.
func Discard(state, project string) (string, error) {
	s := storeOf(state, project)
	to := s.dir + ".discarded-" + time.Now().UTC().Format(keptStamp)
	err := os.Rename(s.dir, to)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	return to, err
}
