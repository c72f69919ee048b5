package judge

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"testing/fstest"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/plan"
	"github.com/refnil/opencode-jail-devenv/checker/engine/wasm"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Means are what a program has to judge with.
type Means struct {
	// Functions finds Rego's built-in functions for OPA's modules. An error that is a
	// plan.ErrUnsupported, from it or from a function, says that other means are needed.
	Functions func(name string) (wasm.Function, error)
	// Rego compiles rules in Rego, those of the embedded pack apart, and limits an
	// evaluation; nil where nothing can.
	Rego func(ctx context.Context, limit time.Duration, sources ...engine.Source) (Engine, error)
}

// Engine is an engine that knows what its rules read, and where they are.
type Engine interface {
	engine.Engine
	// Reads are the parts of the policy input that they read; nil when that is not
	// known.
	Reads() []string
	At(id string) string
}

// engines are all that the sources need, at least one.
type engines []layered

// layered is the engine of a layer's rules.
type layered struct {
	Engine
	layer string
}

// Open compiles rules as a launch does, with the errors that it would print.
func (m Means) Open(ctx context.Context, load worker.Load) (engine.Engine, error) {
	return m.open(ctx, load, wasm.Options{})
}

// unit is what shares packages and lists.
type unit struct{ layer, bundle string }

func unitOf(s worker.Source) unit { return unit{s.Layer, s.Bundle} }

// open compiles the rules of all sources, those of each layer and of each bundle in
// engines of their own.
func (m Means) open(ctx context.Context, load worker.Load, o wasm.Options) (engines, error) {
	var all engines
	var done []unit
	for _, s := range load.Sources {
		if slices.Contains(done, unitOf(s)) {
			continue
		}
		done = append(done, unitOf(s))
		layer := load
		layer.Sources = slices.DeleteFunc(slices.Clone(load.Sources), func(o worker.Source) bool { return unitOf(o) != unitOf(s) })
		more, err := m.openUnit(ctx, layer, o)
		if err != nil {
			return nil, err
		}
		for _, e := range more {
			all = append(all, layered{e, s.Layer})
		}
	}
	return all, all.unambiguous()
}

// openUnit compiles the rules of the sources of one unit.
func (m Means) openUnit(ctx context.Context, load worker.Load, o wasm.Options) ([]Engine, error) {
	sources := []engine.Source{engine.EmbeddedPack()}
	var modules []wasm.Module
	rego, lists := false, false
	for _, s := range load.Sources {
		files := fstest.MapFS{}
		for name, text := range s.Files {
			files[name] = &fstest.MapFile{Data: text}
			rego = rego || path.Ext(name) == ".rego"
			lists = lists || engine.File{Path: name}.IsList()
		}
		modules = append(modules, modulesOf(s)...)
		sources = append(sources, engine.Source{Name: s.Name, FS: files})
	}
	var all []Engine
	if rego {
		if m.Rego == nil {
			return nil, fmt.Errorf("rules in Rego: %w", plan.ErrUnsupported)
		}
		e, err := m.Rego(ctx, time.Duration(load.TimeLimit), sources...)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	if len(modules) > 0 {
		o.Functions, o.Data = m.Functions, documents(sources)
		if lists { // which must be in order, whether or not a module reads them
			if _, err := o.Data(); err != nil {
				return nil, err
			}
		}
		e, err := wasm.Open(ctx, o, modules...)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

// modulesOf are the modules of a source, in the order of their names.
func modulesOf(s worker.Source) []wasm.Module {
	var modules []wasm.Module
	for name, code := range s.Files {
		if base, ok := strings.CutSuffix(name, ".wasm"); ok {
			modules = append(modules, wasm.Module{Name: s.Name + ": " + name, ID: ruleID(base), Code: code, About: s.Files[base+".json"]})
		}
	}
	slices.SortFunc(modules, func(a, b wasm.Module) int { return cmp.Compare(a.Name, b.Name) })
	return modules
}

// ruleID of acme/no_network is acme/no-network; a file in no folder is of category wasm.
func ruleID(file string) string {
	category, name := path.Split(strings.ReplaceAll(file, "_", "-"))
	return path.Join(cmp.Or(path.Base(path.Clean("/" + category)[1:]), "wasm"), name)
}

// documents are what the lists of the sources make, once somebody asks.
func documents(sources []engine.Source) func() (wasm.Documents, error) {
	return sync.OnceValues(func() (wasm.Documents, error) {
		lists, err := engine.Lists(sources...)
		if err != nil {
			return wasm.Documents{}, err
		}
		doc, err := json.Marshal(lists)
		return wasm.Documents{Lists: lists, JSON: doc}, err
	})
}

// renameOne mends it. A severity, a waiver and a finding name a rule by its id alone.
const renameOne = "rename the package, or the .wasm file, of one (the rules of a project count in all projects within it)"

// unambiguous makes sure that no two engines have rules of one name.
func (e engines) unambiguous() error {
	if len(e) == 0 {
		return errors.New("no rule in any source: name a folder with *.rego or *.wasm files")
	}
	at := map[string]string{}
	for _, one := range e {
		for _, r := range one.Rules() {
			before, taken := at[r.ID]
			if at[r.ID] = one.At(r.ID); taken {
				return fmt.Errorf("rule %s is defined twice, in %s and in %s: %s", r.ID, before, at[r.ID], renameOne)
			}
		}
	}
	return nil
}

// Rules implements engine.Engine.
func (e engines) Rules() []engine.Rule {
	var rules []engine.Rule
	for _, one := range e {
		for _, r := range one.Rules() {
			r.Layer = one.layer // whatever a module says of itself
			rules = append(rules, r)
		}
	}
	slices.SortFunc(rules, func(a, b engine.Rule) int { return cmp.Compare(a.ID, b.ID) })
	return rules
}

// reads are the parts of the input that any of the rules reads, sorted; nil when
// that is not known of all.
func (e engines) reads() []string {
	all := []string{}
	for _, one := range e {
		reads := one.Reads()
		if reads == nil {
			return nil
		}
		all = append(all, reads...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Evaluate implements engine.Engine.
func (e engines) Evaluate(ctx context.Context, input []byte) ([]finding.Finding, error) {
	var all []finding.Finding
	for _, one := range e {
		found, err := one.Evaluate(ctx, input)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	finding.Sort(all)
	return all, nil
}
