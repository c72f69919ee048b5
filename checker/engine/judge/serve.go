// Package judge is the worker's side of package worker: it judges by rules from
// elsewhere than the pack, in Rego and in WebAssembly.
package judge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/refnil/opencode-jail-devenv/checker/engine/cache"
	"github.com/refnil/opencode-jail-devenv/checker/engine/wasm"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Serve judges inputs by the rules that it is sent until there are no more.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	if err := worker.Send(out, worker.Identity()); err != nil {
		return err
	}
	var handover worker.Handover
	var load worker.Load
	for _, message := range []any{&handover, &load} {
		if err := worker.Receive(in, message); err != nil {
			return fmt.Errorf("read rules: %w", err)
		}
	}
	if load.Protocol != worker.Protocol {
		return fmt.Errorf("protocol %d, not %d", load.Protocol, worker.Protocol)
	}
	// What can not be told to the client is told by the next message's failure.
	ahead := func(name string) { _ = worker.Send(out, worker.Loaded{At: name}) }
	var notes []string
	o := wasm.Options{Before: func(name string) { ahead(name) }, Note: func(n string) { notes = append(notes, n) }}
	if handover.CacheKey != nil {
		o.Cache = cache.Handed(os.NewFile(worker.CacheFD, "rules"), handover.CacheKey)
	}
	rules, err := open(ctx, load, o)
	if err != nil {
		return worker.Send(out, worker.Loaded{Error: err.Error()})
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
			verdict.Error = err.Error()
		} else {
			verdict.Findings = append(verdict.Findings, found...)
		}
		if err := worker.Send(out, verdict); err != nil {
			return err
		}
	}
}
