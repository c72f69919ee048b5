package config

import (
	"path"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

func (r *reader) policies(raws []rawPolicy) []Policy {
	var policies []Policy
	seen := map[string]bool{}
	for _, raw := range raws {
		if !validName(raw.Name) {
			r.errs.Add(raw.Range, "a policy's name has letters, digits, \"-\" and \"_\"")
		}
		if seen[raw.Name] {
			r.errs.Add(raw.Range, "there is a policy %q already: give this one a name of its own", raw.Name)
		}
		seen[raw.Name] = true
		if why := badSource(raw.Source, r.layer); why != "" {
			r.errs.Add(raw.SourceRange, "%s", why)
		}
		source := strings.TrimPrefix(raw.Source, "./")
		p := Policy{Name: raw.Name, Source: source, Path: fromHome(source), Layer: r.layer, Pos: hclfile.Start(raw.Range)}
		p.Bundle = NamesBundle(p.Path)
		if bundle.IsSource(raw.Source) && !r.layer.Untrusted() {
			p.Path, p.Bundle = "", true
			p.Remote = r.remote(raw)
		} else {
			r.remoteOnly(raw)
		}
		if raw.Keys != nil {
			p.Keys = r.keys(p, *raw.Keys, raw.KeysRange)
		}
		policies = append(policies, p)
	}
	return policies
}

// bundleSuffix is what the name of a bundle ends with.
const bundleSuffix = ".tar.gz"

// NamesBundle tells whether a source is taken for a bundle.
func NamesBundle(source string) bool { return strings.HasSuffix(source, bundleSuffix) }

func (r *reader) keys(p Policy, paths []string, at hcl.Range) []string {
	switch {
	case !p.Bundle:
		r.errs.Add(at, "only a bundle is signed: name one (NAME%s) as the source, or leave keys out", bundleSuffix)
	case r.layer.Untrusted():
		r.errs.Add(at, "the agent could write these keys as well: leave them out, or name the bundle in your own ocjail.hcl")
	case len(paths) == 0:
		r.errs.Add(at, "keys is empty: name the publisher's public key, or leave keys out to demand no signature")
	}
	keys := make([]string, 0, len(paths))
	for i, k := range paths {
		if !validFile(k) {
			r.errs.Add(at, "keys[%d]: name a file with a public key in PEM: absolute, below ~/ or relative to this file, without \"..\"", i)
		}
		keys = append(keys, fromHome(strings.TrimPrefix(k, "./")))
	}
	return keys
}

func validName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	})
}

// badSource says why rules can not be taken from a source, or "".
func badSource(s string, layer Layer) string {
	switch {
	case bundle.IsSource(s) && layer.Untrusted():
		return "the agent could write what a project fetches: name a folder, a .rego, a .wasm or a .tar.gz file of the project, or fetch it from your own ocjail.hcl"
	case bundle.IsSource(s): // see remote
	case layer.Untrusted():
		if !validRelative(strings.TrimPrefix(s, "./")) {
			return "a project's rules lie in the project: name a folder, a .rego, a .wasm or a .tar.gz file, relative to its root"
		}
	case !validTemplate(fromHome(s)) && !validRelative(strings.TrimPrefix(s, "./")), strings.HasPrefix(s, "{"):
		return "name a folder, a .rego, a .wasm or a .tar.gz file: absolute, below ~/ or relative to this file, without \"..\""
	}
	return ""
}

// from makes the relative paths of a trusted file's absolute.
func (p *Policy) from(dir string) {
	if p.Layer.Untrusted() {
		return
	}
	absolute := func(name string) string {
		if strings.HasPrefix(name, "/") || strings.HasPrefix(name, "{") {
			return name
		}
		return path.Join(dir, name)
	}
	if p.Remote == nil {
		p.Path = absolute(p.Path)
	} else if p.Remote.TokenFile != "" {
		p.Remote.TokenFile = absolute(p.Remote.TokenFile)
	}
	for i, k := range p.Keys {
		p.Keys[i] = absolute(k)
	}
}
