package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/google/renameio/v2"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// MoveLock puts text in the place of the lock of f, or makes one, unless that has been
// changed since f was read: then nothing is written. Whenever it is killed, the lock is
// whole, as it was or as it is to be.
func (o Owners) MoveLock(f *File, text []byte) error {
	name, before := LockFile(f.Path), []byte(nil)
	at := name
	if f.Lock != nil {
		name, at, before = f.Lock.Path, f.Lock.File, f.Lock.Text
	}
	unlock, err := lockFolder(filepath.Dir(at))
	if err != nil {
		return fmt.Errorf("move the lock %s: %w", hclfile.Escape(name), err)
	}
	defer unlock()
	now, err := o.LockOf(f.Layer, name)
	if err != nil {
		return err
	}
	is := []byte(nil)
	if now != nil {
		is = now.Text
	}
	switch {
	case now != nil && bytes.Equal(is, text):
		return nil // another update did the same
	case (now != nil) != (f.Lock != nil) || !bytes.Equal(is, before):
		return fmt.Errorf("the lock %s has been changed meanwhile: see what it is now, and run ocjail bundle update again", hclfile.Escape(name))
	}
	// It holds no secret, and all who are held to it must read it.
	if err := renameio.WriteFile(at, text, 0o644, renameio.IgnoreUmask(), renameio.WithTempDir(filepath.Dir(at))); err != nil {
		return fmt.Errorf("move the lock %s: %w", hclfile.Escape(name), err)
	}
	return nil
}

// lockLimit is how long to wait for another process, which holds the folder for the
// time that it takes to write a file.
const lockLimit = time.Minute

// lockFolder keeps other updates from writing there (flock(2); a folder needs no file
// of its own for it).
func lockFolder(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case err == nil:
			return func() { _ = f.Close() }, nil // which gives the lock back
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			return nil, errors.Join(err, f.Close())
		case time.Since(began) > lockLimit:
			return nil, errors.Join(fmt.Errorf("another process has held %s for %s: end it (fuser %[1]s), or try again", dir, lockLimit), f.Close())
		}
	}
}
