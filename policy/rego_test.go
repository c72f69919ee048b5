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

	"github.com/refnil/opencode-jail-devenv/checker/ruletest"
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

// leastCoverage is how much of the pack its tests must run, in percent of lines.
const leastCoverage = 98

func TestRego(t *testing.T) {
	suite, err := ruletest.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, err := ruletest.Run(t.Context(), suite)
	if err != nil {
		t.Fatal(err)
	}
	if r.Failed+r.Skipped > 0 || r.Passed < 50 || r.Coverage.Percent < leastCoverage {
		var text strings.Builder
		if err := r.Text(&text); err != nil {
			t.Fatal(err)
		}
		t.Errorf("want no failure and %d %% covered (ocjail test):\n%s", leastCoverage, &text)
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
