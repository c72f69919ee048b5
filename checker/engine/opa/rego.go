// Package opa evaluates rules with OPA, from source. It takes any Rego, and loads in
// milliseconds what package plan loads in a fraction of one; it is what judges
// rules from elsewhere than the pack, and what plan is compared with.
package opa

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/util"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Options tune an engine; the zero value is good.
type Options struct {
	// TimeLimit of one evaluation; engine.DefaultTimeLimit when zero.
	TimeLimit time.Duration
	// WithoutPack leaves the verdict on the pack's rules to somebody else; their
	// library stays, and their names stay taken.
	WithoutPack bool
}

// Rego evaluates rules with OPA. Package topdown is used rather than package
// rego, which links a second compiler and a WASM runtime.
type Rego struct {
	entries  []entry
	compiler *ast.Compiler
	lists    map[string]any
	store    storage.Store
	limit    time.Duration
}

var _ engine.Engine = (*Rego)(nil)

// New compiles the rules of the sources. Nothing that depends on more than
// the input is available to them: no clock, network, randomness, environment.
// An error names the file and line, and means that there are no rules to trust.
func New(ctx context.Context, o Options, sources ...engine.Source) (*Rego, error) {
	if o.TimeLimit < 0 {
		return nil, fmt.Errorf("time limit %s: must be positive", o.TimeLimit)
	}
	rules, lists, err := read(sources)
	if err != nil {
		return nil, err
	}
	modules, err := parse(rules)
	if err != nil {
		return nil, err
	}
	entries, err := discover(modules)
	if err != nil {
		return nil, err
	}
	if o.WithoutPack {
		entries = slices.DeleteFunc(entries, func(e entry) bool { return e.from.Source.Embedded })
		if len(entries) == 0 {
			return nil, noRule(modules)
		}
	}
	data, err := engine.Merge(lists)
	if err != nil {
		return nil, fmt.Errorf("read lists: %w", err)
	}
	compiler, err := compile(modules, entries, skippable(modules))
	if err != nil {
		return nil, err
	}
	if err := checkData(compiler, data); err != nil {
		return nil, fmt.Errorf("check lists: %w", err)
	}
	store := inmem.NewFromObjectWithOpts(data, inmem.OptRoundTripOnWrite(false), inmem.OptReturnASTValuesOnRead(true))
	return &Rego{entries, compiler, data, store, cmp.Or(o.TimeLimit, engine.DefaultTimeLimit)}, ctx.Err()
}

// Rules implements Engine.
func (r *Rego) Rules() []engine.Rule {
	rules := make([]engine.Rule, len(r.entries))
	for i, e := range r.entries {
		rules[i] = e.Rule
	}
	return rules
}

// At is where a rule is written: the source, the file and the line of its package.
func (r *Rego) At(id string) string {
	for _, e := range r.entries {
		if e.ID == id {
			return e.from.at()
		}
	}
	return ""
}

// Foreign tells, by rule, which return what conftest's do.
func (r *Rego) Foreign() []bool {
	foreign := make([]bool, len(r.entries))
	for i, e := range r.entries {
		foreign[i] = e.conftest
	}
	return foreign
}

// Compiled returns what the rules were compiled to, with those lists below data
// that they read. Neither may be changed.
func (r *Rego) Compiled() (*ast.Compiler, map[string]any) {
	return r.compiler, readLists(r.compiler, r.lists)
}

// Evaluate implements Engine.
func (r *Rego) Evaluate(ctx context.Context, input []byte) ([]finding.Finding, error) {
	doc, err := parseInput(input)
	if err != nil {
		return nil, err
	}
	found, err := r.query(ctx, doc)
	if err != nil {
		return nil, err
	}
	var all []finding.Finding
	for i, e := range r.entries {
		v := found.Get(ast.IntNumberTerm(i))
		if v == nil {
			return nil, fmt.Errorf("rule %s: %s is undefined for this input: a rule must always yield a set", e.ID, e.ref)
		}
		fs, err := e.findings(v.Value)
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", e.ID, err)
		}
		all = append(all, fs...)
	}
	finding.Sort(all)
	return all, nil
}

func parseInput(input []byte) (*ast.Term, error) {
	var v any
	if err := util.UnmarshalJSON(input, &v); err != nil {
		return nil, fmt.Errorf("policy input: %w", err)
	}
	doc, err := ast.InterfaceToValue(v)
	if err != nil {
		return nil, fmt.Errorf("policy input: %w", err)
	}
	object, ok := doc.(ast.Object)
	if !ok || !object.Get(ast.StringTerm("version")).Equal(ast.IntNumberTerm(engine.InputVersion)) {
		return nil, fmt.Errorf("policy input: not an object of version %d", engine.InputVersion)
	}
	return ast.NewTerm(doc), nil
}

// query evaluates the document "found". A built-in function may be deaf to
// cancellation, so on overrun the evaluation is left behind.
func (r *Rego) query(ctx context.Context, input *ast.Term) (ast.Object, error) {
	ctx, stop := engine.Limit(ctx, r.limit)
	defer stop()
	cancel := topdown.NewCancel()
	defer context.AfterFunc(ctx, cancel.Cancel)()
	type answer struct {
		found ast.Object
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		found, err := r.run(ctx, input, cancel)
		done <- answer{found, err}
	}()
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("evaluate rules: %w", context.Cause(ctx))
	case a := <-done:
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("evaluate rules: %w", context.Cause(ctx))
		}
		return a.found, a.err
	}
}

func (r *Rego) run(ctx context.Context, input *ast.Term, cancel topdown.Cancel) (found ast.Object, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("evaluate rules: %v", p)
		}
	}()
	txn, err := r.store.NewTransaction(ctx)
	if err != nil {
		return nil, fmt.Errorf("evaluate rules: %w", err)
	}
	defer r.store.Abort(ctx, txn)
	answer := ast.VarTerm("found")
	ref := ast.MustParseRef(Answer)
	query := topdown.NewQuery(ast.NewBody(ast.Equality.Expr(ast.NewTerm(ref), answer))).
		WithCompiler(r.compiler).WithStore(r.store).WithTransaction(txn).WithInput(input).
		WithCancel(cancel).WithStrictBuiltinErrors(true).WithIndexing(true).
		WithSeed(zeros{}).WithTime(time.Unix(0, 0))
	answers, err := query.Run(ctx)
	if err != nil {
		return nil, fmt.Errorf("evaluate rules: %w", err)
	}
	if len(answers) != 1 {
		return nil, errors.New("evaluate rules: no answer")
	}
	found, ok := answers[0][answer.Value.(ast.Var)].Value.(ast.Object)
	if !ok {
		return nil, errors.New("evaluate rules: not an answer")
	}
	return found, nil
}

// zeros is the seed of built-in functions that would draw randomness.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

var _ io.Reader = zeros{}
