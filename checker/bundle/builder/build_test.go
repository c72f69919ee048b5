package builder_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	opabundle "github.com/open-policy-agent/opa/v1/bundle"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/builder"
	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/judge/rego"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/policy"
)

const (
	offline = `# METADATA
# title: The network is in the jail
# custom:
#   severity: error
package ocjail.rules.acme.offline

import data.ocjail.lib.findings

findings contains findings.new("the network", {"kind": "namespace", "name": "net"}, "leave it out") if {
	not input.jail.namespaces.net in data.acme.fine
}
`
	offlineTest = `package ocjail.rules.acme.offline_test

import data.ocjail.fixtures
import data.ocjail.rules.acme.offline as rule

test_violating if count(rule.findings) == 1 with input as fixtures.jail({"namespaces": {"net": "shared"}})

test_clean if count(rule.findings) == 0 with input as fixtures.jail({"namespaces": {"net": "unshared"}})
`
	conftest = "package acme\n\ndeny contains \"no tmpfs\" if {\n\tsome m in input.jail.mounts\n\tm.op == \"tmpfs\"\n}\n"
)

func acme() map[string]string {
	return map[string]string{
		"offline.rego": offline, "offline_test.rego": offlineTest, "sub/acme.rego": conftest,
		"data/acme/fine.json": `["unshared"]`, "data/ocjail/tolerated.json": `{"sockets": []}`,
		"ocjail.hcl": "rule \"net/host-network\" {\n  severity = \"error\"\n}\n", "README.md": "left out",
	}
}

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var made = time.Date(2026, 11, 26, 1, 0, 0, 0, time.UTC)

func options(t *testing.T) builder.Options {
	t.Helper()
	r, err := bundle.ParseRevision("3.1")
	if err != nil {
		t.Fatal(err)
	}
	return builder.Options{Revision: r, Created: made, Known: []engine.Rule{{ID: "net/host-network", Severity: finding.Info}}}
}

