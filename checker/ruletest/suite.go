package ruletest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/opa"
	"github.com/refnil/opencode-jail-devenv/policy"
)

// Suite is rules with their tests, read and found to be sound.
type Suite struct {
	modules map[string]*ast.Module
	own     map[string]bool // of modules: those that are tested
	store   storage.Store
}

// maxFile bounds a file of rules or tests, in bytes.
const maxFile = 16 << 20

// fixtures is the file of the pack's tests that others may use.
const fixtures = "lib/fixtures_test.rego"

// Load reads the rules in folders and their tests; without any folder, the
// pack's. Rules that no launch would accept are an error here too.
func Load(ctx context.Context, folders ...string) (*Suite, error) {
	s := &Suite{modules: map[string]*ast.Module{}, own: map[string]bool{}}
	sources := []engine.Source{engine.EmbeddedPack()}
	if err := s.read("", policy.Files, len(folders) == 0); err != nil {
		return nil, err
	}
	for _, folder := range folders {
		if info, err := os.Stat(folder); err != nil {
			return nil, fmt.Errorf("%s: %w: name the folder that holds the rules and their tests", folder, errors.Unwrap(err)) // an *fs.PathError, without stat
		} else if !info.IsDir() {
			return nil, fmt.Errorf("%s is not a folder: name the one that holds the rules and their tests", folder)
		}
		source := engine.Source{Name: folder, FS: engine.Folder(folder)}
		if err := s.read(folder, source.FS, true); err != nil {
			return nil, err
		}
		sources = append(sources, source)
	}
	if _, err := opa.New(ctx, opa.Options{}, sources...); err != nil {
		return nil, err
	}
	data, err := engine.Lists(sources...)
	if err != nil {
		return nil, err
	}
	s.store = inmem.NewFromObject(data)
	return s, nil
}

// read adds the modules below root. Of those that are not tested, tests are left
// out, apart from the fixtures.
func (s *Suite) read(name string, root fs.FS, own bool) error {
	return fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		isTest := strings.HasSuffix(p, "_test.rego")
		if err != nil || d.IsDir() || path.Ext(p) != ".rego" || isTest && !own && p != fixtures {
			return err
		}
		file := path.Join(name, p)
		info, err := fs.Stat(root, p)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if !info.Mode().IsRegular() || info.Size() > maxFile { // a sparse file may claim a terabyte
			return fmt.Errorf("%s is no file, or one of more than %d MiB: name the folder that holds the rules, and nothing else", file, maxFile>>20)
		}
		text, err := fs.ReadFile(root, p)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		m, err := ast.ParseModuleWithOpts(file, string(text), ast.ParserOptions{ProcessAnnotation: true, RegoVersion: ast.RegoV1})
		if err != nil {
			return err
		}
		if s.modules[file] != nil {
			return fmt.Errorf("%s is there twice: name each folder once", file)
		}
		if m != nil {
			s.modules[file] = m
			s.own[file] = own && !isTest
		}
		return nil
	})
}

// runner compiles as strictly as can be: with the types that the input's schema
// gives, and without what engines do not have.
func (s *Suite) runner() *tester.Runner {
	compiler := ast.NewCompiler().WithStrict(true).WithCapabilities(opa.Capabilities()).WithDefaultRegoVersion(ast.RegoV1).
		WithSchemas(schemas()).WithUseTypeCheckAnnotations(true).WithEnablePrintStatements(true)
	return tester.NewRunner().SetCompiler(compiler).SetStore(s.store).SetModules(s.modules).
		RaiseBuiltinErrors(true).CapturePrintOutput(true).SetTimeout(testLimit)
}

// schemas holds the input's, which is embedded and well-formed.
func schemas() *ast.SchemaSet {
	text, err := policy.Files.ReadFile("schema/input.json")
	var schema any
	if err == nil {
		err = json.Unmarshal(text, &schema)
	}
	if err != nil {
		panic(err)
	}
	set := ast.NewSchemaSet()
	set.Put(ast.MustParseRef("schema.input"), schema)
	return set
}
