package checker_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/bundletest"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// entry is what a lock says of an archive.
func entry(t *testing.T, source, revision string, archive []byte, keys ...bundletest.Key) config.Locked {
	t.Helper()
	r, err := bundle.ParseRevision(revision)
	if err != nil {
		t.Fatal(err)
	}
	l := config.Locked{Source: source, Digest: store.DigestOf(archive), Revision: r}
	for _, k := range keys {
		l.Keys = append(l.Keys, k.Public().ID)
	}
	return l
}

// lock writes a lock beside the laptop's configuration.
func (l laptop) lock(t *testing.T, entries ...config.Locked) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(l.at.Home, "ocjail.lock"), config.EncodeLock(entries), 0o644); err != nil {
		t.Fatal(err)
	}
}

// refused asserts that nothing starts, and why.
func (l laptop) refused(t *testing.T, want ...string) {
	t.Helper()
	files, err := l.open(t)
	if err == nil {
		t.Fatalf("revision %s is used", files[len(files)-1].Policies[0].Opened.Manifest.Revision)
	}
	for _, w := range append(want, `policy "acme" of `) {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v\nlacks %q", err, w)
		}
	}
}

// uses asserts which revision is used.
func (l laptop) uses(t *testing.T, revision string) {
	t.Helper()
	files, err := l.open(t)
	if err != nil {
		t.Fatal(err)
	}
	if got := files[len(files)-1].Policies[0].Opened.Manifest.Revision.String(); got != revision {
		t.Errorf("revision %s is used, want %s", got, revision)
	}
}

// A launch goes by what the lock names and by nothing else, and by no older one than
// was seen, whatever the lock names.
func TestLockOfAFetchedBundle(t *testing.T) {
	l := newLaptop(t)
	seven := l.has(t, "7", 0)
	l.lock(t, entry(t, source, "7", seven, l.key))
	l.uses(t, "7")

	eight := bundletest.Signed(t, l.key, "8")
	l.lock(t, entry(t, source, "8", eight, l.key))
	l.refused(t, source+": "+filepath.Join(l.at.Home, "ocjail.lock")+":4:1 holds it to revision 8 ("+store.DigestOf(eight)+"), and revision 7 ("+store.DigestOf(seven)+") was fetched here: run ocjail bundle pull")
	l.lock(t)
	l.refused(t, "ocjail.lock does not name "+source+": ", "ocjail bundle update")

	// What was fetched without the lock is newer than the lock: a rollback.
	l.has(t, "8", 0)
	l.lock(t, entry(t, source, "7", seven, l.key))
	l.refused(t, "holds it to revision 7 (", "and revision 8 was seen here before", "--allow-rollback 7 "+source)
	if err := os.Remove(filepath.Join(l.at.Home, "ocjail.lock")); err != nil {
		t.Fatal(err)
	}
	l.uses(t, "8") // without the lock
}

// Between an update's keeping of the bundle and its note of it, launches go by the lock.
func TestLockOfWhatIsNotNotedYet(t *testing.T) {
	l := newLaptop(t)
	seven := l.has(t, "7", 0)
	l.lock(t, entry(t, source, "7", seven, l.key))
	eight := bundletest.Signed(t, l.key, "8")
	if err := l.store.Add(eight); err != nil {
		t.Fatal(err)
	}
	l.uses(t, "7")
	l.lock(t, entry(t, source, "8", eight, l.key))
	l.uses(t, "8")
	if err := os.WriteFile(l.store.ArchiveFile(store.DigestOf(eight)), []byte("rotten"), 0o600); err != nil {
		t.Fatal(err)
	}
	l.refused(t, "is not the bundle that was kept there, and is discarded", "run ocjail bundle pull")
}

// A lock that was edited lies, and is found out: it opens nothing that would not open
// without it.
func TestLockThatLies(t *testing.T) {
	l := newLaptop(t)
	seven := l.has(t, "7", 0)
	l.lock(t, entry(t, source, "8", seven, l.key))
	l.refused(t, "its revision is 7, and ", "ocjail.lock:4:1 says 8: somebody has edited it")
	other := bundletest.NewKey(t, "other")
	l.lock(t, entry(t, source, "7", seven, other))
	l.refused(t, "it was signed by the key "+l.key.Public().ID, "which ", "ocjail.lock:4:1 does not name")
	l.lock(t, entry(t, source, "7", seven))
	l.refused(t, "it was signed by the key "+l.key.Public().ID)

	// One that names what another has signed, or an older one: the digest is right, and it
	// is refused all the same.
	theirs := bundletest.Signed(t, other, "9")
	if err := l.store.Add(theirs); err != nil {
		t.Fatal(err)
	}
	l.lock(t, entry(t, source, "9", theirs, l.key, other))
	l.refused(t, `it was signed by the key "`+other.Public().ID[:16], "and these are trusted: "+l.key.Public().ID[:16])
	six := bundletest.Signed(t, l.key, "6")
	if err := l.store.Add(six); err != nil {
		t.Fatal(err)
	}
	l.lock(t, entry(t, source, "9", six, l.key))
	l.refused(t, "its revision is 6, and 7 was seen here before")
}

