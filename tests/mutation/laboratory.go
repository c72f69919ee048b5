package mutation

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/policy"
)

// Laboratory tries mutants of the pack.
type Laboratory struct {
	modules map[string]*ast.Module
	store   storage.Store
	// healthy is what each test yields on the pack as it is, by its reference.
	healthy map[string]*ast.Term
}

// Outcome is what became of a mutant.
type Outcome string

// A mutant is killed when a test yields another value or fails to come to an end,
// and invalid when it does not compile.
const (
	Killed   Outcome = "killed"
	Survived Outcome = "survived"
	Invalid  Outcome = "invalid"
)

// Open reads the pack and runs its tests, which must pass.
func Open(ctx context.Context) (*Laboratory, error) {
	data, err := engine.Lists(engine.EmbeddedPack())
	if err != nil {
		return nil, err
	}
	l := &Laboratory{modules: map[string]*ast.Module{}, store: inmem.NewFromObject(data), healthy: map[string]*ast.Term{}}
	err = fs.WalkDir(policy.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".rego" {
			return err
		}
		text, err := policy.Files.ReadFile(name)
		if err != nil {
			return err
		}
		l.modules[name], err = ast.ParseModuleWithOpts(name, string(text), ast.ParserOptions{RegoVersion: ast.RegoV1})
		return err
	})
	if err != nil {
		return nil, err
	}
	compiler, err := compile(l.modules)
	if err != nil {
		return nil, err
	}
	return l, l.run(ctx, compiler, func(test string, value *ast.Term) bool {
		l.healthy[test] = value
		return true
	})
}

// Files are those that are mutated, sorted, each with its mutations.
func (l *Laboratory) Files() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(l.modules)), isTest)
}

// Mutations names those of a file.
func (l *Laboratory) Mutations(file string) []string { return Mutations(l.modules[file]) }

func isTest(name string) bool { return strings.HasSuffix(name, "_test.rego") }

// fixtures are what all tests build on.
const fixtures = "lib/fixtures_test.rego"

// Try makes the mutant of that number and runs the file's own tests, and, of a
// library that survives them, all others.
func (l *Laboratory) Try(ctx context.Context, file string, number int) (Outcome, error) {
	mutant := Mutate(l.modules[file], number)
	library := func(name string) bool { return strings.HasPrefix(name, "lib/") && !isTest(name) }
	test := strings.TrimSuffix(file, ".rego") + "_test.rego"
	outcome, err := l.try(ctx, file, mutant, func(name string) bool { return library(name) || name == fixtures || name == test })
	if outcome == Survived && library(file) {
		return l.try(ctx, file, mutant, func(string) bool { return true })
	}
	return outcome, err
}

func (l *Laboratory) try(ctx context.Context, file string, mutant *ast.Module, with func(string) bool) (Outcome, error) {
	modules := map[string]*ast.Module{}
	for name, m := range l.modules {
		if with(name) {
			modules[name] = m
		}
	}
	modules[file] = mutant
	compiler, err := compile(modules)
	if err != nil {
		return Invalid, nil //nolint:nilerr // it says why a mutant is none
	}
	outcome := Survived
	err = l.run(ctx, compiler, func(test string, value *ast.Term) bool {
		healthy := l.healthy[test]
		if healthy == nil || value == nil || !healthy.Equal(value) {
			outcome = Killed
		}
		return outcome == Survived
	})
	var failure *topdown.Error
	if errors.As(err, &failure) {
		return Killed, nil
	}
	return outcome, err
}

// compile leaves out what costs time and says nothing of a mutant.
func compile(modules map[string]*ast.Module) (*ast.Compiler, error) {
	c := ast.NewCompiler().WithDefaultRegoVersion(ast.RegoV1).WithSkipStages(ast.StageCheckTypes, ast.StageBuildRequiredCapabilities)
	if c.Compile(modules); c.Failed() {
		return nil, c.Errors
	}
	return c, nil
}

// run evaluates each test until each says stop. A test that is undefined has no
// value.
func (l *Laboratory) run(ctx context.Context, c *ast.Compiler, each func(test string, value *ast.Term) bool) error {
	txn, err := l.store.NewTransaction(ctx)
	if err != nil {
		return err
	}
	defer l.store.Abort(ctx, txn)
	for _, test := range tests(c) {
		answer := ast.VarTerm("answer")
		query := topdown.NewQuery(ast.NewBody(ast.Equality.Expr(ast.NewTerm(test), answer))).
			WithCompiler(c).WithStore(l.store).WithTransaction(txn).WithStrictBuiltinErrors(true)
		answers, err := query.Run(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", test, err)
		}
		var value *ast.Term
		if len(answers) > 0 {
			value = answers[0][answer.Value.(ast.Var)]
		}
		if !each(test.String(), value) {
			return nil
		}
	}
	return nil
}

// tests are the test rules, in order.
func tests(c *ast.Compiler) []ast.Ref {
	seen := map[string]ast.Ref{}
	for name, m := range c.Modules {
		for _, r := range m.Rules {
			rule, _ := r.Head.Ref()[0].Value.(ast.Var)
			if ref := r.Ref().GroundPrefix(); isTest(name) && strings.HasPrefix(string(rule), "test_") {
				seen[ref.String()] = ref
			}
		}
	}
	var all []ast.Ref
	for _, key := range slices.Sorted(maps.Keys(seen)) {
		all = append(all, seen[key])
	}
	return all
}
