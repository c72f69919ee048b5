package opa

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// source makes a source of files from path, text pairs.
func source(name string, files ...string) engine.Source {
	m := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		m[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return engine.Source{Name: name, FS: m}
}

const header = `# METADATA
# title: A rule
# custom:
#   severity: warning
#   remedy: mend it
package ocjail.rules.acme.some_rule
`

const finds = `findings contains {"message": "found", "subject": {"kind": "session"}}`

func rule(body string) engine.Source { return source("acme", "rule.rego", header+body) }

func TestNewRefuses(t *testing.T) {
	for _, tc := range []struct {
		name    string
		sources []engine.Source
		want    string // part of the error
	}{
		{"no source", nil, "no rule in any source"},
		{"empty source", []engine.Source{source("acme")}, "no rule and no list"},
		{"tests only", []engine.Source{source("acme", "x_test.rego", "package main\ndeny contains \"x\"")}, "no rule and no list"},
		{"helpers only", []engine.Source{source("acme", "x.rego", "package x\ny := 1")}, "no rule in any source, not in acme: x.rego:1 either: write deny"},
		{"empty file", []engine.Source{source("acme", "x.rego", "")}, "x.rego"},
		{"syntax", []engine.Source{rule("findings contains {")}, "acme: rule.rego:7"},
		{"old syntax", []engine.Source{source("acme", "x.rego", "package main\ndeny[msg] { msg := \"x\" }")}, "x.rego:2"},
		{"unsafe variable", []engine.Source{rule("findings contains x")}, "unsafe"},
		{"network", []engine.Source{rule(`findings contains http.send({"method": "get", "url": "http://127.0.0.1"})`)}, "undefined function http.send"},
		{"clock", []engine.Source{rule(`findings contains time.now_ns()`)}, "undefined function time.now_ns"},
		{"chance", []engine.Source{rule(`findings contains rand.intn("x", 2)`)}, "undefined function rand.intn"},
		{"environment", []engine.Source{rule(`findings contains opa.runtime()`)}, "undefined function opa.runtime"},
		{"name service", []engine.Source{rule(`findings contains net.lookup_ip_addr("localhost")`)}, "undefined function net.lookup_ip_addr"},
		{"no METADATA", []engine.Source{source("acme", "x.rego", "package ocjail.rules.acme.x\n"+finds)}, "x.rego:1: rule acme/x has no METADATA"},
		{"no severity", []engine.Source{source("acme", "x.rego", strings.Replace(header, "severity", "level", 1)+finds)}, `unknown severity ""`},
		{"unknown severity", []engine.Source{source("acme", "x.rego", strings.Replace(header, "warning", "fatal", 1)+finds)}, `unknown severity "fatal"`},
		{"example of a wrong kind", []engine.Source{source("acme", "x.rego", strings.Replace(header, "severity", "avoid: 1\n#   severity", 1)+finds)}, "METADATA custom.avoid: is"},
		{"example with a wrong key", []engine.Source{source("acme", "x.rego", strings.Replace(header, "severity", "prefer: {brwap: x}\n#   severity", 1)+finds)}, `METADATA custom.prefer: "brwap"`},
		{"no findings", []engine.Source{rule("other := 1")}, "rule acme/some-rule defines no findings"},
		{"short name", []engine.Source{source("acme", "x.rego", "package ocjail.rules.acme\n"+finds)}, "ocjail.rules.CATEGORY.NAME"},
		{"long name", []engine.Source{source("acme", "x.rego", "package ocjail.rules.acme.a.b\n"+finds)}, "ocjail.rules.CATEGORY.NAME"},
		{"package of ours", []engine.Source{engine.EmbeddedPack(), source("acme", "x.rego", "package ocjail.lib.paths\nunder(_, _) := true")}, "ocjail's own"},
		{"the results", []engine.Source{rule(finds), source("b", "x.rego", "package ocjail.results\nfound[9] := 1")}, "ocjail's own"},
		{"rule of ours", []engine.Source{engine.EmbeddedPack(), source("acme", "x.rego", strings.Replace(header, "acme.some_rule", "fs.root_exposed", 1)+finds)}, "rule fs/root-exposed is defined twice"},
		{"rule of another", []engine.Source{rule(finds), source("b", "x.rego", header+finds)}, "rule acme/some-rule is defined twice, in acme: rule.rego:6 and in b: x.rego:6"},
		{"conftest rule of another", []engine.Source{source("a", "x.rego", "package main\ndeny contains \"x\""), source("b", "x.rego", "package main\ndeny contains \"y\"")}, "rule main/deny is defined twice"},
		{"source twice", []engine.Source{source("a", "x.rego", "package x\ny := 1"), rule(finds), source("a", "x.rego", "package z\ny := 1")}, "loaded twice"},
		{"absent list", []engine.Source{rule(finds + " if data.acme.paths[_] == \"x\"")}, "acme: rule.rego:7: data.acme is not there"},
		{"list under the wrong root", []engine.Source{source("acme", "rule.rego", header+finds+" if data.acme.paths[_] == \"x\"", "acme/data/acme.json", `{"paths": ["x"]}`)}, "data.acme is not there"},
		{"empty list", []engine.Source{source("acme", "rule.rego", header+finds+" if data.acme.paths[_] == \"x\"", "data/acme.json", `{"paths": []}`)}, "data.acme.paths is empty"},
		{"broken list", []engine.Source{source("acme", "rule.rego", header+finds, "data/acme.json", `{"paths": [`)}, "acme: data/acme.json"},
		{"list redefined", []engine.Source{engine.EmbeddedPack(), source("acme", "data/ocjail/agent.json", `{"directories": "x"}`)}, "directories is defined already"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := New(t.Context(), Options{}, tc.sources...)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

func TestEvaluateRefuses(t *testing.T) {
	for _, tc := range []struct{ name, body, want string }{
		{"undefined", `findings := set() if input.phase == "never"`, "rule acme/some-rule: data.ocjail.rules.acme.some_rule.findings is undefined"},
		{"built-in error", `findings contains 1 / (input.version - 1)`, "divide by zero"},
		{"conflict", "findings := {input.version}\nfindings := {input.phase}", "conflict"},
		{"not a set", `findings := "found"`, "returned string"},
		{"not an object", `findings contains "found"`, "rule acme/some-rule: finding"},
		{"unknown field", `findings contains {"message": "x", "subject": {"kind": "session"}, "sevrity": "info"}`, `unknown field "sevrity"`},
		{"unknown field of the subject", `findings contains {"message": "x", "subject": {"kind": "session", "paths": "/"}}`, `unknown field "paths"`},
		{"no message", `findings contains {"subject": {"kind": "session"}}`, "message and subject are required"},
		{"no subject", `findings contains {"message": "x"}`, "message and subject are required"},
		{"unknown kind", `findings contains {"message": "x", "subject": {"kind": "sesion"}}`, `unknown subject kind "sesion"`},
		{"unknown severity", `findings contains {"message": "x", "subject": {"kind": "session"}, "severity": "none"}`, `unknown severity "none"`},
		{"raised severity", `findings contains {"message": "x", "subject": {"kind": "session"}, "severity": "error"}`, "above the rule's warning"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := New(t.Context(), Options{}, rule(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			fs, err := r.Evaluate(t.Context(), []byte(`{"version": 1, "phase": "launch"}`))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%+v, error %v, want one with %q", fs, err, tc.want)
			}
		})
	}
}

func TestEvaluateRefusesInput(t *testing.T) {
	r := newPack(t)
	for _, in := range []string{``, `{`, `null`, `[]`, `{}`, `{"version": 2}`, `{"version": "1"}`, `{"version": 1} {}`} {
		if fs, err := r.Evaluate(t.Context(), []byte(in)); err == nil {
			t.Errorf("%s: accepted: %+v", in, fs)
		}
	}
}

const endless = `findings contains {"message": "x", "subject": {"kind": "session"}} if {
	some a in numbers.range(1, 100000)
	some b in numbers.range(1, 100000)
	a * b == input.never
}`

func TestEvaluateStopsAtTheTimeLimit(t *testing.T) {
	r, err := New(t.Context(), Options{TimeLimit: 50 * time.Millisecond}, rule(endless))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	_, err = r.Evaluate(t.Context(), []byte(`{"version": 1, "never": -1}`))
	if err == nil || !strings.Contains(err.Error(), "time limit of 50ms") {
		t.Errorf("error %v", err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("stopped after %s", d)
	}
}

func TestEvaluateStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if fs, err := newPack(t).Evaluate(ctx, golden(t)); err == nil {
		t.Errorf("evaluated: %+v", fs)
	}
}

func TestNegativeTimeLimit(t *testing.T) {
	if _, err := New(t.Context(), Options{TimeLimit: -1}, engine.EmbeddedPack()); err == nil {
		t.Error("accepted")
	}
}

func TestLoweredSeverityAndDefaults(t *testing.T) {
	r, err := New(t.Context(), Options{}, rule(finds+"\n"+`findings contains {"message": "less", "subject": {"kind": "session"}, "severity": "info", "remedy": "otherwise"}`))
	if err != nil {
		t.Fatal(err)
	}
	fs, err := r.Evaluate(t.Context(), []byte(`{"version": 1}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(fs) != 2 || fs[0].Severity != finding.Warning || fs[0].Remedy != "mend it" || fs[1].Severity != finding.Info || fs[1].Remedy != "otherwise" {
		t.Errorf("%+v", fs)
	}
}

func TestListsOfThePackAreExtended(t *testing.T) {
	in := edit(t, func(doc map[string]any) {
		m := doc["jail"].(map[string]any)["mounts"].([]any)[4].(map[string]any)
		m["source_real"] = "/mnt/scratch/x"
	})
	for _, tc := range []struct {
		sources []engine.Source
		errors  int
	}{
		{[]engine.Source{engine.EmbeddedPack()}, 1},
		{[]engine.Source{engine.EmbeddedPack(), source("acme", "data/ocjail/tolerated.json", `{"writable": ["/mnt/scratch"]}`)}, 0},
	} {
		r, err := New(t.Context(), Options{}, tc.sources...)
		if err != nil {
			t.Fatal(err)
		}
		fs, err := r.Evaluate(t.Context(), in)
		if n := finding.Count(fs, finding.Error); err != nil || n != tc.errors {
			t.Errorf("%d errors (%v), want %d", n, err, tc.errors)
		}
	}
}