// To replace a key, both are named: what the lock names is signed by one of them.
func TestLockAndTwoKeys(t *testing.T) {
	l := newLaptop(t)
	next := bundletest.NewKey(t, "next")
	l.config = strings.Replace(l.config, `"acme.pem"`, `"acme.pem", "next.pem"`, 1)
	if err := os.WriteFile(filepath.Join(l.at.Home, "next.pem"), next.PublicPEM, 0o644); err != nil {
		t.Fatal(err)
	}
	l.lock(t, entry(t, source, "7", l.has(t, "7", 0), l.key))
	l.uses(t, "7")
	was := l.key
	l.key = next
	eight := l.has(t, "8", 0)
	l.lock(t, entry(t, source, "8", eight, was))
	l.refused(t, "it was signed by the key "+next.Public().ID)
	l.lock(t, entry(t, source, "8", eight, was, next))
	l.uses(t, "8")
}

// A local bundle that an older, well-signed one took the place of is used without a
// lock, and refused with one.
func TestLockOfALocalBundle(t *testing.T) {
	dir := t.TempDir()
	at := checker.Where{Home: dir, Project: dir}
	key := bundletest.NewKey(t, "acme")
	write := func(name string, text []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("acme.pem", key.PublicPEM)
	eight := bundletest.Signed(t, key, "8", func(c *bundle.Content) { c.Config = []byte(loud) })
	write("acme.tar.gz", eight)
	const text = "policy \"acme\" {\n  source = \"./acme.tar.gz\"\n  keys   = [\"acme.pem\"]\n}\n"
	how := func() (finding.Severity, error) {
		f := parse(t, config.User, dir, "ocjail.hcl", text)
		if _, err := checker.OpenBundles([]*config.File{f}, at, nil); err != nil {
			return "", err
		}
		s, _ := severity(t, at, parse(t, config.User, dir, "ocjail.hcl", text))
		return s, nil
	}
	write("ocjail.lock", config.EncodeLock([]config.Locked{entry(t, "acme.tar.gz", "8", eight, key)}))
	if s, err := how(); s != finding.Error {
		t.Fatal(s, err)
	}
	write("acme.tar.gz", bundletest.Signed(t, key, "7", func(c *bundle.Content) { c.Config = []byte(quiet) }))
	if _, err := how(); err == nil || !strings.Contains(err.Error(), "ocjail.lock:4:1 holds it to revision 8, "+store.DigestOf(eight)) || !strings.Contains(err.Error(), "ocjail bundle update") {
		t.Errorf("with the lock: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "ocjail.lock")); err != nil {
		t.Fatal(err)
	}
	if s, err := how(); s != finding.Warning {
		t.Errorf("the harm is none: %s, %v", s, err)
	}
}

// A project's lock that names an old revision of the user's bundle changes nothing of
// what the user's file goes by.
func TestLockOfALessTrustedLayer(t *testing.T) {
	l := newLaptop(t)
	seven := l.has(t, "7", 0, func(c *bundle.Content) { c.Config = []byte(quiet) })
	l.has(t, "8", 0, func(c *bundle.Content) { c.Config = []byte(loud) })
	project := t.TempDir()
	at := checker.Where{Home: l.at.Home, Project: project}
	lock := config.EncodeLock([]config.Locked{entry(t, source, "7", seven, l.key)})
	if err := os.WriteFile(filepath.Join(project, "ocjail.lock"), lock, 0o644); err != nil {
		t.Fatal(err)
	}
	files := func() []*config.File {
		return []*config.File{parse(t, config.User, l.at.Home, "ocjail.hcl", l.config), parse(t, config.Project, project, "ocjail.hcl", "")}
	}
	s, c := severity(t, at, files()...)
	if s != finding.Error {
		t.Errorf("the user's bundle counts as %s", s)
	}
	if i := c.Ignored(); len(i) != 1 || !strings.Contains(i[0].Message, "a lock holds the bundles of the file beside it alone") {
		t.Errorf("%+v", i)
	}
	// Beside the user's file the same lock is a rollback, and nothing starts.
	if err := os.WriteFile(filepath.Join(l.at.Home, "ocjail.lock"), lock, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := checker.OpenBundles(files(), at, nil); err == nil || !strings.Contains(err.Error(), "and revision 8 was seen here before") {
		t.Error(err)
	}
}
