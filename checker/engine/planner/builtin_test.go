package planner_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/types"
	"pgregory.net/rapid"

	"github.com/refnil/opencode-jail-devenv/checker/engine/plan"
	"github.com/refnil/opencode-jail-devenv/checker/engine/planner"
)

// operators are written otherwise than as a call.
var operators = map[string]string{
	"internal.member_2": "x = (%s in %s)", "internal.member_3": "x = (%s, %s in %s)",
}

// call is one built-in on input[0], input[1], …, ready for both evaluators.
type call struct {
	text    string
	program *plan.Program
	query   ast.Body
	opa     *ast.Compiler
}

// newCall has the arguments whose bits are set in sets made sets.
func newCall(t *testing.T, name string, arity, sets int) call {
	t.Helper()
	args := make([]any, arity)
	for i := range args {
		if args[i] = fmt.Sprintf("input[%d]", i); sets>>i&1 == 1 {
			args[i] = fmt.Sprintf("{e | some e in input[%d]}", i)
		}
	}
	format := operators[name]
	if format == "" {
		format = "x = " + name + "(" + strings.Repeat("%s, ", arity-1) + "%s)"
	}
	c := call{text: fmt.Sprintf(format, args...), opa: ast.NewCompiler().WithDefaultRegoVersion(ast.RegoV1)}
	c.opa.Compile(map[string]*ast.Module{})
	body, err := ast.ParseBodyWithOpts(c.text, ast.ParserOptions{RegoVersion: ast.RegoV1})
	if err != nil {
		t.Fatal(err)
	}
	if c.query, err = c.opa.QueryCompiler().Compile(body); err != nil {
		c.query = nil // an operand of a type that the compiler refuses
		return c
	}
	policy, err := planner.Intermediate(t.Context(), c.text, c.opa)
	if err != nil {
		t.Fatal(err)
	}
	if c.program, err = planner.Lower(policy); err != nil {
		t.Fatal(err)
	}
	c.program.Data, c.program.Meta = plan.NewArray(), plan.Null{}
	if c.program, err = plan.Load(c.program.Encode()); err != nil {
		t.Fatal(err)
	}
	return c
}

// differ runs both evaluators on an input and tells how they differ, and whether
// there was a result to compare.
func (c call) differ(ctx context.Context, input []any) (diff string, compared bool) {
	doc, err := json.Marshal(input)
	if err != nil {
		return err.Error(), false
	}
	in, err := plan.ParseJSON(doc)
	if err != nil {
		return err.Error(), false
	}
	var got, want []string
	results, _, err := c.program.Run(ctx, in)
	if errors.Is(err, plan.ErrUnsupported) {
		return "", false
	}
	for _, r := range results {
		got = append(got, plan.Text(plan.Get(r, plan.String("x"))))
	}
	terms, opaErr := topdown.NewQuery(c.query).WithCompiler(c.opa).WithInput(ast.NewTerm(ast.MustInterfaceToValue(input))).WithStrictBuiltinErrors(true).Run(ctx)
	for _, r := range terms {
		want = append(want, r[ast.Var("x")].String())
	}
	if (err == nil) != (opaErr == nil) || err == nil && !slices.Equal(want, got) {
		return fmt.Sprintf("%s on %s: OPA %q (%v), the plan %q (%v)", c.text, doc, want, opaErr, got, err), false
	}
	return "", len(got) > 0
}

// words are the strings that come up most.
var words = []string{"", "a", "b", "ab", "/a/b", "/a/*", "a*", "**", "[a-", "{a,b}", "é", "%d", "%v %s", "1", "-1", "x.y", ".", "/", "\x00", "A", " a ", "0", "a?"}

// operand generates what an argument of the declared type may be.
func operand(declared types.Type) *rapid.Generator[any] {
	inner := document(1)
	switch declared := declared.(type) {
	case types.String:
		return rapid.OneOf(rapid.Map(rapid.SampledFrom(words), toAny), rapid.Map(rapid.String(), toAny))
	case types.Number:
		return rapid.OneOf(rapid.Map(rapid.IntRange(-3, 20), toAny), rapid.Map(rapid.SampledFrom([]int{2, 8, 10, 16}), toAny), rapid.Map(rapid.Int64(), toAny))
	case *types.Array, *types.Set:
		return rapid.OneOf(rapid.Map(rapid.SliceOfN(inner, 0, 5), toAny), rapid.Map(rapid.SliceOfN(rapid.Map(rapid.SampledFrom(words), toAny), 0, 5), toAny),
			rapid.Map(rapid.SliceOfN(rapid.Map(rapid.IntRange(-3, 20), toAny), 0, 5), toAny))
	case *types.Object:
		return rapid.Map(rapid.MapOfN(rapid.SampledFrom(words), inner, 0, 5), toAny)
	case types.Any: // one of several types, or any at all
		var each []*rapid.Generator[any]
		for _, t := range declared {
			each = append(each, operand(t))
		}
		if len(each) > 0 {
			return rapid.OneOf(each...)
		}
	}
	return document(2)
}

// document generates small JSON values that tend to be equal, or alike.
func document(depth int) *rapid.Generator[any] {
	scalars := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Map(rapid.Bool(), toAny), rapid.Map(rapid.IntRange(-3, 20), toAny),
		rapid.Map(rapid.SampledFrom(words), toAny), rapid.Map(rapid.String(), toAny),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	inner := document(depth - 1)
	return rapid.OneOf(append(scalars,
		rapid.Map(rapid.SliceOfN(inner, 0, 4), toAny),
		rapid.Map(rapid.SliceOfN(rapid.SampledFrom(words), 0, 4), func(s []string) any {
			list := make([]any, len(s))
			for i, w := range s {
				list[i] = w
			}
			return list
		}),
		rapid.Map(rapid.MapOfN(rapid.SampledFrom(words), inner, 0, 4), toAny),
	)...)
}

func toAny[T any](v T) any { return v }

// Every built-in gives what OPA's gives, for arguments of any type.
func TestBuiltinsAsOPAs(t *testing.T) {
	names, arity := plan.Builtins()
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			n := arity[name]
			var calls []call
			for sets := range 1 << n {
				if c := newCall(t, name, n, sets); c.query != nil {
					calls = append(calls, c)
				}
			}
			if len(calls) == 0 {
				t.Fatal("no call of it compiles")
			}
			declared := ast.BuiltinMap[name].Decl.FuncArgs().Args
			compared := 0
			rapid.Check(t, func(r *rapid.T) {
				c := rapid.SampledFrom(calls).Draw(r, "call")
				input := make([]any, n)
				for i := range input {
					from := operand(declared[i])
					if rapid.IntRange(0, 9).Draw(r, "any type") == 0 {
						from = document(2)
					}
					input[i] = from.Draw(r, fmt.Sprint("argument ", i))
				}
				diff, ok := c.differ(t.Context(), input)
				if diff != "" {
					r.Fatal(diff)
				}
				if ok {
					compared++
				}
			})
			if compared < 5 {
				t.Errorf("only %d calls had a result", compared)
			}
		})
	}
}