func build(t *testing.T, files map[string]string, o builder.Options) *builder.Built {
	t.Helper()
	b, err := builder.Build(t.Context(), folder(t, files), o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBuild(t *testing.T) {
	o := options(t)
	one, two := build(t, acme(), o), build(t, acme(), o)
	if !bytes.Equal(one.Archive, two.Archive) {
		t.Error("the same folder elsewhere gives another bundle")
	}
	wasm := o
	wasm.WASM = true
	if !bytes.Equal(build(t, acme(), wasm).Archive, build(t, acme(), wasm).Archive) {
		t.Error("the same folder elsewhere gives another module")
	}
	if one.Tests.Passed != 2 {
		t.Errorf("%d tests passed", one.Tests.Passed)
	}
	b, err := bundle.Open(one.Archive, bundle.Trust{Unsigned: true, Now: made})
	if err != nil {
		t.Fatal(err)
	}
	want := bundle.Manifest{Revision: o.Revision, Created: made, Pack: worker.Identity().Pack, Roots: []string{"acme", "ocjail/rules/acme/offline", "ocjail/tolerated"}, Rules: []bundle.Rule{
		{ID: "acme/deny", Severity: "error"}, {ID: "acme/offline", Title: "The network is in the jail", Severity: "error"},
	}}
	if diff := cmp.Diff(want, b.Manifest, cmp.Comparer(func(a, b bundle.Revision) bool { return a == b })); diff != "" {
		t.Errorf("manifest (-want +got)\n%s", diff)
	}
	got := map[string]string{}
	for name, text := range b.Files {
		got[name] = string(text)
	}
	if diff := cmp.Diff(map[string]string{
		"offline.rego": offline, "sub/acme.rego": conftest, "data/acme.json": `{"fine":["unshared"]}`, "data/ocjail.json": `{"tolerated":{"sockets":[]}}`,
	}, got); diff != "" {
		t.Errorf("files (-want +got)\n%s", diff)
	}
	if string(b.Config) != acme()["ocjail.hcl"] {
		t.Errorf("configuration %q", b.Config)
	}
}

// OPA's own reader takes the bundle, and its verifier the signature.
func TestReadByOPA(t *testing.T) {
	wasm := options(t)
	wasm.WASM = true
	for name, o := range map[string]builder.Options{"rego": options(t), "wasm": wasm} {
		for _, algorithm := range []string{bundle.ES256, bundle.EdDSA} {
			key, public := newKey(t, algorithm)
			signed, err := bundle.Sign(build(t, acme(), o).Archive, key)
			if err != nil {
				t.Fatal(err)
			}
			read := func(archive []byte, keyPEM string) (opabundle.Bundle, error) {
				trusted := opabundle.NewVerificationConfig(map[string]*opabundle.KeyConfig{key.Public().ID: {Key: keyPEM, Algorithm: algorithm}}, "", "", nil)
				return opabundle.NewCustomReader(opabundle.NewTarballLoaderWithBaseURL(bytes.NewReader(archive), "")).WithBundleVerificationConfig(trusted).Read()
			}
			b, err := read(signed, public)
			if err != nil {
				t.Fatalf("%s, %s: %v", name, algorithm, err)
			}
			if b.Manifest.Revision != "3.1" || b.Data["acme"] == nil || b.Manifest.Metadata["ocjail"] == nil {
				t.Errorf("%s: %+v", name, b.Manifest)
			}
			if name == "rego" && len(b.Modules) != 2 || name == "wasm" && (len(b.WasmModules) != 1 || len(b.WasmModules[0].Entrypoints) != 2 || len(b.Modules) != 0) {
				t.Errorf("%s: %d Rego, %+v", name, len(b.Modules), b.Manifest.WasmResolvers)
			}
			if _, other := newKey(t, algorithm); other != "" {
				if _, err := read(signed, other); err == nil {
					t.Errorf("%s: OPA takes a signature by another key", name)
				}
			}
		}
	}
}

func newKey(t *testing.T, algorithm string) (key bundle.Signer, public string) {
	t.Helper()
	var raw any
	var err error
	if algorithm == bundle.ES256 {
		raw, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		_, raw, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	key, _ = encode(t, raw)
	var of any
	switch raw := raw.(type) {
	case *ecdsa.PrivateKey:
		of = raw.Public()
	case ed25519.PrivateKey:
		of = raw.Public()
	}
	der, err := x509.MarshalPKIXPublicKey(of)
	if err != nil {
		t.Fatal(err)
	}
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func encode(t *testing.T, raw any) (key bundle.Signer, text string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	text = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if key, err = builder.ParsePrivateKey([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return key, text
}

func TestBrokenFolders(t *testing.T) {
	wasm := options(t)
	wasm.WASM = true
	late := options(t)
	late.Expires = made
	for name, c := range map[string]struct {
		change map[string]string
		o      builder.Options
		want   string
	}{
		"failing test":     {map[string]string{"offline_test.rego": strings.Replace(offlineTest, "== 1", "== 2", 1)}, options(t), "tests of the rules fail"},
		"no test":          {map[string]string{"offline_test.rego": ""}, options(t), "no tests"},
		"broken rule":      {map[string]string{"sub/acme.rego": "package acme\n\ndeny contains x if {"}, options(t), "acme.rego"},
		"reserved package": {map[string]string{"sub/acme.rego": "package ocjail.lib\n"}, options(t), "ocjail's own"},
		"missing list":     {map[string]string{"data/acme/fine.json": `[]`}, options(t), "data.acme.fine is empty"},
		"broken list":      {map[string]string{"data/acme/fine.json": `[`}, options(t), "fine.json"},
		"data.json":        {map[string]string{"data.json": `{}`}, options(t), "data/NAME.json"},
		"manifest":         {map[string]string{".manifest": `{}`}, options(t), ".manifest is OPA's"},
		"configuration":    {map[string]string{"ocjail.hcl": "protekt = []"}, options(t), `Did you mean "protect"`},
		"misspelt rule":    {map[string]string{"ocjail.hcl": "rule \"net/host-netwrk\" {\n  severity = \"error\"\n}\n"}, options(t), `ocjail.hcl:1:1: there is no rule of this id, did you mean "net/host-network"?`},
		"further policies": {map[string]string{"ocjail.hcl": "policy \"x\" {\n  source = \"x\"\n}"}, options(t), "ocjail.hcl:1:1: a bundle's configuration can not name further policies"},
		"odd name":         {map[string]string{"sub/a b.rego": "package acme\n"}, options(t), "rename it"},
		"OPA's name":       {map[string]string{"x/policy.wasm": "\x00asm"}, options(t), "policy.wasm"},
		"two modules":      {map[string]string{"policy.wasm": ""}, wasm, "policy.wasm"},
		"expired":          {nil, late, "it expired on"},
	} {
		t.Run(name, func(t *testing.T) {
			files := acme()
			for file, text := range c.change {
				files[file] = text
			}
			if files["offline_test.rego"] == "" {
				delete(files, "offline_test.rego")
			}
			b, err := builder.Build(t.Context(), folder(t, files), c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if errors.Is(err, builder.ErrTests) && (b == nil || b.Tests.Failed != 1) {
				t.Error("the report is missing")
			}
		})
	}
	if _, err := builder.Build(t.Context(), filepath.Join(t.TempDir(), "none"), options(t)); err == nil {
		t.Error("no folder")
	}
}

func TestPrivateKeys(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(p256)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	k, err := builder.ParsePrivateKey([]byte(block("EC PARAMETERS", []byte{6, 0}) + block("EC PRIVATE KEY", sec1)))
	if err != nil || k.Public().Algorithm != bundle.ES256 {
		t.Errorf("SEC 1: %v, %v", k, err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []any{rsaKey, p384} {
		der, err := x509.MarshalPKCS8PrivateKey(bad)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := builder.ParsePrivateKey([]byte(block("PRIVATE KEY", der))); err == nil || !strings.Contains(err.Error(), "openssl genpkey") {
			t.Errorf("%T: %v", bad, err)
		}
	}
	for text, want := range map[string]string{
		"": "no private key", block("PUBLIC KEY", nil): "PUBLIC KEY", block("ENCRYPTED PRIVATE KEY", nil): "passphrase", block("PRIVATE KEY", nil): "asn1",
	} {
		if _, err := builder.ParsePrivateKey([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A bundle may bring a configuration and nothing else.
func TestConfigurationAlone(t *testing.T) {
	b, err := bundle.Open(build(t, map[string]string{"ocjail.hcl": acme()["ocjail.hcl"]}, options(t)).Archive, bundle.Trust{Unsigned: true, Now: made})
	if err != nil || string(b.Config) != acme()["ocjail.hcl"] || len(b.Files) > 0 || len(b.Manifest.Rules) > 0 {
		t.Errorf("%+v, %v", b, err)
	}
	if _, err := builder.Build(t.Context(), folder(t, map[string]string{"README.md": ""}), options(t)); !errors.Is(err, engine.ErrEmpty) {
		t.Errorf("of nothing: %v", err)
	}
}

// The plan in a bundle finds what OPA finds, in both forms of rules.
func TestPlanAsOPA(t *testing.T) {
	files := acme()
	b, err := bundle.Open(build(t, files, options(t)).Archive, bundle.Trust{Unsigned: true, Now: made})
	if err != nil {
		t.Fatal(err)
	}
	if b.Plan == nil || b.Manifest.Pack != worker.Identity().Pack {
		t.Fatal("no plan")
	}
	planned, err := engine.OpenPlan(0, "user", b.Plan)
	if err != nil {
		t.Fatal(err)
	}
	source := worker.Source{Name: "x", Layer: "user", Files: b.Files}
	sources, err := rego.Means.Open(t.Context(), worker.Load{Sources: []worker.Source{source}})
	if err != nil {
		t.Fatal(err)
	}
	ignoreReads := cmp.Comparer(func(a, b *engine.Example) bool { return (a == nil) == (b == nil) })
	if diff := cmp.Diff(sources.Rules(), planned.Rules(), ignoreReads); diff != "" {
		t.Errorf("rules (-OPA +plan)\n%s", diff)
	}
	for _, input := range []string{
		`{"version": 1, "jail": {"namespaces": {"net": "shared"}, "mounts": [{"op": "tmpfs"}]}}`,
		`{"version": 1, "jail": {"namespaces": {"net": "unshared"}, "mounts": [{"op": "bind"}]}}`,
		`{"version": 1}`, `{"version": 2}`, `{`,
	} {
		want, wantErr := sources.Evaluate(t.Context(), []byte(input))
		got, err := planned.Evaluate(t.Context(), []byte(input))
		if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (wantErr == nil) {
			t.Errorf("%s: %v, %v (-OPA +plan)\n%s", input, wantErr, err, diff)
		}
	}
}

// What only OPA can judge by has no plan; what is broken is no plan.
func TestNoPlan(t *testing.T) {
	files := acme()
	files["sub/acme.rego"] = "package acme\n\ndeny contains \"x\" if crypto.sha256(input.x) == \"\"\n"
	if b := build(t, files, options(t)); b.NoPlan == nil || b.Manifest.Pack != "" {
		t.Errorf("%v, %+v", b.NoPlan, b.Manifest)
	}
	for _, bad := range []string{"", "ocjail plan 3\n", policy.Plan} {
		if _, err := engine.OpenPlan(0, "user", []byte(bad)); err == nil {
			t.Errorf("%.20q is taken", bad)
		}
	}
}

func TestLongestFirst(t *testing.T) {
	b := build(t, map[string]string{"data/a/b.json": "{}", "data/a.json": `{"c": 1}`, "data/ab.json": "1"}, options(t))
	if want := []string{"a", "ab"}; !slices.Equal(b.Manifest.Roots, want) {
		t.Errorf("roots %v, want %v", b.Manifest.Roots, want)
	}
}
