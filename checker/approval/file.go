package approval

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/flock"
	"github.com/refnil/opencode-jail-devenv/checker/grants"
	"github.com/refnil/opencode-jail-devenv/checker/octets"
)

func broken(file string, err error) error {
	return &BrokenError{file, err, "remove that file, or in its project have ocjail approve --revoke forget all approvals; then approve anew"}
}

// private refuses folders that others could have filled. That they are absent is no
// error: then nothing was approved.
func (s Store) private() error {
	return private(filepath.Dir(s.dir), s.dir)
}

func private(dirs ...string) error {
	for _, d := range dirs {
		var st unix.Stat_t
		err := unix.Lstat(d, &st)
		switch {
		case missing(err):
			return nil
		case err != nil:
			return &BrokenError{d, err, "make it accessible to you"}
		case st.Mode&unix.S_IFMT != unix.S_IFDIR:
			return &BrokenError{d, errors.New("it is no folder"), "move it away"}
		case int(st.Uid) != os.Getuid():
			return &BrokenError{d, fmt.Errorf("it belongs to user %d, not to you", st.Uid), "move it away"}
		case st.Mode&0o077 != 0:
			return &BrokenError{d, fmt.Errorf("others can open it (mode %04o)", st.Mode&0o777), "look at what it holds, then run chmod go-rwx on it"}
		}
	}
	return nil
}

// missing tells whether there is no file, also for want of a folder to hold it.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) }

// read reads a record, which must be the user's alone. An absent one is
// fs.ErrNotExist, any other error a BrokenError.
func read(file string) (*Record, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if missing(err) {
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, broken(file, err)
	}
	defer f.Close()
	r, err := decode(f)
	if err != nil {
		return nil, broken(file, err)
	}
	return r, nil
}

func decode(f *os.File) (*Record, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return nil, err
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil, errors.New("it is no regular file")
	case int(st.Uid) != os.Getuid():
		return nil, fmt.Errorf("it belongs to user %d, not to you", st.Uid)
	case st.Mode&0o077 != 0:
		return nil, fmt.Errorf("others can open it (mode %04o)", st.Mode&0o777)
	case st.Size > maxRecord:
		return nil, fmt.Errorf("it has %d bytes, more than %d", st.Size, maxRecord)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxRecord))
	if err != nil {
		return nil, err
	}
	var r Record
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields() // what a later ocjail adds may take something away
	if err := d.Decode(&r); err != nil {
		return nil, err
	}
	r = octets.Map(r, octets.Unescape)
	if r.Version != recordVersion || r.Grants == nil || r.Grants.Version != grants.Version {
		return nil, errors.New("another version of ocjail wrote it")
	}
	return &r, nil
}

// locked runs f while no other ocjail changes the store, whose folders it makes.
func (s Store) locked(f func() error) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	if err := s.private(); err != nil {
		return err
	}
	lock, err := flock.Take(filepath.Join(s.dir, lockFile), lockLimit)
	if err != nil {
		return err
	}
	return errors.Join(f(), lock.Close())
}

const lockLimit = 10 * time.Second

// write replaces a record at once, through to the disk: killed at any moment, the
// old one or the new one is there. What a killed one left is removed.
func (s Store) write(jail, suffix string, g *grants.Grants) error {
	data, err := encode(Record{Version: recordVersion, Project: s.project, Jail: jail, Time: time.Now().UTC(), Grants: g})
	if err != nil {
		return err
	}
	if err := s.sweep(); err != nil {
		return err
	}
	dir, err := os.Open(s.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	name := filepath.Join(s.dir, temporary+rand.Text())
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(name, s.file(jail, suffix))
	}
	if err != nil {
		return errors.Join(err, remove(name))
	}
	return dir.Sync()
}

func (s Store) sweep() error {
	names, err := os.ReadDir(s.dir)
	for _, d := range names {
		if strings.HasPrefix(d.Name(), temporary) {
			err = errors.Join(err, remove(filepath.Join(s.dir, d.Name())))
		}
	}
	return err
}

func remove(file string) error {
	if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
