package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/host"
)

// bundleRules is how many rules the bundle has, as the goal says.
const bundleRules = 50

// bundleTest is one, for no bundle is made without.
const bundleTest = `package ocjail.rules.bench.mount_0_test

import data.ocjail.fixtures
import data.ocjail.rules.bench.mount_0 as rule

test_clean if {
	count(rule.findings) == 0 with input as fixtures.jail({})
}
`

// bundles times launches with a signed bundle, a file and one that was fetched, in the
// jail of these options. What the launches and the pull note in the user's state is
// removed.
func (b *benchmark) bundles(options []string) (err error) {
	dir, err := os.MkdirTemp("", "ocjail-bench-bundle-")
	if err != nil {
		return err
	}
	archive := filepath.Join(dir, "bench.tar.gz")
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := b.signedBundle(dir, archive); err != nil {
		return err
	}
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	fetched := server.URL + "/bench.tar.gz"
	var variants []*variant
	for _, from := range []struct{ name, source string }{{"a file", archive}, {"fetched", fetched}} {
		name, source := from.name, from.source
		config := filepath.Join(dir, name+".hcl")
		if err := os.WriteFile(config, fmt.Appendf(nil, "policy \"bench\" {\n  source = %q\n  keys   = [\"bench.pem\"]\n}\n", source), 0o600); err != nil {
			return err
		}
		variants = append(variants, &variant{name: name, command: b.gate(options, "--config", config)})
		if source == fetched {
			if err := b.ocjailDoes("bundle", "pull", "--config", config); err != nil {
				return err
			}
		}
		defer func() { err = errors.Join(err, forgetBundle(source)) }()
	}
	fmt.Printf("\n| signed bundle of %d rules, warm | command begins: none, with ms | over none | ratio | CPU: none, with ms | over none |\n|---|---|---|---|---|---|\n", bundleRules)
	for _, v := range variants {
		if err := b.overNone(v, options); err != nil {
			return err
		}
	}
	return nil
}

// signedBundle makes the archive, and its public key beside it.
func (b *benchmark) signedBundle(dir, archive string) error {
	rules := filepath.Join(dir, "rules")
	if err := os.Mkdir(rules, 0o700); err != nil {
		return err
	}
	for n := range bundleRules {
		if err := os.WriteFile(filepath.Join(rules, fmt.Sprintf("mount-%d.rego", n)), fmt.Appendf(nil, moduleRule, n), 0o600); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(rules, "mount_test.rego"), []byte(bundleTest), 0o600); err != nil {
		return err
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	open, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return err
	}
	key := filepath.Join(dir, "bench.key")
	return errors.Join(
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600),
		os.WriteFile(filepath.Join(dir, "bench.pem"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open}), 0o600),
		b.ocjailDoes("bundle", "build", rules, "-o", archive),
		b.ocjailDoes("bundle", "sign", archive, "--key", key),
	)
}

func (b *benchmark) ocjailDoes(words ...string) error {
	if out, err := exec.Command(b.ocjail, words...).CombinedOutput(); err != nil {
		return fmt.Errorf("ocjail %v: %w\n%s", words, err, out)
	}
	return nil
}

// forgetBundle removes what is known of a source, and what was kept of it.
func forgetBundle(source string) error {
	home, err := host.Home(host.NewFS())
	if err != nil {
		return err
	}
	kept := store.User(home)
	e, err := kept.Find(source)
	if err != nil {
		return err
	}
	err = os.Remove(kept.EntryFile(source))
	if again := os.Remove(kept.ArchiveFile(e.Digest)); !errors.Is(again, os.ErrNotExist) {
		err = errors.Join(err, again)
	}
	return err
}
