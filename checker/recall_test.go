package checker_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/bundletest"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/config"
)

// machine is a folder that stands for the machine's store.
func machine(t *testing.T) store.Store {
	t.Helper()
	dir := t.TempDir()
	check(t, os.Chmod(dir, 0o755)) // as root's are, whatever the umask
	s := store.Machine(filepath.Join(dir, "lib", "bundles"))
	checker.SetSystemStore(t, s)
	return s
}

func revision(t *testing.T, s string) (r bundle.Revision) {
	t.Helper()
	if s != "" {
		var err error
		r, err = bundle.ParseRevision(s)
		check(t, err)
	}
	return r
}

// fetch keeps a revision, as a pull does that was allowed to roll back to another.
func (l laptop) fetch(t *testing.T, in store.Store, rev, rollback string) error {
	t.Helper()
	known, err := in.Machine(source)
	check(t, err)
	e := store.Entry{Source: source, Revision: revision(t, rev), Fetched: time.Now(), Rollback: known.Rollback}
	return in.Keep(bundletest.Signed(t, l.key, rev), e, revision(t, rollback))
}

func (l laptop) rolledBack(t *testing.T) string {
	t.Helper()
	f := parse(t, config.User, l.at.Home, "ocjail.hcl", l.config)
	said, err := checker.RolledBack(&f.Policies[0], l.at, l.owners)
	check(t, err)
	return said
}

// as root, that is: the files of a test that another runs are not root's.
var asRoot = &config.Owners{UID: os.Getuid(), Root: func(uint32) (bool, error) { return true, nil }, Alone: alone}

// What root rolls back of a file, users have not seen; what they see afterwards they have.
func TestRootRollsFilesBack(t *testing.T) {
	l := desk(t)
	l.owners = asRoot
	root := machine(t)
	check(t, l.starts(t, "42"))
	if err := l.starts(t, "41"); !errors.Is(err, bundle.ErrRollback) {
		t.Fatal(err)
	}
	if said := l.rolledBack(t); said != "" {
		t.Error(said)
	}
	if err := l.accept(t, root, "40"); err == nil || !strings.Contains(err.Error(), "its revision is 41, and --allow-rollback names 40: have that put back first") {
		t.Errorf("root would take it for rolled back: %v", err)
	}
	check(t, l.accept(t, root, "41"))
	check(t, l.startsAgain(t))
	check(t, l.startsAgain(t))
	if err := l.starts(t, "40"); !errors.Is(err, bundle.ErrRollback) || !strings.Contains(err.Error(), "41 was seen here before, which root noted for this machine") || !strings.Contains(err.Error(), "as root (ocjail bundle pull --system --allow-rollback 40 ") {
		t.Error(err)
	}
	if err := l.accept(t, l.store, "40"); !errors.Is(err, bundle.ErrRollback) {
		t.Errorf("a user's word goes behind root's: %v", err)
	}
	check(t, l.starts(t, "43"))
	if err := l.starts(t, "41"); !errors.Is(err, bundle.ErrRollback) || !strings.Contains(err.Error(), "43 was seen here before: ") {
		t.Errorf("root's word counts for ever: %v", err)
	}
	check(t, l.accept(t, root, "41"))
	if said := l.rolledBack(t); !strings.Contains(said, "root went back to revision 41 on 2") || !strings.Contains(said, "so revision 43, which you had seen, does not count") {
		t.Error(said)
	}
	check(t, l.startsAgain(t))
}

// What a user fetched, and root rolled back, no launch goes by any more.
func TestRootRollsFetchedBundlesBack(t *testing.T) {
	l := newLaptop(t)
	l.owners = asRoot
	root := machine(t)
	own := l.store
	own.Root = root.Dir
	check(t, l.fetch(t, own, "42", ""))
	l.uses(t, "42")
	check(t, l.fetch(t, root, "41", "41"))
	l.uses(t, "41")
	if said := l.rolledBack(t); !strings.Contains(said, "so revision 42, which you had seen, does not count") {
		t.Error(said)
	}
	check(t, l.fetch(t, root, "41", "")) // again, by a timer
	l.uses(t, "41")

	// A pull that was under way with what is rolled back comes too late.
	late := store.Entry{Source: source, Revision: revision(t, "42"), Fetched: time.Now()}
	if err := own.Keep(bundletest.Signed(t, l.key, "42"), late, bundle.Revision{}); err == nil || !strings.Contains(err.Error(), "root has allowed another revision of it meanwhile (41): try again") {
		t.Error(err)
	}
	l.uses(t, "41")
	check(t, l.fetch(t, own, "41", ""))
	check(t, l.fetch(t, own, "43", ""))
	l.uses(t, "43")
	if err := l.fetch(t, own, "41", ""); !errors.Is(err, bundle.ErrRollback) {
		t.Errorf("root's word counts for ever: %v", err)
	}

	// Without what root noted, nobody has rolled anything back.
	check(t, os.Remove(root.EntryFile(source)))
	l.uses(t, "43")
}

// A lock that holds launches to what root rolled back is refused, until it is moved.
func TestLockOfWhatRootRolledBack(t *testing.T) {
	l := newLaptop(t)
	l.owners = asRoot
	root := machine(t)
	own := l.store
	own.Root = root.Dir
	check(t, l.fetch(t, own, "42", ""))
	l.lock(t, entry(t, source, "42", bundletest.Signed(t, l.key, "42"), l.key))
	l.uses(t, "42")
	check(t, l.fetch(t, root, "41", "41"))
	l.refused(t, "holds it to revision 42 (", "and root went back to revision 41 on this machine: restore the lock that named that")
	l.lock(t, entry(t, source, "41", bundletest.Signed(t, l.key, "41"), l.key))
	l.uses(t, "41")
}

// A rollback that is not root's is none, and nothing starts: neither one in a user's own
// store, nor one that others could have written in the machine's.
func TestForgedRollback(t *testing.T) {
	l := newLaptop(t)
	l.owners = asRoot
	root := machine(t)
	own := l.store
	own.Root = root.Dir
	check(t, l.fetch(t, root, "42", ""))
	check(t, l.fetch(t, own, "42", ""))
	forged := store.Entry{Source: source, Revision: revision(t, "41"), Fetched: time.Now(), Rollback: store.Rollback{Revision: revision(t, "41"), ID: "mine"}}
	check(t, store.Store{Dir: own.Dir, Shared: true}.Keep(bundletest.Signed(t, l.key, "41"), forged, revision(t, "41")))
	l.uses(t, "42")
	check(t, os.Chmod(root.EntryFile(source), 0o666))
	l.refused(t, "can be written by others")
	check(t, os.Chmod(root.EntryFile(source), 0o644))
	check(t, l.fetch(t, root, "41", "41"))
	l.owners = &config.Owners{UID: os.Getuid(), Root: func(uid uint32) (bool, error) { return uid == 0 && os.Getuid() != 0, nil }, Alone: alone}
	l.refused(t, root.EntryFile(source))
	check(t, os.WriteFile(root.EntryFile(source), []byte(`{"rollback":{"id":"x"}}`), 0o644))
	l.owners = asRoot
	l.refused(t, "it is not as ocjail writes it")
}
