// Package bundletest makes signed bundles for tests, and starts a registry for them.
package bundletest

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/builder"
)

// Key is a pair of keys.
type Key struct {
	bundle.Signer
	PublicPEM, PrivatePEM []byte
}

// NewKey makes a key out of a name: equal names give equal keys.
func NewKey(t testing.TB, name string) Key {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, name)
	private := ed25519.NewKeyFromSeed(seed)
	der, err := x509.MarshalPKCS8PrivateKey(private)
	check(t, err)
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	check(t, err)
	k := Key{PrivatePEM: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), PublicPEM: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})}
	k.Signer, err = builder.ParsePrivateKey(k.PrivatePEM)
	check(t, err)
	return k
}

// Keys are those that verify.
func Keys(keys ...Key) (all []bundle.Key) {
	for _, k := range keys {
		all = append(all, k.Public())
	}
	return all
}

// Made is when bundles of tests are made.
var Made = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Signed makes a bundle of a list that names its revision.
func Signed(t testing.TB, k Key, revision string, change ...func(*bundle.Content)) []byte {
	t.Helper()
	r, err := bundle.ParseRevision(revision)
	check(t, err)
	c := bundle.Content{Manifest: bundle.Manifest{Revision: r, Created: Made}, Data: map[string]any{"acme": map[string]any{"revision": revision}}}
	for _, f := range change {
		f(&c)
	}
	archive, err := bundle.Write(c)
	check(t, err)
	archive, err = bundle.Sign(archive, k)
	check(t, err)
	return archive
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
