package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// A lock moves from what was read, and from nothing else.
func TestMoveLock(t *testing.T) {
	file := write(t, "policy \"a\" {\n  source = \"acme.tar.gz\"\n}\n", 0o600)
	f, err := load(file)
	if err != nil {
		t.Fatal(err)
	}
	one, two := EncodeLock([]Locked{locked(t, "acme.tar.gz")}), EncodeLock([]Locked{locked(t, "acme.tar.gz", oneKey)})
	is := func(want []byte) {
		t.Helper()
		if got, err := os.ReadFile(LockFile(file)); err != nil || string(got) != string(want) {
			t.Errorf("%s, %v", got, err)
		}
	}
	move := func(f *File, text []byte, want string) {
		t.Helper()
		if err := owners().MoveLock(f, text); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	folder, err := os.Open(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX); err != nil { // as all can who read it
		t.Fatal(err)
	}
	move(f, one, "")
	is(one)
	if info, err := os.Stat(LockFile(file)); err != nil || info.Mode() != 0o644 {
		t.Error(info.Mode(), err)
	}
	move(f, one, "") // another update did the same
	move(f, two, "ocjail.lock has been changed meanwhile: see what it is now, and run ocjail bundle update again")
	is(one)
	again, err := load(file)
	if err != nil {
		t.Fatal(err)
	}
	move(again, two, "")
	is(two)
	if err := os.Remove(LockFile(file)); err != nil {
		t.Fatal(err)
	}
	move(again, one, "has been changed meanwhile")
	put(t, LockFile(file), []byte("<<<<<<< ours\n"))
	move(f, one, "ocjail.lock:1:1: ")
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) != 2 {
		t.Errorf("%v, %v", left, err)
	}
}

// A link of the user's stays one; what it leads to is written.
func TestMoveLockThroughALink(t *testing.T) {
	file := write(t, "policy \"a\" {\n  source = \"acme.tar.gz\"\n}\n", 0o600)
	to := put(t, filepath.Join(t.TempDir(), "acme.lock"), EncodeLock(nil))
	if err := os.Symlink(to, LockFile(file)); err != nil {
		t.Fatal(err)
	}
	f, err := load(file)
	if err != nil {
		t.Fatal(err)
	}
	text := EncodeLock([]Locked{locked(t, "acme.tar.gz")})
	if err := owners().MoveLock(f, text); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(to)
	if link, e := os.Readlink(LockFile(file)); err != nil || e != nil || link != to || string(got) != string(text) {
		t.Errorf("%s, %v, %s, %v", got, err, link, e)
	}
}

// Of many at once one moves it, and the others say that it was moved.
func TestManyMoveLock(t *testing.T) {
	file := write(t, "policy \"a\" {\n  source = \"acme.tar.gz\"\n}\n", 0o600)
	var all sync.WaitGroup
	var mu sync.Mutex
	moved := 0
	var read []*File
	for range 20 { // before any has moved it
		f, err := load(file)
		if err != nil {
			t.Fatal(err)
		}
		read = append(read, f)
	}
	for i, f := range read {
		all.Go(func() {
			mu.Lock() // as the store's
			defer mu.Unlock()
			err := owners().MoveLock(f, EncodeLock([]Locked{locked(t, fmt.Sprintf("acme-%d.tar.gz", i))}))
			if err == nil {
				moved++
			} else if !strings.Contains(err.Error(), "has been changed meanwhile") {
				t.Error(err)
			}
		})
	}
	all.Wait()
	f, err := load(file)
	if moved != 1 || err != nil || len(f.Lock.Bundles) != 1 {
		t.Errorf("moved %d times, %v", moved, err)
	}
}
