package planner_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"pgregory.net/rapid"

	"github.com/refnil/opencode-jail-devenv/checker/engine/opa"
	"github.com/refnil/opencode-jail-devenv/checker/engine/plan"
)

// notation writes a JSON value as a module of OPA's writes its own: some lists are
// sets there, some keys no strings, and some numbers not whole.
func notation(r *rapid.T, v any) string {
	odd := func(what string) bool { return rapid.IntRange(0, 9).Draw(r, what) == 0 }
	switch v := v.(type) {
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = notation(r, v[i])
		}
		switch {
		case rapid.Bool().Draw(r, "list"):
			return "[" + strings.Join(parts, ", ") + "]"
		case len(v) == 0:
			return "set()"
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case map[string]any:
		var parts []string
		for k, inner := range v {
			key := notation(r, k)
			if odd("key") {
				key = fmt.Sprintf("[%s, {%d}]", key, len(key))
			}
			parts = append(parts, key+": "+notation(r, inner))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case int, int64:
		if odd("fraction") {
			return fmt.Sprintf("%d.5", v)
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		r.Fatal(err)
	}
	return string(text)
}

// A module is answered the same without OPA and by it, or told that it needs it: by a
// value, by undefined, and never by an error of another's than OPA.
func TestFunctionsAsOPAs(t *testing.T) {
	names, arity := plan.Builtins()
	for _, name := range names {
		here, err := plan.Function(name)
		if err != nil {
			t.Fatal(err)
		}
		there, err := opa.Function(name)
		if err != nil {
			t.Fatal(err)
		}
		declared := ast.BuiltinMap[name].Decl.FuncArgs().Args
		compared := 0
		rapid.Check(t, func(r *rapid.T) {
			operands := make([][]byte, arity[name])
			for i := range operands {
				from := operand(declared[i])
				if rapid.IntRange(0, 9).Draw(r, "any type") == 0 {
					from = document(2)
				}
				operands[i] = []byte(notation(r, from.Draw(r, fmt.Sprint("argument ", i))))
			}
			got, err := here(t.Context(), operands)
			if errors.Is(err, plan.ErrUnsupported) {
				return
			}
			want, opaErr := there(t.Context(), operands)
			if err != nil || opaErr != nil || !same(t, want, got) {
				r.Fatalf("%s(%s): OPA %s (%v), here %s (%v)", name, operands, want, opaErr, got, err)
			}
			compared++
		})
		if compared < 5 {
			t.Errorf("%s: only %d calls had a result", name, compared)
		}
	}
}

// Where a count by one more would come round and never end.
func TestLastNumbers(t *testing.T) {
	here, err := plan.Function("numbers.range")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]string{
		{"9223372036854775806", "9223372036854775807", "[9223372036854775806,9223372036854775807]"},
		{"9223372036854775807", "9223372036854775807", "[9223372036854775807]"},
		{"-9223372036854775807", "-9223372036854775808", "[-9223372036854775807,-9223372036854775808]"},
	} {
		got, err := here(t.Context(), [][]byte{[]byte(c[0]), []byte(c[1])})
		if err != nil || string(got) != c[2] {
			t.Errorf("%s to %s: %s, %v", c[0], c[1], got, err)
		}
	}
}

// same compares what a module reads of two answers.
func same(t *testing.T, a, b []byte) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	var terms [2]*ast.Term
	for i, text := range [][]byte{a, b} {
		var err error
		if terms[i], err = ast.ParseTerm(strings.ReplaceAll(string(text), "\ufeff", `\ufeff`)); err != nil {
			t.Fatal(err)
		}
	}
	return terms[0].Equal(terms[1]) && terms[0].String() == terms[1].String()
}

// What no module of OPA's writes as an operand is nothing to guess at.
func TestOddOperands(t *testing.T) {
	f, err := plan.Function("sprintf")
	if err != nil {
		t.Fatal(err)
	}
	for _, operands := range [][]string{
		{}, {`"%v"`}, {`"%v"`, `[1]`, `[1]`}, {`"%v"`, ``}, {`"%v"`, `[1] [2]`}, {`"%v"`, `[1`}, {`"%v"`, `[{1, 2: 3}]`}, {`"%v"`, `[{1: 2, 3}]`},
		{`"%v"`, `[{"a": 1, "a": 2}]`}, {`"%v"`, `[1.0]`}, {`"%v"`, `[1e2]`}, {`"%v"`, `[-0]`}, {`"%v"`, `[set(]`}, {`"%v"`, "[\"\xff\"]"}, {`"%v"`, `[{,}]`},
		{`"%v"`, "[`raw`]"}, {`"%v"`, `[input.x]`}, {`"%v"`, strings.Repeat("[", 1000)}, {`"%v"`, strings.Repeat("{", 1<<20)}, {`7`, `[]`},
	} {
		var texts [][]byte
		for _, o := range operands {
			texts = append(texts, []byte(o))
		}
		if got, err := f(t.Context(), texts); !errors.Is(err, plan.ErrUnsupported) {
			t.Errorf("sprintf(%.80q) = %s, %v", operands, got, err)
		}
	}
	for _, name := range []string{"", "time.now_ns", "http.send", "regex.replace", "no.such"} {
		if _, err := plan.Function(name); !errors.Is(err, plan.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
