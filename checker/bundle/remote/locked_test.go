package remote_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/bundletest"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
)

// A registry is asked for the archive that the lock names, whatever the tag leads to by
// now; a machine that has nothing kept gets it as well.
func TestLockedRegistry(t *testing.T) {
	key := bundletest.NewKey(t, "acme")
	host := bundletest.Registry(t, t.TempDir(), false)
	source := "oci://" + host + "/acme/policy:stable"
	p := newPuller(t, source, key)
	seven, eight := bundletest.Signed(t, key, "7"), bundletest.Signed(t, key, "8")
	pinned, err := push(t, p, seven)
	check(t, err)
	_, err = push(t, p, eight)
	check(t, err)
	if _, err := newPuller(t, source, key).pull(t); err != nil {
		t.Fatal(err)
	}

	p.order.Digest = store.DigestOf(seven)
	for _, unchanged := range []bool{false, true} {
		got, err := p.client.Pull(t.Context(), p.order, time.Now().Add(time.Minute))
		if err != nil || got.Unchanged != unchanged || got.Digest != store.DigestOf(seven) || p.kept(t) != "7" || time.Until(got.Fetched) < 50*time.Second {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	p.order.Digest = "" // without the lock
	if _, err := p.pull(t); err != nil || p.kept(t) != "8" {
		t.Fatal(err)
	}
	p.order.Digest = store.DigestOf(seven) // a rollback
	if _, err := p.pull(t); !errors.Is(err, bundle.ErrRollback) || p.kept(t) != "8" {
		t.Error(err)
	}
	p.order.Rollback, err = bundle.ParseRevision("7")
	check(t, err)
	if _, err := p.pull(t); err != nil || p.kept(t) != "7" {
		t.Error(err)
	}
	p.order.Rollback = bundle.Revision{}
	p.order.Digest = store.DigestOf(bundletest.Signed(t, key, "9"))
	p.refused(t, "it answers 404", "the lock names "+p.order.Digest+"; ocjail bundle update moves it")

	// A source with a digest of its own has that bundle and no other.
	q := newPuller(t, "oci://"+host+"/acme/policy@"+pinned, key)
	q.order.Digest = store.DigestOf(eight)
	if _, err := q.pull(t); err == nil || !strings.Contains(err.Error(), "it has "+store.DigestOf(seven)+" now") {
		t.Error(err)
	}
	q.order.Digest = store.DigestOf(seven)
	if _, err := q.pull(t); err != nil || q.kept(t) != "7" {
		t.Error(err)
	}
}

// A web server has one bundle: where it is not the one that the lock names, what is kept
// stays.
func TestLockedWeb(t *testing.T) {
	key := bundletest.NewKey(t, "acme")
	archive, sent := bundletest.Signed(t, key, "7"), 0
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		tag := fmt.Sprintf("%q", store.DigestOf(archive))
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		sent++
		w.Write(archive)
	})
	p := newPuller(t, s.URL+"/acme.tar.gz", key)
	p.order.Digest = store.DigestOf(archive)
	came := 0
	p.client.Progress = func(n int) { came += n }
	for range 2 {
		if _, err := p.pull(t); err != nil || p.kept(t) != "7" || sent != 1 || came != len(archive) {
			t.Fatalf("%v: sent %d times, %d bytes came", err, sent, came)
		}
	}
	archive = bundletest.Signed(t, key, "8")
	p.refused(t, "it has "+store.DigestOf(archive)+" now (the lock names "+p.order.Digest+"; ocjail bundle update moves it to what is there)")
	p.order.Digest = store.DigestOf(archive) // the lock has moved, and the mark is of another
	if got, err := p.pull(t); err != nil || got.Unchanged || p.kept(t) != "8" {
		t.Error(err)
	}
}
