package planner_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/test/cases"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/refnil/opencode-jail-devenv/checker/engine/plan"
	"github.com/refnil/opencode-jail-devenv/checker/engine/planner"
)

// conformanceCases are OPA's own, of the version that go.mod names.
func conformanceCases(t *testing.T) []cases.TestCase {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/open-policy-agent/opa").Output()
	if err != nil {
		t.Fatal(err)
	}
	set, err := cases.Load(filepath.Join(strings.TrimSpace(string(dir)), "v1/test/cases/testdata/v1"))
	if err != nil {
		t.Fatal(err)
	}
	return set.Sorted().Cases
}

// peculiar are cases that can not be run alike.
var peculiar = map[string]string{
	"data/nested integer":   "OPA's store, unlike its values, takes the number 2 for the key \"2\"",
	"data/toplevel integer": "OPA's store, unlike its values, takes the number 2 for the key \"2\"",
	"time/time caching":     "test.sleep exists in OPA's own tests only",
}

// TestConformance runs OPA's cases in both evaluators. What the plan's refuses is
// counted; what it does not refuse must come out as OPA has it.
func TestConformance(t *testing.T) {
	refused, covered := map[string]int{}, &coverage{map[string]bool{}, map[plan.Op]bool{}}
	ran, all := 0, conformanceCases(t)
	for _, tc := range all {
		if peculiar[tc.Note] != "" {
			continue
		}
		diff, err := conform(t, tc, covered)
		switch {
		case errors.Is(err, plan.ErrUnsupported):
			refused[reason(err)]++
		case err != nil:
			t.Errorf("%s: %v", tc.Note, err)
		case diff != "":
			t.Errorf("%s: %s", tc.Note, diff)
		default:
			ran++
		}
	}
	for _, r := range slices.Sorted(maps.Keys(refused)) {
		t.Logf("%4d refused: %s", refused[r], r)
	}
	t.Logf("%d of %d cases run alike", ran, len(all))
	if ran < 1190 {
		t.Errorf("only %d cases were compared", ran)
	}
	covered.check(t)
}

// coverage is what of package plan the cases that it ran use.
type coverage struct {
	builtins map[string]bool
	ops      map[plan.Op]bool
}

func (c *coverage) add(p *plan.Program) {
	for _, name := range p.Builtins {
		c.builtins[name] = true
	}
	c.blocks(p.Main.Blocks)
	for i := range p.Funcs {
		c.blocks(p.Funcs[i].Blocks)
	}
}

func (c *coverage) blocks(bs [][]plan.Stmt) {
	for _, b := range bs {
		for _, s := range b {
			c.ops[s.Op] = true
			c.blocks(s.Blocks)
		}
	}
}

func (c *coverage) check(t *testing.T) {
	t.Helper()
	names, _ := plan.Builtins()
	for _, name := range names {
		if !c.builtins[name] {
			t.Errorf("no case calls %s", name)
		}
	}
	for op := range plan.Op(plan.Ops) {
		if !c.ops[op] {
			t.Errorf("no case has operation %d", op)
		}
	}
}

// reason is what a refusal is about: a built-in, a statement, numbers.
func reason(err error) string {
	text := err.Error()
	for _, word := range []string{"built-in ", "statement ", "number ", "result "} {
		if _, rest, ok := strings.Cut(text, word); ok {
			name, _, _ := strings.Cut(rest, ":")
			if word == "number " || word == "result " {
				name = ""
			}
			return word + name
		}
	}
	return text
}

