package config

import (
	"bytes"
	"fmt"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// MoveLock puts text in the place of the lock of f, or makes one, unless that has been
// changed since f was read: then nothing is written. Whenever it is killed, the lock is
// whole, as it was or as it is to be. The caller keeps other updates from it meanwhile,
// by the lock of a store: that of the folder could be held by all who can read it.
//
// Two users who update one project's lock hold those of two stores, so the last to rename
// may, within the moment after its look, replace what the other wrote just then. That
// costs the other an update and nobody a rule: either lock is whole and names a bundle
// that was verified, it opens nothing, and whoever has seen the newer revision is refused
// an older one (TestLockOfAFetchedBundle), by launches and by the next update, which moves it on.
func (o Owners) MoveLock(f *File, text []byte) error {
	name, before := LockFile(f.Path), []byte(nil)
	at := name
	if f.Lock != nil {
		name, at, before = f.Lock.Path, f.Lock.File, f.Lock.Text
	}
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
