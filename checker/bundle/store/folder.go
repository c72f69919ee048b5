package store

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/flock"
)

// make makes the folders. Above ocjail's own they are as the user has them.
func (s Store) make() error {
	own := fs.FileMode(0o700)
	if s.Shared {
		own = 0o755
	}
	ocjails := filepath.Dir(s.Dir)
	if err := os.MkdirAll(filepath.Dir(ocjails), own); err != nil {
		return err
	}
	for _, dir := range []string{ocjails, s.Dir, filepath.Join(s.Dir, "sources"), filepath.Join(s.Dir, "archives")} {
		err := os.Mkdir(dir, own)
		if err == nil {
			err = os.Chmod(dir, own) // whatever the umask
		} else if errors.Is(err, fs.ErrExist) {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lockLimit is how long to wait for another process, which holds the lock for the
// time that it takes to write two files.
const lockLimit = time.Minute

// lock keeps other processes from changing the store.
func (s Store) lock() (unlock func(), err error) {
	f, err := flock.Take(filepath.Join(s.Dir, "lock"), lockLimit)
	if err != nil {
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}

// grace is how long an archive stays that no entry names any more.
const grace = time.Hour

// sweep removes what nothing needs: archives without an entry, and what a process
// that was killed left half-written. The lock is held.
func (s Store) sweep() error {
	wanted := map[string]bool{}
	entries, err := os.ReadDir(filepath.Join(s.Dir, "sources"))
	if err != nil {
		return err
	}
	for _, f := range entries {
		name := filepath.Join(s.Dir, "sources", f.Name())
		if strings.HasPrefix(f.Name(), ".") { // renameio's
			s.remove(name)
			continue
		}
		var e Entry
		text, err := readMost(name, maxEntry)
		if err == nil {
			err = json.Unmarshal(text, &e)
		}
		if err != nil {
			return nil // it may name any of the archives
		}
		wanted[filepath.Base(s.ArchiveFile(e.Digest))] = true
	}
	archives, err := os.ReadDir(filepath.Join(s.Dir, "archives"))
	if err != nil {
		return err
	}
	for _, f := range archives {
		if !wanted[f.Name()] {
			s.remove(filepath.Join(s.Dir, "archives", f.Name()))
		}
	}
	return nil
}

// remove removes a file that has not been changed for a while. What can not be removed
// takes space, and no more.
func (s Store) remove(name string) {
	if info, err := os.Lstat(name); err == nil && time.Since(info.ModTime()) > grace {
		_ = os.Remove(name)
	}
}
