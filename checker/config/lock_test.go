package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

const (
	locking   = "policy \"a\" {\n  source = \"./acme.tar.gz\"\n}\npolicy \"b\" {\n  source = \"oci://registry.example/acme:stable\"\n  keys = [\"acme.pem\"]\n}\npolicy \"c\" {\n  source = \"./rules\"\n}\n"
	oneDigest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	oneKey    = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
)

// locked is what a lock says of a source.
func locked(t *testing.T, source string, keys ...string) Locked {
	t.Helper()
	r, err := bundle.ParseRevision("42")
	if err != nil {
		t.Fatal(err)
	}
	return Locked{Source: source, Digest: oneDigest, Revision: r, Keys: keys}
}

func put(t *testing.T, file string, text []byte) string {
	t.Helper()
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A lock says the same of the same bundles, whatever their order, and reads as it was
// written.
func TestEncodeLock(t *testing.T) {
	odd := `b"${x}%{y}\.tar.gz`
	one := EncodeLock([]Locked{locked(t, odd, oneKey, strings.Repeat("0", 64)), locked(t, "acme.tar.gz")})
	if two := EncodeLock([]Locked{locked(t, "acme.tar.gz"), locked(t, odd, strings.Repeat("0", 64), oneKey)}); string(one) != string(two) {
		t.Errorf("%s\nand\n%s", one, two)
	}
	l, err := ParseLock("ocjail.lock", one)
	if err != nil {
		t.Fatalf("%v\n%s", err, one)
	}
	if len(l.Bundles) != 2 || l.Bundles[1].Source != odd || l.Bundles[0].Revision.String() != "42" || len(l.Bundles[0].Keys) != 0 || l.Bundles[1].Keys[1] != oneKey {
		t.Errorf("%+v", l.Bundles)
	}
	if again := EncodeLock(l.Bundles); string(again) != string(one) {
		t.Errorf("%s\nand\n%s", one, again)
	}
}

func TestParseLockErrors(t *testing.T) {
	good := string(EncodeLock([]Locked{locked(t, "acme.tar.gz", oneKey)}))
	for _, c := range [][2]string{
		{strings.Replace(good, "digest", "digests", 1), `l.lock:5:3: an argument named "digests" is not expected here. Did you mean "digest"?`},
		{strings.Replace(good, "\nbundle \"", "\nbundel \"", 1), `l.lock:4:1: blocks of type "bundel" are not expected here. Did you mean "bundle"?`},
		{strings.Replace(good, "sha256:01", "sha1:01", 1), `l.lock:5:14: a digest is`},
		{strings.Replace(good, "cdef\"\n", "CDEF\"\n", 1), `l.lock:5:14: a digest is`},
		{strings.Replace(good, "sha256:01", "sha256:../../", 1), `l.lock:5:14: a digest is`},
		{strings.Replace(good, "42", "042", 1), `l.lock:6:14: revision "042": write a whole number`},
		{strings.Replace(good, oneKey, "acme.pem", 1), `l.lock:7:10: keys[0]: a key's id is the SHA-256`},
		{strings.Replace(good, "acme.tar.gz", "acme\\n.tar.gz", 1), `l.lock:4:1: a source has no such characters`},
		{good + good, `l.lock:14:1: this bundle is already locked at l.lock:4:1`},
		{"<<<<<<< ours\n" + good, `l.lock:1:1: `},
	} {
		if _, err := ParseLock("l.lock", []byte(c[0])); err == nil || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%v, want %q of\n%s", err, c[1], c[0])
		}
	}
}

