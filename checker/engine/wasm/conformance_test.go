package wasm

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/compile"
	"github.com/open-policy-agent/opa/v1/test/cases"

	"github.com/refnil/opencode-jail-devenv/checker/engine/opa"
	"github.com/refnil/opencode-jail-devenv/checker/engine/plan"
)

// uncalled are the deterministic functions that none of OPA's cases calls in a way
// that can be run here, with the reason.
var uncalled = map[string]string{
	"crypto.x509.parse_and_verify_certificates_with_options": "no case without a clock",
	"print":              "compiled out",
	"internal.print":     "compiled out",
	"internal.test_case": "of OPA's tester",
}

// own are cases for functions that none of OPA's has.
var own = []cases.TestCase{
	ownCase("time.format", `x := time.format([1600000000000000000, "Europe/Zurich", "RFC1123"])`, "Sun, 13 Sep 2020 14:26:40 CEST"),
	ownCase("time.diff", `x := time.diff(1600000000000000000, 1500000000000000000)`, []any{3., 1., 30., 9., 46., 40.}),
	ownCase("graph.reachable", `x := graph.reachable({"a": ["b"], "b": ["a"], "c": []}, ["a"])`, []any{"a", "b"}),
	ownCase("internal.template_string", "x := $\"a{1 + 1}\"", "a2"),
	ownCase("trace", `x := trace("note")`, true),
}

func ownCase(function, body string, want any) cases.TestCase {
	return cases.TestCase{Note: function, Query: "data.own.p = x", Modules: []string{"package own\np := x if { " + body + " }"}, WantResult: &[]map[string]any{{"x": want}}}
}

// simple is the kind of query that an entrypoint can stand for.
var simple = regexp.MustCompile(`^data((?:\.[a-z0-9_]+)+) = x$`)

// Every function of OPA's that rules may call gives in a module what OPA's own
// cases want of it: one case a function.
func TestBuiltins(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/open-policy-agent/opa").Output()
	if err != nil {
		t.Fatal(err)
	}
	all := cases.MustLoad(filepath.Join(strings.TrimSpace(string(dir)), "v1/test/cases/testdata/v1")).Sorted().Cases
	all = append(all, own...)
	if len(all) < 1000 {
		t.Fatalf("only %d cases", len(all))
	}
	ran := map[string]bool{}
	called := 0
	for _, b := range ast.Builtins {
		if b.IsNondeterministic() || b.IsDeprecated() || b.Relation || b.Infix != "" {
			continue
		}
		n := 0
		for _, c := range all {
			if n == 0 && calls(c, b.Name) && (ran[c.Note] || runCase(t, c)) {
				ran[c.Note] = true
				n++
			}
		}
		if n > 0 {
			called++
		}
		if reason := uncalled[b.Name]; (n == 0) != (reason != "") {
			t.Errorf("%s is called in %d cases; what uncalled says: %q", b.Name, n, reason)
		}
	}
	t.Logf("%d functions called, in %d cases, of which %d need no OPA", called, len(ran), answeredByPlan)
	if answeredByPlan < len(ran)/4 {
		t.Errorf("only %d of %d cases were compared with what is judged without OPA", answeredByPlan, len(ran))
	}
}

// calls tells whether a case is of the kind that can be run here and calls a function.
func calls(c cases.TestCase, function string) bool {
	if !simple.MatchString(c.Query) || c.WantResult == nil || len(*c.WantResult) != 1 || c.WantError != nil || c.InputTerm != nil || len(c.Env) > 0 {
		return false
	}
	return strings.Contains(strings.Join(c.Modules, "\n"), function+"(") || c.Note == function
}

