package wasm

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/compile"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/opa"
	"github.com/refnil/opencode-jail-devenv/checker/engine/wasm/wasmtest"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

const (
	fuzzedInput = `{"version":1,"phase":"launch","jail":{"namespaces":{"net":"shared"},"mounts":[{"op":"bind","dest":"/tmp"}]}}`
	// fuzzLimit cuts off what runs on: short, for mutants do so often. The fuzzer
	// gives up on an input after ten seconds.
	fuzzLimit = time.Second / 2
)

// findingSeeds find something in fuzzedInput.
func findingSeeds(t testing.TB) map[string][]byte {
	t.Helper()
	policy := opaSeed(t)
	described, err := Describe(policy, About{Rules: map[string]engine.Rule{"acme/no_network/deny": {ID: "acme/no-network", Title: "T", Severity: finding.Warning}}, Reads: []string{"jail"}})
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"OPA": policy, "described": described, "C": cSeed(t),
		"conftest": wasmtest.Program{Start: wasmtest.Print(`["found", {"msg": "as conftest"}]`)}.Encode(),
		"own":      wasmtest.Program{Start: wasmtest.Print(`[{"message": "m", "subject": {"kind": "path", "path": "/tmp"}, "severity": "info"}]`)}.Encode(),
	}
}

// illNatured find nothing, or come to no end.
func illNatured() [][]byte {
	all := [][]byte{nil, []byte("\x00asm\x01\x00\x00\x00"), []byte("\x00asm\x0d\x00\x01\x00"), []byte("package main")}
	for _, p := range []wasmtest.Program{
		{}, {Start: wasmtest.Print("[]")}, {Start: wasmtest.Exit(3)}, {Start: wasmtest.Unreachable}, {Start: wasmtest.Loop},
		{Start: wasmtest.Recurse}, {Begin: wasmtest.Loop}, {Start: wasmtest.Forever(wasmtest.Grow(100))}, {Import: "path_destroy"},
		{Import: "env.system"}, {Start: wasmtest.Forever(wasmtest.Print("xxxx"))}, {Pages: 5000},
	} {
		all = append(all, p.Encode())
	}
	return all
}

// opaSeed is a rule that OPA compiled.
func opaSeed(t testing.TB) []byte {
	t.Helper()
	text := "package acme.no_network\ndeny contains sprintf(\"%s is shared\", [n]) if some n, \"shared\" in input.jail.namespaces"
	m, err := ast.ParseModuleWithOpts("rule.rego", text, ast.ParserOptions{RegoVersion: ast.RegoV1})
	if err != nil {
		t.Fatal(err)
	}
	b := &bundle.Bundle{Data: map[string]any{}, Modules: []bundle.ModuleFile{{URL: "rule.rego", Path: "rule.rego", Raw: []byte(text), Parsed: m}}}
	b.Manifest.Init()
	compiler := compile.New().WithTarget(compile.TargetWasm).WithBundle(b).WithEntrypoints("acme/no_network/deny").WithRegoVersion(ast.RegoV1)
	if err := compiler.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
	return compiler.Bundle().WasmModules[0].Raw
}

// cSeed is the guest in C, the smallest that a compiler made.
func cSeed(t testing.TB) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "guest.wasm")
	c := exec.Command("clang", "--target=wasm32-wasi", "-O2", "-s", "../../../tests/wasm/guests/c/no-network.c", "-o", file)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: run tests/install/install.sh tests\n%s", err, out)
	}
	code, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// judge opens a module and has it judge twice.
func judge(ctx context.Context, t *testing.T, code []byte) ([]finding.Finding, error) {
	e, err := Open(ctx, Options{Functions: opa.Function, interruptible: true}, Module{Name: "rule.wasm", ID: "acme/rule", Code: code})
	if err != nil {
		return nil, err
	}
	defer e.Close(context.Background())
	first, err := e.Evaluate(ctx, []byte(fuzzedInput))
	if err != nil {
		return nil, err
	}
	second, err := e.Evaluate(ctx, []byte(fuzzedInput))
	if err == nil && !reflect.DeepEqual(first, second) {
		t.Errorf("judged one input twice:\n%+v\n%+v", first, second)
	}
	checkFindings(t, e.Rules(), first)
	return first, nil
}

