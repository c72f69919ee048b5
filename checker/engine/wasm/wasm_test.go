package wasm_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/compile"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/opa"
	"github.com/refnil/opencode-jail-devenv/checker/engine/wasm"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// build compiles Rego to a module of OPA's.
func build(t testing.TB, rego string, entrypoints ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	files := fstest.MapFS{"rule.rego": {Data: []byte(rego)}}
	err := compile.New().WithTarget(compile.TargetWasm).WithEntrypoints(entrypoints...).WithFS(files).WithPaths(".").
		WithRegoVersion(ast.RegoV1).WithOutput(&out).Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	zipped, err := gzip.NewReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(zipped); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			t.Fatal("no module in the bundle")
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimPrefix(h.Name, "/") == bundle.WasmFile {
			code, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			return code
		}
	}
}

func open(t testing.TB, data string, modules ...wasm.Module) (*wasm.Engine, error) {
	t.Helper()
	e, err := wasm.Open(t.Context(), wasm.Options{Data: func() (wasm.Documents, error) { return wasm.Documents{JSON: []byte(data)}, nil }, Functions: opa.Function}, modules...)
	if err == nil {
		t.Cleanup(func() { e.Close(context.Background()) })
	}
	return e, err
}

const rule = `package acme.no_tmp

deny contains msg if {
	some m in input.jail.mounts
	startswith(m.dest, data.acme.prefix)
	msg := sprintf("%s (%d) is below %v", [m.dest, count(m.dest), data.acme.prefix])
}

warn contains {"msg": concat(", ", sort(names)), "more": 1} if {
	names := [upper(m.op) | some m in input.jail.mounts]
	count(names) > 1
}

violation contains {"msg": "set", "of": {1, 2}} if {
	glob.match("/t*", [], input.jail.mounts[0].dest)
}
`

const data = `{"acme": {"prefix": "/tmp"}}`

var input = []byte(`{"version": 1, "phase": "launch", "jail": {"mounts": [{"op": "bind", "dest": "/tmp"}, {"op": "tmpfs", "dest": "/tmp/ü\n"}, {"op": "bind", "dest": "/etc"}]}}`)

// What OPA compiled finds what OPA finds.
func TestFindsWhatRegoFinds(t *testing.T) {
	code := build(t, rule, "acme/no_tmp/deny", "acme/no_tmp/warn", "acme/no_tmp/violation")
	e, err := open(t, data, wasm.Module{Name: "rule.wasm", Code: code})
	if err != nil {
		t.Fatal(err)
	}
	o, err := opa.New(t.Context(), opa.Options{WithoutPack: true}, engine.EmbeddedPack(), engine.Source{Name: "acme", FS: fstest.MapFS{
		"rule.rego": {Data: []byte(rule)}, "data/acme.json": {Data: []byte(`{"prefix": "/tmp"}`)}}})
	if err != nil {
		t.Fatal(err)
	}
	want, err := o.Evaluate(t.Context(), input)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		want[i].Title = want[i].Rule // a module does not know it
	}
	for range 3 {
		got, err := e.Evaluate(t.Context(), input)
		if diff := cmp.Diff(want, got); err != nil || diff != "" || len(got) != 4 {
			t.Fatalf("rego (-), wasm (+), %v:\n%s", err, diff)
		}
	}
}