// conform runs one case both ways and tells how the outcomes differ.
func conform(t *testing.T, tc cases.TestCase, covered *coverage) (diff string, err error) {
	capabilities := ast.CapabilitiesForThisVersion(ast.CapabilitiesExperimentalKeywords(tc.ExperimentalKeywords))
	modules := map[string]*ast.Module{}
	for i, text := range tc.Modules {
		name := fmt.Sprintf("test-%d.rego", i)
		if modules[name], err = ast.ParseModuleWithOpts(name, text, ast.ParserOptions{RegoVersion: ast.RegoV1, Capabilities: capabilities}); err != nil {
			return "", err
		}
	}
	compiler := ast.NewCompiler().WithCapabilities(capabilities).WithDefaultRegoVersion(ast.RegoV1)
	if compiler.Compile(modules); compiler.Failed() {
		return "", compiler.Errors
	}
	input, err := caseInput(tc)
	if err != nil {
		return "", err
	}
	data := map[string]any{}
	if tc.Data != nil {
		data = *tc.Data
	}
	got, err := runPlan(t, tc.Query, compiler, data, input, covered)
	if errors.Is(err, plan.ErrUnsupported) {
		return "", err
	}
	want, opaErr := runOPA(t, tc.Query, compiler, data, input)
	switch {
	case (err == nil) != (opaErr == nil):
		return fmt.Sprintf("OPA says %v (%v), the plan %v (%v)", want, opaErr, got, err), nil
	case err == nil && !slices.Equal(want, got):
		return fmt.Sprintf("OPA says %v, the plan %v", want, got), nil
	}
	return "", nil
}

func caseInput(tc cases.TestCase) (ast.Value, error) {
	switch {
	case tc.InputTerm != nil:
		term, err := ast.ParseTerm(*tc.InputTerm)
		if err != nil {
			return nil, err
		}
		return term.Value, nil
	case tc.Input != nil:
		return ast.InterfaceToValue(*tc.Input)
	}
	return nil, nil
}

func runPlan(t *testing.T, query string, compiler *ast.Compiler, data map[string]any, input ast.Value, covered *coverage) ([]string, error) {
	policy, err := planner.Intermediate(t.Context(), query, compiler)
	if err != nil {
		return nil, err
	}
	program, err := planner.Lower(policy)
	if err != nil {
		return nil, err
	}
	if program.Data, err = fromJSON(data); err != nil {
		return nil, err
	}
	program.Meta = plan.Null{}
	loaded, err := plan.Load(program.Encode())
	if err != nil {
		return nil, err
	}
	var in plan.Value
	if input != nil {
		plain, err := ast.JSON(input)
		if err != nil {
			return nil, err
		}
		if in, err = fromJSON(plain); err != nil {
			return nil, err
		}
		if plan.Text(in) != input.String() {
			return nil, fmt.Errorf("input that JSON can not hold: %w", plan.ErrUnsupported)
		}
	}
	covered.add(program)
	results, _, err := loaded.Run(t.Context(), in)
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(results))
	for i, r := range results {
		texts[i] = plan.Text(r)
	}
	return normal(texts), nil
}

func fromJSON(v any) (plan.Value, error) {
	doc, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return plan.ParseJSON(doc)
}

func runOPA(t *testing.T, text string, compiler *ast.Compiler, data map[string]any, input ast.Value) ([]string, error) {
	body, err := ast.ParseBodyWithOpts(text, ast.ParserOptions{RegoVersion: ast.RegoV1})
	if err != nil {
		return nil, err
	}
	query, err := compiler.QueryCompiler().Compile(body)
	if err != nil {
		return nil, err
	}
	store := inmem.NewFromObject(data)
	txn, err := store.NewTransaction(t.Context())
	if err != nil {
		return nil, err
	}
	defer store.Abort(t.Context(), txn)
	q := topdown.NewQuery(query).WithCompiler(compiler).WithStore(store).WithTransaction(txn).WithStrictBuiltinErrors(true)
	if input != nil {
		q = q.WithInput(ast.NewTerm(input))
	}
	results, err := q.Run(t.Context())
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, r := range results {
		o := ast.NewObject()
		for v, term := range r {
			if !v.IsWildcard() && !v.IsGenerated() {
				o.Insert(ast.StringTerm(string(v)), term)
			}
		}
		texts = append(texts, o.String())
	}
	return normal(texts), nil
}

// normal is a set of results: neither order nor repetition counts.
func normal(texts []string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
}
