package bundles

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/builder"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/bundletest"
)

const rule = `# METADATA
# title: The network is in the jail
# custom:
#   severity: error
package ocjail.rules.acme.offline

import data.ocjail.lib.findings

findings contains findings.new(sprintf("by revision %s no jail has the host's network", [data.acme.revision]), {"kind": "namespace", "name": "net"}, "unshare it") if {
	input.jail.namespaces.net != "unshared"
}
`

const ruleTest = `package ocjail.rules.acme.offline_test

import data.ocjail.fixtures
import data.ocjail.rules.acme.offline as rule

test_violating if {
	count(rule.findings) == 1 with input as fixtures.jail({"namespaces": {"net": "shared"}})
}
`

// made are the bundles that were built, by key and revision.
var made sync.Map

// published is a signed bundle whose rule says of which revision it is.
func published(t testing.TB, key bundletest.Key, revision string) []byte {
	t.Helper()
	name := key.Public().ID + revision
	if archive, ok := made.Load(name); ok {
		return slices.Clone(archive.([]byte))
	}
	archive := newlyPublished(t, key, revision)
	made.Store(name, slices.Clone(archive))
	return archive
}

func newlyPublished(t testing.TB, key bundletest.Key, revision string) []byte {
	t.Helper()
	dir := t.TempDir()
	check(t, os.MkdirAll(filepath.Join(dir, "data", "acme"), 0o700))
	for name, text := range map[string]string{"rules.rego": rule, "rules_test.rego": ruleTest, "data/acme/revision.json": fmt.Sprintf("%q", revision)} {
		check(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	r, err := bundle.ParseRevision(revision)
	check(t, err)
	b, err := builder.Build(t.Context(), dir, builder.Options{Revision: r, Created: bundletest.Made})
	check(t, err)
	if b.NoPlan != nil {
		t.Fatal(b.NoPlan)
	}
	archive, err := bundle.Sign(b.Archive, key)
	check(t, err)
	return archive
}

// serve answers on this machine, and returns the source of a bundle.
func serve(t testing.TB, h http.HandlerFunc) (source string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + "/acme.tar.gz"
}

// resigned is a large bundle, so that it takes a while to be written.
func resigned(t testing.TB, l *laptop, revision int) []byte {
	t.Helper()
	noise := make([]byte, 1<<20)
	random := rand.NewChaCha8([32]byte{byte(revision)})
	_, _ = random.Read(noise) // which never fails
	return bundletest.Signed(t, l.key, strconv.Itoa(revision), func(c *bundle.Content) {
		c.Data = map[string]any{"acme": map[string]any{"revision": strconv.Itoa(revision), "noise": base64.StdEncoding.EncodeToString(noise)}}
	})
}