// runCase is false where the case is none for a module: OPA can't compile it.
func runCase(t *testing.T, c cases.TestCase) bool {
	entrypoint := strings.ReplaceAll(simple.FindStringSubmatch(c.Query)[1][1:], ".", "/")
	b := &bundle.Bundle{Data: map[string]any{}}
	b.Manifest.Init()
	for _, text := range c.Modules {
		m, err := ast.ParseModuleWithOpts(c.Note, text, ast.ParserOptions{RegoVersion: ast.RegoV1})
		if err != nil {
			return false
		}
		b.Modules = append(b.Modules, bundle.ModuleFile{URL: c.Note, Path: c.Note, Raw: []byte(text), Parsed: m})
	}
	compiler := compile.New().WithTarget(compile.TargetWasm).WithBundle(b).WithEntrypoints(entrypoint).WithRegoVersion(ast.RegoV1)
	if err := compiler.Build(t.Context()); err != nil {
		return false
	}
	data, input := []byte("{}"), []byte("null")
	var err error
	if c.Data != nil {
		if data, err = json.Marshal(*c.Data); err != nil {
			t.Fatal(err)
		}
	}
	if c.Input != nil {
		if input, err = json.Marshal(*c.Input); err != nil {
			t.Fatal(err)
		}
	}
	code := compiler.Bundle().WasmModules[0].Raw
	got, err := answer(t, opa.Function, code, data, input)
	compareWithPlan(t, c.Note, code, data, input, got, err)
	if err != nil && (strings.Contains(err.Error(), "eval_builtin_error") || strings.Contains(err.Error(), "eval_type_error")) {
		return false // it wants an error to pass for undefined, which is a refusal here
	}
	if err != nil {
		t.Errorf("%s: %v", c.Note, err)
		return true
	}
	want, err := json.Marshal((*c.WantResult)[0]["x"])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sorted(decoded(t, want)), sorted(decoded(t, got))); diff != "" {
		t.Errorf("%s: OPA (-), module (+):\n%s", c.Note, diff)
	}
	return true
}

// answeredByPlan is how many cases needed no OPA.
var answeredByPlan int

// compareWithPlan has a case judged without OPA, to the same end or to none.
func compareWithPlan(t *testing.T, note string, code, data, input, want []byte, failed error) {
	t.Helper()
	got, err := answer(t, plan.Function, code, data, input)
	switch {
	case errors.Is(err, plan.ErrUnsupported):
		return
	case (err != nil) != (failed != nil):
		t.Errorf("%s: with OPA %v, without %v", note, failed, err)
	case err == nil:
		answeredByPlan++
		if diff := cmp.Diff(sorted(decoded(t, want)), sorted(decoded(t, got))); diff != "" {
			t.Errorf("%s: with OPA (-), without (+):\n%s", note, diff)
		}
	}
}

// sorted takes arrays for sets: a module writes a set in any order.
func sorted(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = sorted(v[i])
		}
		slices.SortFunc(v, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	case map[string]any:
		for k := range v {
			v[k] = sorted(v[k])
		}
	}
	return v
}

func decoded(t *testing.T, doc []byte) any {
	var v any
	if err := json.Unmarshal(doc, &v); err != nil {
		t.Fatalf("%v: %s", err, doc)
	}
	return v
}

// answer evaluates the one entrypoint of a module.
func answer(t *testing.T, functions func(string) (Function, error), code, data, input []byte) ([]byte, error) {
	ctx := t.Context()
	e, o, err := openAny(t, functions, code, data)
	if err != nil {
		return nil, err
	}
	defer e.Close(ctx)
	var result []byte
	err = o.within(ctx, func(i *instance) error {
		at, err := i.parse("opa_json_parse", data)
		if err != nil {
			return err
		}
		heap, err := i.call("opa_heap_ptr_get")
		if err != nil {
			return err
		}
		doc, err := i.eval(0, at, heap, input)
		if err != nil {
			return err
		}
		var results []struct{ Result json.RawMessage }
		if err := json.Unmarshal(doc, &results); err != nil || len(results) != 1 {
			t.Errorf("answer %s: %v", doc, err)
			return nil
		}
		result = results[0].Result
		return nil
	})
	return result, err
}

// openAny is Open for a module whose entrypoint is no rule.
func openAny(t *testing.T, functions func(string) (Function, error), code, data []byte) (*Engine, *opaModule, error) {
	e := newEngine(t.Context(), Options{Functions: functions})
	c, err := e.runtime.CompileModule(t.Context(), code)
	if err != nil {
		return nil, nil, err
	}
	o := &opaModule{runtime: e.runtime, module: Module{Name: "case"}, code: c, data: data}
	if err := o.prepare(t.Context(), e); err != nil {
		return nil, nil, err
	}
	return e, o, nil
}
