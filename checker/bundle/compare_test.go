package bundle_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
)

func TestCompare(t *testing.T) {
	const own = "# METADATA\n# title: package ocjail.rules.x.y\npackage ocjail.rules.acme.no_usb\n"
	rules := func(r ...bundle.Rule) bundle.Manifest { return bundle.Manifest{Rules: r} }
	usb, net := bundle.Rule{ID: "acme/no-usb", Title: "USB", Severity: "error"}, bundle.Rule{ID: "acme.net/deny-all", Title: "Net", Severity: "error"}
	before := &bundle.Bundle{Manifest: rules(usb, net, bundle.Rule{ID: "acme/gone"}), Files: map[string][]byte{
		"usb.rego": []byte(own + "findings := 1"), "net.rego": []byte("  package  acme.net\ndeny_all := 1"), "data/acme.json": []byte("1"), "gone.wasm": nil,
	}}
	lower := usb
	lower.Severity = "warning"
	after := &bundle.Bundle{Manifest: rules(lower, net, bundle.Rule{ID: "acme/new"}), Config: []byte(""), Files: map[string][]byte{
		"usb.rego": []byte(own + "findings := 1"), "net.rego": []byte("package acme.net\ndeny_all := 2"), "data/acme.json": []byte("1"), "new.wasm": nil,
	}}
	kind := func(k string) bundle.Change { return bundle.Change{Kind: k} }
	want := bundle.Changes{
		Rules: []bundle.RuleChange{
			{Rule: net, Change: kind("changed"), Source: true}, {Rule: bundle.Rule{ID: "acme/gone"}, Change: kind("removed")},
			{Rule: bundle.Rule{ID: "acme/new"}, Change: kind("added")}, {Rule: lower, Change: kind("changed"), Before: "error"},
		},
		Files: []bundle.FileChange{{"gone.wasm", kind("removed")}, {"net.rego", kind("changed")}, {"new.wasm", kind("added")}, {"ocjail.hcl", kind("added")}},
	}
	if diff := cmp.Diff(want, bundle.Compare(before, after)); diff != "" {
		t.Error(diff)
	}
	if c := bundle.Compare(after, after); len(c.Rules)+len(c.Files) > 0 {
		t.Errorf("of itself: %+v", c)
	}
	if c := bundle.Compare(nil, after); len(c.Rules) != 3 || len(c.Files) != 5 || c.Rules[0].Kind != "added" {
		t.Errorf("of nothing: %+v", c)
	}
}
