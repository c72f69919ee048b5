package checker_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/bundletest"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/config"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// desk is a laptop whose bundle is a file beside the configuration.
func desk(t *testing.T) laptop {
	t.Helper()
	l := newLaptop(t)
	l.config = "policy \"acme\" {\n  source = \"acme.tar.gz\"\n  keys   = [\"acme.pem\"]\n}\n"
	return l
}

var owners = &config.Owners{UID: os.Getuid(), Root: func(uid uint32) (bool, error) { return uid == 0, nil }, Alone: alone}

// alone: what tests make is the user's alone, whatever the umask.
func alone(string, uint32) (bool, error) { return true, nil }

// starts is a launch with a revision in the file.
func (l laptop) starts(t *testing.T, revision string) error {
	t.Helper()
	archive := bundletest.Signed(t, l.key, revision)
	check(t, os.WriteFile(filepath.Join(l.at.Home, "acme.tar.gz"), archive, 0o644))
	return l.startsAgain(t)
}

func (l laptop) startsAgain(t *testing.T) error {
	t.Helper()
	files, err := l.open(t)
	if err == nil {
		err = checker.Remember(files, l.at, l.owners)
	}
	return err
}

func (l laptop) accept(t *testing.T, in store.Store, rev string) error {
	t.Helper()
	f := parse(t, config.User, l.at.Home, "ocjail.hcl", l.config)
	_, err := checker.Accept(&f.Policies[0], l.at, l.owners, in, revision(t, rev))
	return err
}

// A file that others bring is not replaced by an older one, though that is signed.
func TestNoRollbackOfFiles(t *testing.T) {
	l := desk(t)
	file := filepath.Join(l.at.Home, "acme.tar.gz")
	for _, revision := range []string{"7", "7.0", "8", "8"} {
		check(t, l.starts(t, revision))
	}
	err := l.starts(t, "7")
	if !errors.Is(err, bundle.ErrRollback) {
		t.Fatal(err)
	}
	for _, want := range []string{`policy "acme" of `, "the bundle " + file + " (sha256:", "8 was seen here before", "ocjail bundle pull --allow-rollback 7 " + file, "(keys: " + l.key.Public().ID[:16] + ")"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %q", err, want)
		}
	}
	if err := l.accept(t, l.store, ""); !errors.Is(err, bundle.ErrRollback) {
		t.Errorf("it was not named: %v", err)
	}
	if err := l.accept(t, l.store, "6"); !errors.Is(err, bundle.ErrRollback) {
		t.Errorf("another was named: %v", err)
	}
	check(t, l.accept(t, l.store, "7"))
	check(t, l.startsAgain(t))
	if err := l.starts(t, "6"); !errors.Is(err, bundle.ErrRollback) || !strings.Contains(err.Error(), "7 was seen") {
		t.Error(err)
	}
	check(t, l.starts(t, "9"))

	// What is known must be as much out of others' hands as the configuration is, and
	// must be as ocjail wrote it.
	record := l.store.EntryFile(file)
	check(t, os.Chmod(record, 0o666))
	if err := l.startsAgain(t); err == nil || !strings.Contains(err.Error(), "can be written by others") {
		t.Error(err)
	}
	check(t, os.Chmod(record, 0o600))
	check(t, os.WriteFile(record, []byte("{}"), 0o600))
	if err := l.startsAgain(t); err == nil || !strings.Contains(err.Error(), record+", which tells of "+file+": it is not as ocjail writes it: remove it") {
		t.Error(err)
	}
	check(t, os.Remove(record))

	// A launch that can not be remembered is none.
	check(t, os.RemoveAll(l.store.Dir))
	check(t, os.WriteFile(l.store.Dir, nil, 0o600))
	if err := l.startsAgain(t); err == nil {
		t.Error("nobody will know of this revision")
	}
}

// Who may write a bundle that nobody signs gives it what revision they like.
func TestUnsignedFilesAreNotCounted(t *testing.T) {
	l := desk(t)
	l.config = strings.ReplaceAll(l.config, "keys ", "# keys ")
	check(t, l.starts(t, "8"))
	check(t, l.starts(t, "7"))
	if err := l.accept(t, l.store, "7"); err == nil || !strings.Contains(err.Error(), "no signature is demanded of it") {
		t.Error(err)
	}
	if _, err := os.Stat(l.store.Dir); err == nil {
		t.Error("something was noted")
	}
}

// An earlier generation names an older bundle of the Nix store: that is the choice of
// whoever may switch, if nobody else could have made the link.
func TestEarlierGenerations(t *testing.T) {
	l := desk(t)
	nix := filepath.Join(l.at.Home, "nix", "store")
	check(t, os.MkdirAll(nix, 0o755))
	check(t, os.Chmod(nix, 0o1775)) // as Nix has it
	checker.SetNixStore(t, nix)
	link := filepath.Join(l.at.Home, "acme.tar.gz")
	generation := func(revision string) error {
		stored := filepath.Join(nix, "hash-"+revision+".tar.gz")
		check(t, os.WriteFile(stored, bundletest.Signed(t, l.key, revision), 0o444))
		_ = os.Remove(link) // there is none the first time
		check(t, os.Symlink(stored, link))
		return l.startsAgain(t)
	}
	check(t, generation("8"))
	check(t, generation("7"))

	// Beside the store, or where others can make the link, no generation is told from
	// an attack.
	check(t, os.Remove(link))
	check(t, l.starts(t, "8"))
	check(t, generation("5"))
	check(t, os.Chmod(l.at.Home, 0o777))
	l.config = strings.ReplaceAll(l.config, "acme.tar.gz", link)
	f := parse(t, config.User, l.at.Home, "ocjail.hcl", l.config)
	if _, err := checker.OpenBundles([]*config.File{f}, l.at, owners); err == nil {
		t.Error("anybody could have made that link")
	}
}
