package checker_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/bundletest"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/config"
)

const source = "oci://registry.example/acme/policy:stable"

// laptop is a home with a configuration that has a bundle fetched, and the store of
// those that were.
type laptop struct {
	at     checker.Where
	store  store.Store
	key    bundletest.Key
	config string
	owners *config.Owners
}

func newLaptop(t *testing.T) laptop {
	t.Helper()
	dir := t.TempDir()
	l := laptop{checker.Where{Home: dir, Project: dir}, store.User(dir), bundletest.NewKey(t, "acme"), "", owners}
	if err := os.WriteFile(filepath.Join(dir, "acme.pem"), l.key.PublicPEM, 0o644); err != nil {
		t.Fatal(err)
	}
	l.config = fmt.Sprintf("policy \"acme\" {\n  source = %q\n  keys   = [\"acme.pem\"]\n}\n", source)
	return l
}

// has has fetched a revision, some time ago.
func (l laptop) has(t testing.TB, revision string, ago time.Duration, change ...func(*bundle.Content)) []byte {
	t.Helper()
	archive := bundletest.Signed(t, l.key, revision, change...)
	r, err := bundle.ParseRevision(revision)
	if err == nil {
		err = l.store.Keep(archive, store.Entry{Source: source, Revision: r, Fetched: time.Now().Add(-ago)}, r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return archive
}

func (l laptop) open(t *testing.T) ([]*config.File, error) {
	t.Helper()
	f := parse(t, config.User, l.at.Home, "ocjail.hcl", l.config)
	return checker.OpenBundles([]*config.File{f}, l.at, l.owners)
}

const day = 24 * time.Hour

func TestFetchedBundle(t *testing.T) {
	l := newLaptop(t)
	if _, err := l.open(t); err == nil || !strings.Contains(err.Error(), `policy "acme" of `) || !strings.Contains(err.Error(), source+": no bundle of it is here yet: run ocjail bundle pull") {
		t.Fatal(err)
	}
	l.has(t, "7", 6*day, func(c *bundle.Content) { c.Config = []byte(loud) })
	files, err := l.open(t)
	if err != nil || len(files) != 2 || files[0].Name != source+"/ocjail.hcl" || files[1].Policies[0].Opened.Manifest.Revision.String() != "7" {
		t.Fatalf("%v, %v", files, err)
	}
	if stale := checker.Stale(files); len(stale) != 0 {
		t.Error(stale)
	}
}

func TestAgeOfBundles(t *testing.T) {
	l := newLaptop(t)
	l.has(t, "7", 8*day)
	files, err := l.open(t)
	if err != nil {
		t.Fatal(err)
	}
	if stale := checker.Stale(files); len(stale) != 1 || !strings.Contains(stale[0], "was fetched 8 days ago, and after 30 days nothing starts: run ocjail bundle pull") {
		t.Error(stale)
	}
	l.config = strings.Replace(l.config, "}", "  refuse_after = \"3d\"\n}", 1)
	for ago, want := range map[time.Duration]string{
		8 * day: "(revision 7, sha256:", 3*day + time.Hour: "was fetched 3 days ago, and 3 are allowed: run ocjail bundle pull",
		-2 * time.Hour: "set the clock, or if it is right, run ocjail bundle pull",
	} {
		l.has(t, "7", ago)
		if _, err := l.open(t); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), source) {
			t.Errorf("%s ago: %v, want %q", ago, err, want)
		}
	}
	l.has(t, "7", -30*time.Minute) // clocks differ
	if _, err := l.open(t); err != nil {
		t.Error(err)
	}
}

// Whatever happened to what was fetched, it is verified each time.
func TestFetchedBundleThatIsNotGood(t *testing.T) {
	l := newLaptop(t)
	old := l.has(t, "7", 0)
	if err := os.WriteFile(l.store.ArchiveFile(store.DigestOf(old)), []byte("rotten"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := l.open(t); err == nil || !strings.Contains(err.Error(), store.DigestOf(old)) || !strings.Contains(err.Error(), "is not the bundle that was kept there, and is discarded") || !strings.Contains(err.Error(), "run ocjail bundle pull") {
		t.Error(err)
	}
	if _, err := l.open(t); err == nil || !strings.Contains(err.Error(), "the bundle that was fetched is gone") {
		t.Error(err)
	}
	l.has(t, "8", 0, func(c *bundle.Content) { c.Manifest.Expires = time.Now().Add(-time.Hour) })
	if _, err := l.open(t); err == nil || !strings.Contains(err.Error(), "the bundle "+source+" (sha256:") || !strings.Contains(err.Error(), "it expired on") {
		t.Error(err)
	}
	l.has(t, "9", 0)
	if err := os.WriteFile(filepath.Join(l.at.Home, "acme.pem"), bundletest.NewKey(t, "other").PublicPEM, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := l.open(t); err == nil || !strings.Contains(err.Error(), "it was signed by the key") {
		t.Error(err)
	}
	if err := os.Chmod(l.store.EntryFile(source), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := l.open(t); err == nil || !strings.Contains(err.Error(), "can be written by others") {
		t.Error(err)
	}
}

// A hundred launches and ten pulls at once: each launch finds a bundle that is whole.
func TestManyLaunchesAndPulls(t *testing.T) {
	l := newLaptop(t)
	l.has(t, "1", 0)
	if _, err := l.open(t); err != nil {
		t.Fatal(err)
	}
	f := filepath.Join(l.at.Home, "ocjail.hcl")
	var all sync.WaitGroup
	for n := range 10 {
		all.Go(func() {
			for range 5 {
				l.has(t, fmt.Sprint(n+1), 0)
			}
		})
	}
	for range 100 {
		all.Go(func() {
			file, err := config.LoadUntrusted(config.User, f)
			if err == nil {
				_, err = checker.OpenBundles([]*config.File{file}, l.at, nil)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
