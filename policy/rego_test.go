package policy_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"

	"github.com/refnil/opencode-jail-devenv/policy"
)

// eachFile calls f for every embedded file with the extension, which must exist.
func eachFile(t *testing.T, ext string, f func(name string, text []byte)) {
	t.Helper()
	n := 0
	err := fs.WalkDir(policy.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ext {
			return err
		}
		n++
		text, err := fs.ReadFile(policy.Files, name)
		f(name, text)
		return err
	})
	if err != nil || n == 0 {
		t.Fatalf("%d files %s: %v", n, ext, err)
	}
}

func modules(t *testing.T) map[string]*ast.Module {
	t.Helper()
	all := map[string]*ast.Module{}
	eachFile(t, ".rego", func(name string, text []byte) {
		m, err := ast.ParseModuleWithOpts(name, string(text), ast.ParserOptions{ProcessAnnotation: true})
		if err != nil {
			t.Fatal(err)
		}
		all[name] = m
	})
	return all
}

func data(t *testing.T) map[string]any {
	t.Helper()
	lists := map[string]any{}
	eachFile(t, ".json", func(name string, text []byte) {
		if path.Dir(name) != "data" {
			return
		}
		var v any
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		lists[strings.TrimSuffix(path.Base(name), ".json")] = v
	})
	return map[string]any{"ocjail": lists}
}

func TestRego(t *testing.T) {
	store := inmem.NewFromObject(data(t))
	txn, err := store.NewTransaction(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Abort(t.Context(), txn)
	runner := tester.NewRunner().RaiseBuiltinErrors(true).SetStore(store).SetModules(modules(t))
	results, err := runner.RunTests(t.Context(), txn)
	if err != nil {
		t.Fatal(err)
	}
	passed := 0
	for r := range results {
		if !r.Pass() || r.Skip {
			t.Errorf("%s: %v", r, r.Error)
			continue
		}
		passed++
	}
	if passed < 50 {
		t.Errorf("only %d tests passed", passed)
	}
}

// Every rule has violating, clean and near-miss cases beside it.
func TestRulesHaveTests(t *testing.T) {
	all := modules(t)
	for name := range all {
		if !strings.HasPrefix(name, "rules/") || strings.HasSuffix(name, "_test.rego") {
			continue
		}
		test := all[strings.TrimSuffix(name, ".rego")+"_test.rego"]
		if test == nil {
			t.Errorf("%s has no test beside it", name)
			continue
		}
		for _, want := range []string{"test_clean", "test_near_miss"} {
			if !defines(test, want) {
				t.Errorf("%s: no %s", test.Package.Location.File, want)
			}
		}
	}
}

func defines(m *ast.Module, rule string) bool {
	for _, r := range m.Rules {
		if r.Head.Ref()[0].Value.Compare(ast.Var(rule)) == 0 {
			return true
		}
	}
	return false
}

// Strict mode and the input's schema find typing errors that evaluation would
// turn into "undefined".
func TestTypes(t *testing.T) {
	compiler := typeChecker(t)
	if compiler.Compile(modules(t)); compiler.Failed() {
		t.Fatal(compiler.Errors)
	}
}

func TestTypesRefuseMistakes(t *testing.T) {
	all := modules(t)
	const name = "rules/fs/root-exposed.rego"
	text, err := fs.ReadFile(policy.Files, name)
	if err != nil {
		t.Fatal(err)
	}
	mistake := bytes.Replace(text, []byte("m.covers"), []byte("m.cover"), 1)
	if all[name], err = ast.ParseModuleWithOpts(name, string(mistake), ast.ParserOptions{ProcessAnnotation: true}); err != nil {
		t.Fatal(err)
	}
	compiler := typeChecker(t)
	if compiler.Compile(all); !compiler.Failed() || !strings.Contains(compiler.Errors.Error(), "undefined ref") {
		t.Errorf("a misspelt field of the input passed: %v", compiler.Errors)
	}
}

func typeChecker(t *testing.T) *ast.Compiler {
	t.Helper()
	var schema any
	text, err := fs.ReadFile(policy.Files, "schema/input.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	schemas := ast.NewSchemaSet()
	schemas.Put(ast.MustParseRef("schema.input"), schema)
	return ast.NewCompiler().WithStrict(true).WithUseTypeCheckAnnotations(true).WithSchemas(schemas)
}

func TestFormat(t *testing.T) {
	eachFile(t, ".rego", func(name string, text []byte) {
		want, err := format.SourceWithOpts(name, text, format.Opts{RegoVersion: ast.RegoV1})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(text, want) {
			t.Errorf("%s: run `opa fmt -w policy`", name)
		}
	})
}
