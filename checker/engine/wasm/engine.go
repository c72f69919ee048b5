// Package wasm judges by rules that were compiled to WebAssembly, of two kinds
// that their exports tell apart: OPA's modules (opa build -t wasm), and WASI
// commands in any language, which read the policy input and write findings.
//
// A module gets no file, no environment, no network, no clock that moves and no
// randomness; memory, input and output are bounded. What can not be bounded from
// within, time and the depth of recursion, is for the process around it: package
// worker kills that, and limits what it may use.
package wasm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/tetratelabs/wazero"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/cache"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Module is a file to load.
type Module struct {
	Name string // for errors
	ID   string // of the rule, "category/kebab-name", where the module has one
	Code []byte
	// About is the JSON of what METADATA says of a Rego rule, for a command:
	// {"severity"?, "title"?, "description"?, "remedy"?, "url"?, "params"?}; nil for nothing.
	About []byte
}

// Options are what modules run with.
type Options struct {
	// Data makes the base documents that OPA's modules read below "data", and is asked
	// where one may; nil for none.
	Data func() (Documents, error)
	// Functions finds a built-in function by its name for OPA's modules; nil for none.
	Functions func(name string) (Function, error)
	// Before, when not nil, is told of each module that is about to run, which may
	// never end.
	Before func(name string)
	// Cache, when not nil, keeps the modules' native code, and Note is told of what
	// went wrong with it.
	Cache *cache.Cache
	Note  func(message string)
	// interruptible ends a module with the context, at a cost for each of its loops:
	// for tests, which can not kill the process around it.
	interruptible bool
}

// Documents are base documents, as the lists of a source make them.
type Documents struct {
	Lists map[string]any
	JSON  []byte // the same
}

// Bounds of one module.
const (
	maxPages  = 256 << 20 >> 16 // of memory, 64 KiB each
	maxOutput = 16 << 20        // bytes
)

// Engine evaluates modules, each in a fresh instance for each input.
type Engine struct {
	options Options
	runtime wazero.Runtime
	native  wazero.CompilationCache
	loaded  []loaded
	rules   []engine.Rule
}

var _ engine.Engine = (*Engine)(nil)

// loaded is a compiled module.
type loaded interface {
	// rules are those that the module holds, at least one.
	rules() []engine.Rule
	// reads are the parts of the input that they read; nil for any.
	reads() []string
	// evaluate has them judge the input.
	evaluate(ctx context.Context, input []byte) ([]finding.Finding, error)
	name() string
}

// Open compiles modules. An error means that there are no rules to trust.
func Open(ctx context.Context, o Options, modules ...Module) (_ *Engine, err error) {
	e := newEngine(ctx, o)
	codes := e.compileAll(ctx, modules)
	opened := false
	defer func() {
		if !opened {
			for _, code := range codes {
				_, _ = code() // else one is compiled into what is closed
			}
			err = errors.Join(err, e.Close(ctx))
		}
	}()
	holds := map[string]string{} // by rule
	for i, m := range modules {
		e.options.Before(m.Name)
		if err := e.load(ctx, m, codes[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
		for _, r := range e.loaded[i].rules() {
			if before, ok := holds[r.ID]; ok {
				return nil, fmt.Errorf("rule %s is defined by two WASM modules, %s and %s: leave one out, or rename one", r.ID, before, m.Name)
			}
			holds[r.ID] = m.Name
		}
	}
	slices.SortFunc(e.rules, func(a, b engine.Rule) int { return cmp.Compare(a.ID, b.ID) })
	if len(e.rules) == 0 {
		return nil, errors.New("no WASM module")
	}
	opened = true
	return e, nil
}

func newEngine(ctx context.Context, o Options) *Engine {
	if o.Before == nil {
		o.Before = func(string) {}
	}
	if o.Note == nil {
		o.Note = func(string) {}
	}
	if o.Data == nil {
		o.Data = func() (Documents, error) { return Documents{JSON: noData}, nil }
	}
	if o.Functions == nil {
		o.Functions = func(name string) (Function, error) { return nil, fmt.Errorf("calls %s, which is not there", name) }
	}
	e := &Engine{options: o}
	config := wazero.NewRuntimeConfig().WithMemoryLimitPages(maxPages).WithCustomSections(true).WithCloseOnContextDone(o.interruptible)
	if o.Cache != nil {
		native, err := compilationCache(o.Cache, o.Note)
		if err != nil {
			o.Note(fmt.Sprintf("rules are compiled anew each time: %v", err))
		} else {
			config, e.native = config.WithCompilationCache(native), native
		}
	}
	e.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	return e
}

func (e *Engine) load(ctx context.Context, m Module, code compiling) error {
	c, err := code()
	if err != nil {
		return fmt.Errorf("is no WASM module that ocjail can run: %w", err)
	}
	exports := c.ExportedFunctions()
	var l loaded
	switch {
	case exports["opa_eval"] != nil || exports["eval"] != nil:
		l, err = e.loadOPA(ctx, m, c)
	case exports["_start"] != nil:
		l, err = e.loadCommand(ctx, m, c)
	default:
		err = errors.New("exports neither opa_eval, as a module of OPA does, nor _start, as a WASI command does")
	}
	if err != nil {
		return err
	}
	e.loaded, e.rules = append(e.loaded, l), append(e.rules, l.rules()...)
	return nil
}

// Close frees the compiled code.
func (e *Engine) Close(ctx context.Context) error {
	err := e.runtime.Close(ctx)
	if e.native != nil {
		err = errors.Join(err, e.native.Close(ctx))
	}
	return err
}

// Rules implements engine.Engine.
func (e *Engine) Rules() []engine.Rule { return e.rules }

// At is where a rule is: the source and the file of its module.
func (e *Engine) At(id string) string {
	for _, l := range e.loaded {
		if slices.ContainsFunc(l.rules(), func(r engine.Rule) bool { return r.ID == id }) {
			return l.name()
		}
	}
	return ""
}

// Reads are the parts of the policy input that the modules say they read; nil when
// one does not say.
func (e *Engine) Reads() []string {
	all := []string{}
	for _, l := range e.loaded {
		reads := l.reads()
		if reads == nil {
			return nil
		}
		all = append(all, reads...)
	}
	return all
}

// Evaluate implements engine.Engine. It does not stop a module that runs: see the
// package's comment.
func (e *Engine) Evaluate(ctx context.Context, input []byte) ([]finding.Finding, error) {
	if !json.Valid(input) {
		return nil, errors.New("policy input: no JSON")
	}
	var all []finding.Finding
	for _, l := range e.loaded {
		e.options.Before(l.name())
		found, err := l.evaluate(ctx, input)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.name(), err)
		}
		all = append(all, found...)
	}
	finding.Sort(all)
	return all, nil
}
