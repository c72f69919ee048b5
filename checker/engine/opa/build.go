package opa

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	opacompile "github.com/open-policy-agent/opa/v1/compile"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
)

// Built is rules compiled to a WASM module of OPA's.
type Built struct {
	Code []byte
	// Rules are those of the module, by the entrypoint that stands for each.
	Rules map[string]engine.Rule
	Reads []string      // see Rego.Reads
	Data  bool          // see Rego.ReadsData
	Needs []engine.Need // see Rego.Needs
}

// Build compiles the rules of the sources, which the pack's library is there for.
// Lists stay outside of the module: it reads them when it is run.
func Build(ctx context.Context, sources ...engine.Source) (Built, error) {
	sources = append([]engine.Source{engine.EmbeddedPack()}, sources...)
	// All that a launch checks, with the errors that it would print.
	e, err := New(ctx, Options{WithoutPack: true}, sources...)
	if err != nil {
		return Built{}, err
	}
	built := Built{Rules: map[string]engine.Rule{}, Reads: e.Reads(), Data: e.ReadsData(), Needs: e.Needs()}
	for _, r := range e.entries {
		p, err := r.ref.Ptr()
		if err != nil {
			return Built{}, fmt.Errorf("rule %s: %w", r.ID, err)
		}
		built.Rules[p] = r.Rule
	}
	b, err := asBundle(sources)
	if err != nil {
		return Built{}, err
	}
	hosts, err := checkedCalls(b)
	if err != nil {
		return Built{}, err
	}
	can := capabilities()
	can.Builtins = append(can.Builtins, hosts...)
	c := opacompile.New().WithTarget(opacompile.TargetWasm).WithBundle(b).WithCapabilities(can).WithRegoVersion(ast.RegoV1)
	c = c.WithEntrypoints(slices.Sorted(maps.Keys(built.Rules))...)
	if err := c.Build(ctx); err != nil {
		return Built{}, fmt.Errorf("compile to WASM: %w", err)
	}
	if n := len(c.Bundle().WasmModules); n != 1 {
		return Built{}, fmt.Errorf("compile to WASM: %d modules came of it", n)
	}
	built.Code = c.Bundle().WasmModules[0].Raw
	return built, nil
}

// asBundle holds the rules of the sources, without their lists.
func asBundle(sources []engine.Source) (*bundle.Bundle, error) {
	files, _, err := read(sources)
	if err != nil {
		return nil, err
	}
	modules, err := parse(files)
	if err != nil {
		return nil, err
	}
	b := &bundle.Bundle{Data: map[string]any{}}
	b.Manifest.Init()
	for _, m := range modules {
		if m.Source.Embedded && !isLibrary(m) {
			continue
		}
		b.Modules = append(b.Modules, bundle.ModuleFile{URL: m.Name(), Path: m.Name(), Raw: m.Text, Parsed: m.Module})
	}
	return b, nil
}

// isLibrary tells what of the pack others may call.
func isLibrary(m module) bool {
	return len(m.Package.Path) > 2 && slices.ContainsFunc(m.Package.Path, ast.StringTerm("lib").Equal)
}
