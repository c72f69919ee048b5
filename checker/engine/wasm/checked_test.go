package wasm_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/opa"
	"github.com/refnil/opencode-jail-devenv/checker/engine/wasm"
)

// callable are the functions that rules may call.
func callable() []*ast.Builtin {
	return slices.DeleteFunc(slices.Clone(ast.Builtins), func(b *ast.Builtin) bool {
		return b.IsNondeterministic() || b.IsDeprecated() || b.Relation || b.Decl.Result() == nil || b.Decl.Arity() == 0 || strings.HasPrefix(b.Name, "internal.") || b.Name == "eq" || b.Name == "assign"
	})
}

// operands are lists of so many values, of all types. None is an empty text, of which
// OPA's modules take some for a value or never end, where Rego fails.
func operands(n int) [][]any {
	values := []any{nil, -1, 2.5, "(", []any{}, []any{1, "a"}, map[string]any{"a": 1}}
	var all [][]any
	for _, v := range values {
		for _, first := range []any{v, "a", []any{"a"}} {
			all = append(all, slices.Concat([]any{first}, slices.Repeat([]any{v}, n-1)))
		}
	}
	return all
}

// What ocjail build makes of a rule fails where the rule fails: OPA's own module is
// undefined there, and its rule finds nothing.
func TestBuiltFailsWhereRegoFails(t *testing.T) {
	var text strings.Builder
	text.WriteString("package all\n")
	for i, b := range callable() {
		args := make([]string, b.Decl.Arity())
		for n := range args {
			args[n] = fmt.Sprintf("input.args[%d]", n)
		}
		fmt.Fprintf(&text, "deny contains \"x\" if { input.call == %d; z := %s(%s); z != data.nothing.at_all }\n", i, b.Name, strings.Join(args, ", "))
	}
	source := engine.Source{Name: "all", FS: fstest.MapFS{"rule.rego": {Data: []byte(text.String())}, "data/nothing.json": {Data: []byte(`{"at_all": "nothing at all"}`)}}}
	o, err := opa.New(t.Context(), opa.Options{WithoutPack: true}, engine.EmbeddedPack(), source)
	if err != nil {
		t.Fatal(err)
	}
	built, err := opa.Build(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	e, err := open(t, `{"nothing": {"at_all": "nothing at all"}}`, wasm.Module{Name: "rule.wasm", Code: built.Code})
	if err != nil {
		t.Fatal(err)
	}
	failed, calls := 0, 0
	for i, b := range callable() {
		for _, args := range operands(b.Decl.Arity()) {
			doc, err := json.Marshal(map[string]any{"version": 1, "call": i, "args": args})
			if err != nil {
				t.Fatal(err)
			}
			want, wantErr := o.Evaluate(t.Context(), doc)
			got, gotErr := e.Evaluate(t.Context(), doc)
			if calls++; wantErr != nil {
				failed++
			}
			if (wantErr != nil) != (gotErr != nil) || len(want) != len(got) {
				t.Errorf("%s(%v): Rego finds %d, %v; the module %d, %v", b.Name, args, len(want), wantErr, len(got), gotErr)
			}
		}
	}
	if t.Logf("%d of %d calls fail", failed, calls); failed < calls/4 {
		t.Errorf("only %d of %d calls fail, so this proves little", failed, calls)
	}
}

// Calls in all places where one may stand come to what they come to in Rego, and those of
// a rule that has a function's name stay the rule's.
func TestBuiltCallsEverywhere(t *testing.T) {
	files := fstest.MapFS{"rule.rego": {Data: []byte(`package everywhere
import data.other.lower
import data.other as net

upper(x) := "mine" if x == "x"

n := count([1, 2])

f(x) := y if {
	count(x, y)
} else := "none"

default length(_) := 7

length(x) := count(x)

deny contains upper("x")
deny contains lower("X")
deny contains net.cidr_contains("a")
deny contains sprintf("%d %v %v", [n, f([1]), f([])]) if not startswith("a", "b")
deny contains concat(",", [trim(x, " ") | some x in [" a ", "b "]])
deny contains "every" if every x in ["aa", "ab"] { startswith(x, "a") }
deny contains "with" if count(input.list) == 3 with input.list as [1, 2, 3]
deny contains "mocked" if counted(["a"]) == 77 with count as mock
deny contains "operators" if { (1 + 2) * 3 - 4 / 2 == 7; {1} | {2} == {1, 2}; {1} & {2} == set() }
deny contains "object" if {format_int(3, 10): abs(-1)} == {"3": 1}
deny contains sprintf("%d", [length("abc")])
deny contains "max" if not max([])

counted(x) := count(x)
mock(_) := 77
`)}, "other.rego": {Data: []byte("package other\nlower(_) := \"other's\"\ncidr_contains(_) := \"not of a net\"\n")}}
	source := engine.Source{Name: "everywhere", FS: files}
	o, err := opa.New(t.Context(), opa.Options{WithoutPack: true}, engine.EmbeddedPack(), source)
	if err != nil {
		t.Fatal(err)
	}
	built, err := opa.Build(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	e, err := open(t, "{}", wasm.Module{Name: "rule.wasm", Code: built.Code})
	if err != nil {
		t.Fatal(err)
	}
	var found [2][]string
	for i, judge := range []engine.Engine{o, e} {
		all, err := judge.Evaluate(t.Context(), []byte(`{"version": 1}`))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range all {
			found[i] = append(found[i], f.Message)
		}
		slices.Sort(found[i])
	}
	if !slices.Equal(found[0], found[1]) || len(found[0]) != 12 {
		t.Errorf("Rego %q\nmodule %q", found[0], found[1])
	}
}