// A lock is read beside the file, also where links lead, by the same rules as the file.
func TestLoadLock(t *testing.T) {
	file := write(t, locking, 0o600)
	dir := filepath.Dir(file)
	if f, err := load(file); err != nil || f.Lock != nil || f.Policies[0].Locked != nil {
		t.Fatalf("without a lock: %+v, %v", f, err)
	}
	lock := put(t, filepath.Join(dir, "ocjail.lock"), EncodeLock([]Locked{locked(t, "acme.tar.gz"), locked(t, "rules")}))
	f, err := load(file)
	if err != nil || f.Lock == nil || f.Policies[0].Locked == nil || f.Policies[0].Locked.Pos.File != lock || f.Policies[1].Locked != nil || f.Policies[2].Locked != nil {
		t.Fatalf("%+v, %v", f, err)
	}
	named := put(t, filepath.Join(dir, "acme.hcl"), []byte(locking))
	if f, err := load(named); err != nil || f.Lock != nil {
		t.Errorf("another file's lock counts: %v", err)
	}

	refused := func(l Layer, file, want string) {
		t.Helper()
		if _, err := owners().Load(Place{Layer: l, Path: file, Optional: true}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("as the %s's: %v, want %q", l, err, want)
		}
	}
	if err := os.Chmod(lock, 0o666); err != nil {
		t.Fatal(err)
	}
	refused(User, file, "ocjail.lock can be written by others (mode 0666): run chmod go-w on it")
	put(t, lock, []byte("bundle {}\n"))
	if err := os.Chmod(lock, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(User, file, "ocjail.lock:1:8: all bundle blocks must have 1 labels")
	put(t, lock, make([]byte, hclfile.MaxBytes+1))
	refused(User, file, "is larger than 1 MiB")

	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
	link := func(to, at string) {
		t.Helper()
		if err := os.Symlink(to, at); err != nil {
			t.Fatal(err)
		}
	}
	link(filepath.Join(dir, "gone"), lock)
	refused(User, file, "cannot open "+lock)
	theirs := put(t, filepath.Join(dir, "project.hcl"), []byte("policy \"own\" {\n  source = \"own.tar.gz\"\n}\n"))
	link(lock, LockFile(theirs))
	refused(Project, theirs, "project.lock is a symbolic link")
	put(t, filepath.Join(dir, "gone"), EncodeLock(nil))
	if f, err := load(file); err != nil || f.Lock == nil || f.Lock.File != filepath.Join(dir, "gone") || f.Lock.Path != lock {
		t.Errorf("a link of the user's: %+v, %v", f, err)
	}
	refused(Project, theirs, "project.lock is a symbolic link")

	// The file itself is a link: its lock may lie at either end, and not at both.
	other := t.TempDir()
	linked := filepath.Join(other, "ocjail.hcl")
	link(file, linked)
	if f, err := load(linked); err != nil || f.Lock == nil || len(f.LockFiles()) != 2 {
		t.Errorf("at the link's end: %+v, %v", f, err)
	}
	put(t, filepath.Join(other, "ocjail.lock"), EncodeLock(nil))
	refused(User, linked, "there are two locks of "+linked)
}

// A project's lock says nothing of others' bundles, and that it tries to is told.
func TestProjectLockOfOthersBundles(t *testing.T) {
	file := write(t, "policy \"own\" {\n  source = \"own.tar.gz\"\n}\n", 0o600)
	put(t, LockFile(file), EncodeLock([]Locked{locked(t, "own.tar.gz"), locked(t, "oci://registry.example/acme:stable", oneKey)}))
	theirs := write(t, locking, 0o600)
	files, err := owners().Load(Place{Layer: Project, Path: file}, Place{Layer: User, Path: theirs})
	if err != nil {
		t.Fatal(err)
	}
	c := Merge(files...)
	if c.Policies[1].Locked != nil || c.Policies[3].Locked == nil {
		t.Errorf("%+v", c.Policies)
	}
	if len(c.Ignored) != 1 || !strings.Contains(c.Ignored[0].Message, `the bundle "oci://registry.example/acme:stable" of `+LockFile(file)+`:4:1 is ignored`) {
		t.Errorf("%+v", c.Ignored)
	}
}

func FuzzParseLock(f *testing.F) {
	f.Add([]byte(lockHead))
	f.Add([]byte("bundle \"a\" {\n  digest = \"" + oneDigest + "\"\n  revision = \"1\"\n  keys = [\"" + oneKey + "\"]\n}\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		l, err := ParseLock("f.lock", src)
		if err != nil {
			return
		}
		again, err := ParseLock("f.lock", EncodeLock(l.Bundles))
		if err != nil || len(again.Bundles) != len(l.Bundles) {
			t.Fatalf("%v of what was written of\n%s", err, src)
		}
	})
}
