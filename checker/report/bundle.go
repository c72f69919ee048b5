package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Bundle is what `ocjail bundle inspect` and `verify` print.
type Bundle struct {
	Version    int           `json:"version"` // 1
	File       string        `json:"file"`
	Digest     string        `json:"digest"`
	Revision   string        `json:"revision"`
	Created    time.Time     `json:"created"`
	Expires    *time.Time    `json:"expires,omitempty"`
	MinVersion string        `json:"min_version,omitempty"`
	Signature  *Signature    `json:"signature,omitempty"`
	Roots      []string      `json:"roots"`
	Rules      []bundle.Rule `json:"rules"`
	Files      []BundleFile  `json:"files"`
	// Config tells whether it brings an ocjail.hcl, Compiled whether its Rego is
	// compiled for this ocjail.
	Config   bool `json:"config"`
	Compiled bool `json:"compiled"`
}

// Signature is what a bundle's says of itself, or when it is verified, whose it is.
type Signature struct {
	Verified  bool   `json:"verified"`
	Algorithm string `json:"algorithm,omitempty"`
	Key       string `json:"key,omitempty"` // SHA-256 of the public key
}

// BundleFile is a file of a bundle.
type BundleFile struct {
	Path  string `json:"path"`
	Bytes int    `json:"bytes"`
}

// NewBundle tells of a bundle that was verified, or only inspected, when claim is not nil.
func NewBundle(file string, b *bundle.Bundle, claim *bundle.Claim) *Bundle {
	m := &b.Manifest
	r := &Bundle{
		Version: 1, File: file, Digest: b.Digest, Revision: m.Revision.String(), Created: m.Created.UTC(), MinVersion: m.Ocjail,
		Roots: append([]string{}, m.Roots...), Rules: append([]bundle.Rule{}, m.Rules...), Files: []BundleFile{},
		Config: b.Config != nil, Compiled: b.Plan != nil && m.Pack == worker.Identity().Pack,
	}
	if !m.Expires.IsZero() {
		at := m.Expires.UTC()
		r.Expires = &at
	}
	switch {
	case claim == nil:
		r.Signature = &Signature{Verified: true, Algorithm: b.Algorithm, Key: b.Signer}
	case claim.Signed:
		r.Signature = &Signature{Algorithm: claim.Algorithm, Key: claim.KeyID}
	}
	for _, name := range slices.Sorted(maps.Keys(b.Files)) {
		r.Files = append(r.Files, BundleFile{name, len(b.Files[name])})
	}
	return r
}

// compiled says whether a launch has to compile something.
func (b *Bundle) compiled() string {
	has := func(suffix string) bool {
		return slices.ContainsFunc(b.Files, func(f BundleFile) bool { return strings.HasSuffix(f.Path, suffix) })
	}
	switch {
	case b.Compiled:
		return "yes, for this ocjail"
	case has(".rego"):
		return "no, or for another ocjail: a launch compiles its Rego"
	case has(".wasm"):
		return "to WebAssembly"
	}
	return "there is nothing to compile"
}

// Text writes the bundle for people.
func (b *Bundle) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	p.line("%s %s", s.paint(bold, Escape(b.File)), b.Digest)
	p.section("revision", Escape(b.Revision)+", of "+b.Created.Format(time.RFC3339))
	if b.Expires != nil {
		p.section("last day", bundle.LastDay(*b.Expires)+" (UTC)")
	}
	if b.MinVersion != "" {
		p.section("needs", "ocjail "+Escape(b.MinVersion)+" or newer")
	}
	switch sig := b.Signature; {
	case sig == nil:
		p.section("signed", "no")
	case sig.Verified:
		p.section("signed", fmt.Sprintf("by %s (%s), verified", sig.Key, sig.Algorithm))
	default:
		p.section("signed", fmt.Sprintf("it says by %s (%s), not verified", Escape(cmp.Or(sig.Key, "nobody")), Escape(cmp.Or(sig.Algorithm, "unknown"))))
	}
	if b.Config {
		p.section("configures", "yes, it brings an ocjail.hcl")
	}
	p.section("compiled", b.compiled())
	for _, f := range b.Files {
		p.section("file", fmt.Sprintf("%s, %d bytes", Escape(f.Path), f.Bytes))
	}
	for _, r := range b.Rules {
		severity := s.paint(severityColor[finding.Severity(r.Severity)], Escape(r.Severity))
		p.line("%s  %s  %s", severity, Escape(r.ID), Escape(r.Title))
	}
	return p.err
}