// checkFindings fails for what a report could not show.
func checkFindings(t *testing.T, rules []engine.Rule, found []finding.Finding) {
	t.Helper()
	severity := map[string]finding.Severity{}
	for _, r := range rules {
		severity[r.ID] = r.Severity
	}
	for _, f := range found {
		of, ok := severity[f.Rule]
		if s, err := finding.ParseSeverity(string(f.Severity)); err != nil || !ok || s.Rank() > of.Rank() {
			t.Errorf("finding of rule %q with severity %q: %v", f.Rule, f.Severity, err)
		}
		if f.Message == "" || f.Subject.Kind == "" || !utf8.ValidString(fmt.Sprint(f)) {
			t.Errorf("finding %+q", f)
		}
		if _, err := json.Marshal(f); err != nil {
			t.Errorf("finding %+v: %v", f, err)
		}
	}
}

// The modules that fuzzing begins with reach the end of the way.
func TestSeedsFind(t *testing.T) {
	for name, code := range findingSeeds(t) {
		if found, err := judge(t.Context(), t, code); err != nil || len(found) == 0 {
			t.Errorf("%s: %+v, error %v", name, found, err)
		}
	}
}

// Whatever the bytes are, they end as findings or as an error that names the
// module, and this process lives. One that is cut off is no failure.
func FuzzModule(f *testing.F) {
	for _, code := range findingSeeds(f) {
		f.Add(code)
		f.Add(code[:len(code)/2])
	}
	for _, code := range illNatured() {
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		ctx, stop := context.WithTimeout(t.Context(), fuzzLimit)
		defer stop()
		if _, err := judge(ctx, t, code); err != nil && !strings.HasPrefix(err.Error(), "rule.wasm: ") {
			t.Errorf("error without the module's name: %v", err)
		}
	})
}

// Whatever a module answers is findings that a report can show, or an error.
func FuzzFindings(f *testing.F) {
	for _, answer := range []string{
		"", "[]", "null", "{}", "[null]", "[1]", `[""]`, `["found"]`, "[\"\xff\"]", `["\ud800"]`, "[] []", "[]\x00", `["a\u0000b"]`,
		`[{"msg": "m"}]`, `[{"msg": 1}]`, `[{"msg": ""}]`, `[{"MSG": "m", "x": {"y": [1e400]}}]`,
		`[{"message": "m", "subject": {"kind": "path", "path": "/tmp"}}]`, `[{"message": "m", "subject": {"kind": "x"}}]`,
		`[{"message": "m", "subject": {"kind": "mount", "index": 99999999999999999999}}]`,
		`[{"message": "m", "subject": {"kind": "net", "name": "n"}, "severity": "error", "remedy": {"text": "r", "options": ["--x"]}}]`,
		`[{"message": "m", "subject": {"kind": "config"}, "severity": "info", "remedy": "r", "remedy": {}}]`,
		strings.Repeat("[", 20000), strings.Repeat(`[{"msg":`, 6000), `[{"msg": "m", "more": ` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + "}]",
		`[{"message": "m", "subject": {"kind": "path"}, "remedy": ` + strings.Repeat(`{"text":`, 11000) + "1" + strings.Repeat("}", 11000) + "}]",
	} {
		f.Add([]byte(answer))
	}
	rule := engine.Rule{ID: "acme/rule", Title: "T", Severity: finding.Warning}
	f.Fuzz(func(t *testing.T, answer []byte) {
		found, err := findings(rule, answer)
		if err != nil {
			if len(found) > 0 {
				t.Errorf("findings beside the error %v: %+v", err, found)
			}
			return
		}
		checkFindings(t, []engine.Rule{rule}, found)
	})
}
