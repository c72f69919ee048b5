// Package judge is the worker's side of package worker: it judges by rules from
// elsewhere than the pack, in WebAssembly, and in Rego where OPA is linked.
package judge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/refnil/opencode-jail-devenv/checker/engine/cache"
	"github.com/refnil/opencode-jail-devenv/checker/engine/plan"
	"github.com/refnil/opencode-jail-devenv/checker/engine/wasm"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Serve judges inputs by the rules that it is sent until there are no more.
func (m Means) Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	if err := worker.Send(out, worker.Identity()); err != nil {
		return err
	}
	handover, load, err := worker.ReceiveLoad(in)
	if err != nil {
		return fmt.Errorf("read rules: %w", err)
	}
	// What can not be told to the client is told by the next message's failure.
	ahead := func(name string) { _ = worker.Send(out, worker.Loaded{At: name}) }
	var notes []string
	o := wasm.Options{Before: func(name string) { ahead(name) }, Note: func(n string) { notes = append(notes, n) }}
	if handover.CacheKey != nil {
		o.Cache = cache.Handed(os.NewFile(worker.CacheFD, "rules"), handover.CacheKey)
	}
	rules, err := m.open(ctx, load, o)
	if err != nil {
		return worker.Send(out, worker.Loaded{Error: err.Error(), Elsewhere: m.elsewhere(err)})
	}
	if err := worker.Send(out, worker.Loaded{Rules: rules.Rules(), Reads: rules.reads(), Notes: notes}); err != nil {
		return err
	}
	ahead = func(name string) { _ = worker.Send(out, worker.Verdict{At: name}) }
	for {
		input, err := worker.ReceiveRaw(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read input: %w", err)
		}
		verdict := worker.Verdict{Findings: []finding.Finding{}}
		if found, err := rules.Evaluate(ctx, input); err != nil {
			verdict.Error, verdict.Elsewhere = err.Error(), m.elsewhere(err)
		} else {
			verdict.Findings = append(verdict.Findings, found...)
		}
		if err := worker.Send(out, verdict); err != nil {
			return err
		}
	}
}

// elsewhere tells whether the program that has OPA linked may know what this one does
// not.
func (m Means) elsewhere(err error) bool { return m.Rego == nil && errors.Is(err, plan.ErrUnsupported) }
