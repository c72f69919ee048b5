package worker

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/cache"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Options are how rules are judged.
type Options struct {
	TimeLimit time.Duration // of one evaluation
	// Cache keeps what is made of the rules; nil to make it each time.
	Cache *cache.Cache
	// Occasion is what is known of a launch before anything is gathered, its command
	// line say; nil for nothing. What it came to the last time foretells whether a
	// process will be needed, and decides nothing else.
	Occasion []string
	// Note is told of what went wrong with it, and Compiling of a module that takes
	// long to load; nil for nobody.
	Note, Compiling func(string)
}

// Worker evaluates the rules of some sources in another process, which is not
// started where the verdict is known.
type Worker struct {
	options  Options
	programs programs
	load     Load
	kept     *kept // nil without a cache
	loaded   Loaded

	judging  sync.Mutex // one evaluation at a time
	starting sync.Mutex
	with     *conversation // nil while nothing asked for one
	needsOPA bool          // the program without OPA can not judge, it says
}

// programs are where the programs lie that may judge. Without OPA is "" where there is
// none, or where it is known beforehand that it can not.
type programs struct{ withOPA, withoutOPA string }

// AgainError says that another program must be asked: Begin asks it, in the time that is
// left.
type AgainError struct{ spent time.Duration }

func (*AgainError) Error() string { return "the rules need OPA: they are to be judged by again" }

var _ engine.Engine = (*Worker)(nil)

// Start starts the program on the files, which the pack's rules do not judge by,
// and returns at once; Open waits. It must be called on the main thread, with
// whose end the process ends too. Where a verdict was kept that will probably hold,
// nothing is started yet.
func Start(o Options, files []engine.File) (*Worker, error) {
	if o.Note == nil {
		o.Note = func(string) {}
	}
	w := &Worker{options: o, load: Load{Protocol: Protocol, TimeLimit: int64(o.TimeLimit)}}
	for _, f := range files {
		last := len(w.load.Sources) - 1
		if last < 0 || w.load.Sources[last].Name != f.Source.Name || w.load.Sources[last].Layer != f.Source.Layer || w.load.Sources[last].Bundle != f.Source.Bundle {
			w.load.Sources = append(w.load.Sources, Source{Name: f.Source.Name, Layer: f.Source.Layer, Bundle: f.Source.Bundle, Files: map[string][]byte{}})
			last++
		}
		w.load.Sources[last].Files[f.Path] = f.Text
	}
	var err error
	if w.programs, err = w.choose(); err != nil {
		return nil, err
	}
	if o.Cache != nil {
		if w.kept, err = keep(o, w.programs, w.load); err != nil {
			return nil, err
		}
		if w.loaded = w.kept.recallRules(); len(w.loaded.Rules) > 0 && w.kept.foretells() {
			return w, nil
		}
	}
	_, err = w.conversation()
	return w, err
}

// choose finds the programs. The one with OPA is always needed, for the other one may
// say so; the other one can be missed, which costs time and changes no verdict.
func (w *Worker) choose() (p programs, err error) {
	if p.withOPA, err = Program(); err != nil {
		return p, err
	}
	for _, s := range w.load.Sources {
		for name := range s.Files {
			if path.Ext(name) == ".rego" {
				return p, nil
			}
		}
	}
	p.withoutOPA, err = find(WASM)
	var missing *missingError
	if errors.As(err, &missing) {
		w.options.Note(fmt.Sprintf("rules in WebAssembly are judged by in %s, which takes longer, for want of %v", Name, missing))
		err = nil
	}
	return p, err
}

// Open waits until the rules are known. An error means that there are no rules to
// trust.
func (w *Worker) Open(ctx context.Context) error {
	if len(w.loaded.Rules) > 0 {
		return nil
	}
	with, err := w.conversation()
	if err == nil {
		w.loaded, err = with.open(ctx)
	}
	if w.turn(with, err) {
		return w.Open(ctx)
	}
	if err == nil && w.kept != nil {
		w.kept.keepRules(w.loaded)
	}
	return err
}

// turn tells whether another program must be asked than the one that gave the error,
// and has that one asked from then on.
func (w *Worker) turn(from *conversation, err error) bool {
	var e *elsewhereError
	if !errors.As(err, &e) || from.process.cmd.Path == w.programs.withOPA {
		return false
	}
	w.starting.Lock()
	defer w.starting.Unlock()
	if w.with == from {
		w.with, w.needsOPA = nil, true
		if w.kept != nil {
			w.kept.keepNeed()
		}
	}
	return true
}

