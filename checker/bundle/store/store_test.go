package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/bundletest"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
)

const source = "oci://registry.example/acme/policy:stable"

func revision(t testing.TB, s string) bundle.Revision {
	t.Helper()
	r, err := bundle.ParseRevision(s)
	check(t, err)
	return r
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// keep keeps a bundle of that revision.
func keep(t testing.TB, s store.Store, from, rev string) ([]byte, error) {
	t.Helper()
	archive := bundletest.Signed(t, bundletest.NewKey(t, "acme"), rev)
	return archive, s.Keep(archive, store.Entry{Source: from, Revision: revision(t, rev), Fetched: time.Now()}, bundle.Revision{})
}

func TestKeepsBundles(t *testing.T) {
	s := store.Store{Dir: filepath.Join(t.TempDir(), "state", "ocjail", "bundles")}
	if _, err := s.Find(source); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, rev := range []string{"9", "9", "10"} {
		archive, err := keep(t, s, source, rev)
		check(t, err)
		e, err := s.Find(source)
		check(t, err)
		if got, err := s.Read(e); err != nil || !bytes.Equal(got, archive) || e.Revision.String() != rev || e.Seen.String() != rev {
			t.Errorf("%+v, %v", e, err)
		}
	}
	_, err := keep(t, s, source+"-2", "1")
	check(t, err)
	_, err = keep(t, s, source, "9.9")
	if !errors.Is(err, bundle.ErrRollback) || !strings.Contains(err.Error(), "its revision is 9.9, and 10 was seen here") || !strings.Contains(err.Error(), "--allow-rollback 9.9") {
		t.Error(err)
	}
	old := bundletest.Signed(t, bundletest.NewKey(t, "acme"), "9")
	e := store.Entry{Source: source, Revision: revision(t, "9"), Fetched: time.Now()}
	if err := s.Keep(old, e, revision(t, "8")); !errors.Is(err, bundle.ErrRollback) {
		t.Errorf("another revision was allowed: %v", err)
	}
	check(t, s.Keep(old, e, revision(t, "9")))
	if e, err := s.Find(source); err != nil || e.Seen.String() != "9" {
		t.Errorf("%+v, %v", e, err)
	}
	for name, want := range map[string]fs.FileMode{s.Dir: 0o700, s.EntryFile(source): 0o600, s.ArchiveFile(store.DigestOf(old)): 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

// What root keeps for all can be read by all, whatever root's umask.
func TestShared(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	s := store.Store{Dir: filepath.Join(t.TempDir(), "lib", "ocjail", "bundles"), Shared: true}
	archive, err := keep(t, s, source, "1")
	check(t, err)
	// Whoever could open the lock could hold it.
	for name, want := range map[string]fs.FileMode{filepath.Join(s.Dir, "lock"): 0o600, filepath.Dir(s.Dir): 0o755, filepath.Dir(s.EntryFile(source)): 0o755, s.EntryFile(source): 0o644, s.ArchiveFile(store.DigestOf(archive)): 0o644} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

// What is renewed is the entry that was looked at, and no newer one.
func TestRenews(t *testing.T) {
	s := store.Store{Dir: t.TempDir()}
	_, err := keep(t, s, source, "1")
	check(t, err)
	before, err := s.Find(source)
	check(t, err)
	at := time.Now().Add(time.Hour).UTC()
	check(t, s.Renew(before, at))
	if e, err := s.Find(source); err != nil || !e.Fetched.Equal(at) {
		t.Errorf("%+v, %v", e, err)
	}
	_, err = keep(t, s, source, "2")
	check(t, err)
	check(t, s.Renew(before, at))
	if e, err := s.Find(source); err != nil || e.Fetched.Equal(at) || e.Revision.String() != "2" {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestDiscardsWhatWasChanged(t *testing.T) {
	for name, spoil := range map[string]func(string) error{
		"a bit":    func(f string) error { return change(f, func(b []byte) []byte { b[len(b)/2] ^= 1; return b }) },
		"half":     func(f string) error { return change(f, func(b []byte) []byte { return b[:len(b)/2] }) },
		"empty":    func(f string) error { return os.Truncate(f, 0) },
		"too much": func(f string) error { return os.Truncate(f, bundle.MaxArchive+1) },
		"folder":   func(f string) error { return errors.Join(os.Remove(f), os.Mkdir(f, 0o700)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := store.Store{Dir: t.TempDir()}
			archive, err := keep(t, s, source, "1")
			check(t, err)
			e, err := s.Find(source)
			check(t, err)
			file := s.ArchiveFile(e.Digest)
			check(t, spoil(file))
			var gone *store.DiscardedError
			if got, err := s.Read(e); !errors.As(err, &gone) || gone.File != file || got != nil {
				t.Fatalf("%d bytes, %v", len(got), err)
			}
			if _, err := s.Read(e); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("it is still there: %v", err)
			}
			if again, err := keep(t, s, source, "1"); err != nil || !bytes.Equal(again, archive) {
				t.Error(err)
			}
			if _, err := s.Read(e); err != nil {
				t.Error(err)
			}
		})
	}
}

func change(file string, f func([]byte) []byte) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(file, f(b), 0o600)
}

func TestEntriesThatAreNotOurs(t *testing.T) {
	s := store.Store{Dir: t.TempDir()}
	_, err := keep(t, s, source, "3")
	check(t, err)
	good, err := os.ReadFile(s.EntryFile(source))
	check(t, err)
	for from, to := range map[string]string{
		`"revision":"3"`: `"revision":"4"`, `"seen":"3"`: `"seen":"x"`, "sha256:": "sha256:../", `"source"`: `"sauce"`, "stable": "other", "{": "",
	} {
		check(t, os.WriteFile(s.EntryFile(source), []byte(strings.ReplaceAll(string(good), from, to)), 0o600))
		if e, err := s.Find(source); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), source) || !strings.Contains(err.Error(), "remove it, and run ocjail bundle pull") {
			t.Errorf("%s: %+v, %v", to, e, err)
		}
		if _, err := keep(t, s, source, "2"); err == nil {
			t.Errorf("%s: what was seen is forgotten", to)
		}
	}
}

// A launch that has just read an entry finds its archive, though it is replaced
// meanwhile; what nothing has needed for long goes.
func TestSweeps(t *testing.T) {
	s := store.Store{Dir: t.TempDir()}
	_, err := keep(t, s, source, "1")
	check(t, err)
	first, err := s.Find(source)
	check(t, err)
	old := time.Now().Add(-2 * time.Hour)
	check(t, os.Chtimes(s.ArchiveFile(first.Digest), old, old))
	_, err = keep(t, s, source, "2")
	check(t, err)
	if _, err := s.Read(first); err != nil {
		t.Error(err)
	}
	left := filepath.Join(s.Dir, "archives", ".half-written")
	check(t, os.WriteFile(left, nil, 0o600))
	for _, f := range []string{left, s.ArchiveFile(first.Digest)} {
		check(t, os.Chtimes(f, old, old))
	}
	_, err = keep(t, s, source, "3")
	check(t, err)
	for _, f := range []string{left, s.ArchiveFile(first.Digest)} {
		if _, err := os.Stat(f); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

func TestNoRoom(t *testing.T) {
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	s := store.Store{Dir: filepath.Join(dir, "file", "bundles")}
	if _, err := keep(t, s, source, "1"); err == nil || !strings.HasPrefix(err.Error(), "keep the bundle: ") {
		t.Error(err)
	}
}

// Many launches and pulls at once: who reads finds a whole bundle, and no older one
// than it has found before.
func TestManyAtOnce(t *testing.T) {
	s := store.Store{Dir: t.TempDir()}
	key := bundletest.NewKey(t, "acme")
	archives := make([][]byte, 21)
	for i := range archives {
		archives[i] = bundletest.Signed(t, key, fmt.Sprint(i+1))
	}
	_, err := keep(t, s, source, "1")
	check(t, err)
	var all sync.WaitGroup
	for writer := range 10 {
		all.Go(func() {
			for i := writer % 5; i < len(archives); i += 5 {
				r := revision(t, fmt.Sprint(i+1))
				if err := s.Keep(archives[i], store.Entry{Source: source, Revision: r, Fetched: time.Now()}, bundle.Revision{}); err != nil && !errors.Is(err, bundle.ErrRollback) {
					t.Error(err)
				}
			}
		})
	}
	for range 100 {
		all.Go(func() {
			var last bundle.Revision
			for range 20 {
				e, err := s.Find(source)
				if err != nil {
					t.Error(err)
					return
				}
				archive, err := s.Read(e)
				if err != nil {
					t.Error(err)
					return
				}
				b, err := bundle.Open(archive, bundle.Trust{Keys: bundletest.Keys(key), Seen: last, Now: time.Now()})
				if err != nil || b.Manifest.Revision.Compare(e.Revision) != 0 {
					t.Errorf("%s: %v", e.Revision, err)
					return
				}
				last = e.Revision
			}
		})
	}
	all.Wait()
	if e, err := s.Find(source); err != nil || e.Revision.String() != fmt.Sprint(len(archives)) {
		t.Errorf("%+v, %v", e, err)
	}
}
