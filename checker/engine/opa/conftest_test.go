package opa

import (
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

func TestConftestShapes(t *testing.T) {
	r, err := New(t.Context(), Options{},
		source("acme",
			"main.rego", "package main\ndeny contains \"plain\"\nwarn contains {\"msg\": \"object\", \"owner\": \"me\"}\nhelper := 1",
			"more.rego", "package main\ndeny contains \"second file\"",
			"deep.rego", "package k8s.pod_security\nviolation_host_path contains {\"msg\": \"deep\"} if input.version == 1\ndenying := true\ndeny(x) := x",
		))
	if err != nil {
		t.Fatal(err)
	}
	fs, err := r.Evaluate(t.Context(), []byte(`{"version": 1}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range fs {
		got = append(got, string(f.Severity)+" "+f.Rule+" "+f.Message)
		if f.Subject.Kind != "config" {
			t.Errorf("subject %+v", f.Subject)
		}
	}
	want := "error k8s.pod-security/violation-host-path deep, error main/deny plain, error main/deny second file, warning main/warn object"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if n := len(r.Rules()); n != 3 {
		t.Errorf("%d rules, want 3: %+v", n, r.Rules())
	}
}

func TestConftestRefuses(t *testing.T) {
	for body, want := range map[string]string{
		`deny := true`:                              "must be a set",
		`deny contains 1`:                           "must be a message",
		`deny contains ""`:                          "must be a message",
		`deny contains {"message": "x"}`:            `must have "msg"`,
		`deny contains {"msg": 1}`:                  "must be a message",
		`deny := ["x"] if input.version == "never"`: "undefined",
	} {
		r, err := New(t.Context(), Options{}, source("acme", "x.rego", "package main\n"+body))
		if err != nil {
			t.Fatal(err)
		}
		fs, err := r.Evaluate(t.Context(), []byte(`{"version": 1}`))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, error %v, want one with %q", body, fs, err, want)
		}
	}
}

// The pack's own files are never read as conftest's.
func TestConftestBesideThePack(t *testing.T) {
	r, err := New(t.Context(), Options{}, engine.EmbeddedPack(), source("acme", "x.rego", "package main\nwarn contains \"x\" if data.ocjail.lib.paths.under(\"/a/b\", \"/a\")"))
	if err != nil {
		t.Fatal(err)
	}
	fs, err := r.Evaluate(t.Context(), golden(t))
	if err != nil || finding.Count(fs, finding.Warning) != 1 {
		t.Errorf("%+v, %v", fs, err)
	}
}
