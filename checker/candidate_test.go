package checker_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/bundletest"
	"github.com/refnil/opencode-jail-devenv/checker/config"
)

// What has expired starts nothing, and an update compares with it all the same.
func TestCandidateThatHasExpired(t *testing.T) {
	l := newLaptop(t)
	now := time.Now()
	kept := l.has(t, "7", 40*day, func(c *bundle.Content) { c.Manifest.Expires = now.Add(-day) })
	if _, err := l.open(t); err == nil {
		t.Fatal("it is used")
	}
	p := parse(t, config.User, l.at.Home, "ocjail.hcl", l.config).Policies[0]
	if string(checker.Kept(&p, l.at, nil)) != string(kept) {
		t.Error("it is not what was kept")
	}
	if _, _, err := checker.Verify(&p, kept, now, l.at, nil); err == nil || !strings.Contains(err.Error(), "it expired on") || !strings.Contains(err.Error(), "(keys: "+l.key.Public().ID[:16]) {
		t.Errorf("as the next one: %v", err)
	}
	if b, _, err := checker.Verify(&p, kept, checker.LastCounted(kept, now), l.at, nil); err != nil || b.Signer != l.key.Public().ID {
		t.Error(err)
	}
	f := parse(t, config.User, l.at.Home, "ocjail.hcl", l.config)
	f.Policies[0].Candidate = kept
	if _, err := checker.OpenBundles([]*config.File{f}, l.at, nil); err != nil {
		t.Error(err)
	}
	if good := bundletest.Signed(t, l.key, "8"); !checker.LastCounted(good, now).Equal(now) || !checker.LastCounted(nil, now).Equal(now) {
		t.Error("what has not expired counts now")
	}
}

// The next bundle is by the policy's keys, and no older than what was seen or locked.
func TestVerify(t *testing.T) {
	l := newLaptop(t)
	l.has(t, "7", 0)
	l.lock(t, entry(t, source, "9", nil, l.key))
	p := parse(t, config.User, l.at.Home, "ocjail.hcl", l.config).Policies[0]
	for revision, want := range map[string]string{
		"6": "its revision is 6, and 7 was seen here before",
		"8": "its revision is 8, and " + filepath.Join(l.at.Home, "ocjail.lock") + ":4:1 names 9: have a newer one published, or if the older one is meant, restore the lock that named it",
		"9": "",
	} {
		_, _, err := checker.Verify(&p, bundletest.Signed(t, l.key, revision), time.Now(), l.at, nil)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("revision %s: %v, want %q", revision, err, want)
		}
	}
	unsigned := config.Policy{Name: "own", Source: "own.tar.gz", Path: filepath.Join(t.TempDir(), "own.tar.gz"), Bundle: true, Layer: config.User, Locked: p.Locked}
	if err := os.WriteFile(unsigned.Path, bundletest.Signed(t, l.key, "8"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := checker.Verify(&unsigned, nil, time.Now(), l.at, nil); err == nil || !strings.Contains(err.Error(), "its revision is 8, and ") {
		t.Errorf("of a file that needs no signature: %v", err)
	}
	if _, _, err := checker.Verify(&p, bundletest.Signed(t, bundletest.NewKey(t, "other"), "10"), time.Now(), l.at, nil); err == nil || !strings.Contains(err.Error(), "it was signed by the key") {
		t.Error(err)
	}
}