func TestOwnRules(t *testing.T) {
	code := build(t, `package ocjail.rules.acme.no_tmp
findings contains {"message": "m", "subject": {"kind": "path", "path": "/tmp"}, "severity": "info"}`, "ocjail/rules/acme/no_tmp/findings")
	e, err := open(t, "{}", wasm.Module{Name: "rule.wasm", Code: code})
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Evaluate(t.Context(), input)
	want := []finding.Finding{{Rule: "acme/no-tmp", Title: "acme/no-tmp", Severity: finding.Info, Message: "m", Subject: finding.Subject{Kind: "path", Path: "/tmp"}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

// A rule that can not say what it finds must not look like one that finds nothing.
func TestNoVerdict(t *testing.T) {
	for name, tc := range map[string]struct{ rego, entrypoint, want string }{
		"a host function fails": {`package a
deny contains x if x := regex.replace(input.phase, "(", "x")`, "a/deny", "regex.replace"},
		"undefined":      {"package a\ndeny := {\"x\"} if input.nothing", "a/deny", "rule a/deny: is undefined"},
		"no set":         {"package a\ndeny := 1", "a/deny", "is no JSON array of findings"},
		"no message":     {"package a\ndeny contains 1", "a/deny", "finding 1: "},
		"empty message":  {"package a\ndeny contains {\"msg\": \"\"}", "a/deny", `"msg" is no message`},
		"foreign keys":   {"package ocjail.rules.a.b\nfindings contains {\"message\": \"m\", \"subject\": {\"kind\": \"path\"}, \"x\": 1}", "ocjail/rules/a/b/findings", "unknown field"},
		"unknown kind":   {"package ocjail.rules.a.b\nfindings contains {\"message\": \"m\", \"subject\": {\"kind\": \"x\"}}", "ocjail/rules/a/b/findings", "unknown subject kind"},
		"many conflicts": {"package a\ndeny := {\"x\"} if input.version\ndeny := {\"y\"} if input.phase", "a/deny", "conflict"},
	} {
		e, err := open(t, "{}", wasm.Module{Name: "rule.wasm", Code: build(t, tc.rego, tc.entrypoint)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if fs, err := e.Evaluate(t.Context(), input); err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "rule.wasm") {
			t.Errorf("%s: %+v, error %v, want one with %q", name, fs, err, tc.want)
		}
		if _, err := e.Evaluate(t.Context(), []byte("{")); err == nil {
			t.Errorf("%s: broken input was judged", name)
		}
	}
}

// What OPA compiles into a module is undefined where it fails, and docs/wasm.md says so:
// should a version of OPA do otherwise, the page is to follow. What ocjail build makes of
// a rule fails: see TestBuiltFailsWhereRegoFails.
func TestOwnFunctionsOfAModuleFailQuietly(t *testing.T) {
	const rego = "package a\ndeny contains \"x\" if to_number(input.phase) > 1"
	e, err := open(t, "{}", wasm.Module{Name: "rule.wasm", Code: build(t, rego, "a/deny")})
	if err != nil {
		t.Fatal(err)
	}
	if found, err := e.Evaluate(t.Context(), input); err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
	o, err := opa.New(t.Context(), opa.Options{WithoutPack: true}, engine.EmbeddedPack(), engine.Source{Name: "a", FS: fstest.MapFS{"rule.rego": {Data: []byte(rego)}}})
	if err != nil {
		t.Fatal(err)
	}
	if found, err := o.Evaluate(t.Context(), input); err == nil {
		t.Errorf("as Rego: %v", found)
	}
}

func TestRefusesModules(t *testing.T) {
	good := build(t, rule, "acme/no_tmp/deny")
	patched := func(old, new string) []byte {
		if !bytes.Contains(good, []byte(old)) {
			t.Fatalf("no %q in the module", old)
		}
		return bytes.ReplaceAll(good, []byte(old), []byte(new))
	}
	for name, tc := range map[string]struct {
		code []byte
		want string
	}{
		"empty":                 {nil, "is no WASM module"},
		"text":                  {[]byte("package main"), "is no WASM module"},
		"truncated":             {good[:len(good)/2], "is no WASM module"},
		"no type":               {[]byte("\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x03\x03\x02\x00\x46\x0a\x09\x02\x04\x00\x10\x01\x0b\x02\x00\x0b"), "wazero can not read it: runtime error: index out of range"},
		"no exports":            {[]byte("\x00asm\x01\x00\x00\x00"), "exports neither"},
		"unknown host function": {patched("opa_builtin3", "opa_builtin9"), "imports env.opa_builtin9, which is no part"},
		"another host":          {patched("\x03env", "\x03env"[:1]+"foo"), "imports foo."},
		"too old":               {patched("opa_value_dump", "opa_value_damp"), "does not export opa_value_dump"},
		"no version":            {patched("opa_wasm_abi_version", "opa_wasm_abi_versoin"), "does not say which version of OPA's ABI"},
		"clock":                 {build(t, "package a\ndeny contains x if x := sprintf(\"%d\", [time.now_ns()])", "a/deny"), "calls time.now_ns: nothing that looks beyond the input"},
		"network":               {build(t, "package a\ndeny contains x if x := http.send({\"method\": \"get\", \"url\": \"http://127.0.0.1\"}).body", "a/deny"), "calls http.send"},
		"no rule":               {build(t, "package a\nallow := 1", "a/allow"), "entrypoint a/allow is no rule"},
	} {
		if _, err := open(t, "{}", wasm.Module{Name: "rule.wasm", Code: tc.code}); err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "rule.wasm: ") {
			t.Errorf("%s: error %.300v, want one with %q", name, err, tc.want)
		}
	}
	if _, err := open(t, "{}", wasm.Module{Name: "a.wasm", Code: good}, wasm.Module{Name: "b.wasm", Code: good}); err == nil || !strings.Contains(err.Error(), "defined by two") {
		t.Errorf("one rule twice: %v", err)
	}
	if _, err := open(t, "{}"); err == nil {
		t.Error("opened without a module")
	}
}
