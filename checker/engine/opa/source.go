package opa

import (
	"fmt"
	"path"
	"slices"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
)

// module is a parsed file.
type module struct {
	engine.File
	*ast.Module
}

// read returns the rule files and the list files of the sources.
func read(sources []engine.Source) (rules, lists []engine.File, err error) {
	files, err := engine.Read(sources...)
	for _, f := range files {
		switch {
		case f.IsList():
			lists = append(lists, f)
		case path.Ext(f.Path) == ".rego":
			rules = append(rules, f)
		}
	}
	return rules, lists, err
}

// parse parses the files, each in a goroutine: it is half of the start-up.
func parse(files []engine.File) ([]module, error) {
	modules := make([]module, len(files))
	errs := make([]error, len(files))
	var wg sync.WaitGroup
	for i, f := range files {
		wg.Go(func() {
			options := ast.ParserOptions{ProcessAnnotation: true, RegoVersion: ast.RegoV1}
			m, err := ast.ParseModuleWithOpts(f.Name(), util.ByteSliceToString(f.Text), options)
			if err == nil && m == nil {
				err = fmt.Errorf("%s: empty file: remove it or write a package", f.Name())
			}
			modules[i], errs[i] = module{f, m}, err
		})
	}
	wg.Wait()
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return nil, fmt.Errorf("parse rules: %w", errs[i])
	}
	return modules, nil
}