// Runs tells whether there is a process: Begin starts none then, and may be called
// anywhere.
func (w *Worker) Runs() bool {
	w.starting.Lock()
	defer w.starting.Unlock()
	return w.with != nil
}

// Rules implements Engine, once Open has returned.
func (w *Worker) Rules() []engine.Rule { return w.loaded.Rules }

// Evaluate implements Engine, once Open has returned. Like Start it must be called
// on the main thread.
func (w *Worker) Evaluate(ctx context.Context, input []byte) ([]finding.Finding, error) {
	found, err := w.Begin(ctx, input, nil)()
	var again *AgainError
	if errors.As(err, &again) {
		return w.Begin(ctx, input, again)()
	}
	return found, err
}

// Begin is Evaluate beside other work: only the function that it returns waits for
// the verdict, and may be called anywhere. Its error may be an *AgainError, once, which
// is for the next time; nil the first time.
func (w *Worker) Begin(ctx context.Context, input []byte, again *AgainError) func() ([]finding.Finding, error) {
	failed := func(err error) func() ([]finding.Finding, error) {
		return func() ([]finding.Finding, error) { return nil, err }
	}
	seen, err := project(input, w.loaded.Reads)
	if err != nil {
		return failed(err)
	}
	if w.kept != nil && lasting(w.loaded) {
		found, ok := w.kept.recallVerdict(seen)
		if w.kept.learn(ok); ok {
			return func() ([]finding.Finding, error) { return found, w.check("the cache", found) }
		}
	}
	with, err := w.conversation()
	if err != nil {
		return failed(err)
	}
	var spent time.Duration
	if again != nil {
		spent = again.spent
	}
	return func() ([]finding.Finding, error) { return w.judge(ctx, with, seen, spent) }
}

// conversation is with the process, which it starts if need be.
func (w *Worker) conversation() (with *conversation, err error) {
	w.starting.Lock()
	defer w.starting.Unlock()
	if w.with == nil {
		program := w.programs.withoutOPA
		if program == "" || w.needsOPA || w.kept != nil && w.kept.recallNeed() {
			program = w.programs.withOPA
		}
		w.with, err = converse(program, w.options, w.load)
	}
	return w.with, err
}

// judge has the process judge. Of the time limit so much has been spent before, by a
// program that could not.
func (w *Worker) judge(ctx context.Context, with *conversation, seen []byte, spent time.Duration) ([]finding.Finding, error) {
	w.judging.Lock()
	defer w.judging.Unlock()
	if _, err := with.open(ctx); err != nil {
		return nil, w.orAgain(with, err, spent)
	}
	ctx, stop := engine.LimitAfter(ctx, w.options.TimeLimit, spent)
	defer stop()
	begun := time.Now()
	found, err := with.judge(ctx, seen)
	if err == nil {
		err = w.check(with.process.cmd.Path, found)
	}
	if err != nil {
		return nil, w.orAgain(with, err, spent+time.Since(begun))
	}
	if w.kept != nil && lasting(w.loaded) {
		w.kept.keepVerdict(seen, found)
	}
	return found, nil
}

// orAgain is the error, or an *AgainError.
func (w *Worker) orAgain(from *conversation, err error, spent time.Duration) error {
	if w.turn(from, err) {
		return &AgainError{spent}
	}
	return err
}

// check refuses findings that no rule can have made; by is where they are from.
func (w *Worker) check(by string, found []finding.Finding) error {
	for _, f := range found {
		i := slices.IndexFunc(w.loaded.Rules, func(r engine.Rule) bool { return r.ID == f.Rule })
		if i < 0 {
			return fmt.Errorf("%s reports a finding of %q, which is no rule of its", by, f.Rule)
		}
		if s, err := finding.ParseSeverity(string(f.Severity)); err != nil || s.Rank() > w.loaded.Rules[i].Severity.Rank() {
			return fmt.Errorf("%s reports a finding of %s with severity %q", by, f.Rule, f.Severity)
		}
	}
	return nil
}

// Close ends the process.
func (w *Worker) Close() {
	w.starting.Lock()
	defer w.starting.Unlock()
	if w.with != nil {
		w.with.process.kill()
	}
}
