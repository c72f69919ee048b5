package opa

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing/fstest"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Serve is the worker's side of package worker: it judges inputs by the rules of
// others than the pack until there are no more.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	if err := worker.Send(out, worker.Identity()); err != nil {
		return err
	}
	var load worker.Load
	if err := worker.Receive(in, &load); err != nil {
		return fmt.Errorf("read rules: %w", err)
	}
	if load.Protocol != worker.Protocol {
		return fmt.Errorf("protocol %d, not %d", load.Protocol, worker.Protocol)
	}
	rules, err := open(ctx, load)
	if err != nil {
		return worker.Send(out, worker.Loaded{Error: err.Error()})
	}
	if err := worker.Send(out, worker.Loaded{Rules: rules.Rules()}); err != nil {
		return err
	}
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

func open(ctx context.Context, load worker.Load) (*Rego, error) {
	sources := []engine.Source{engine.EmbeddedPack()}
	for _, s := range load.Sources {
		files := fstest.MapFS{}
		for name, text := range s.Files {
			files[name] = &fstest.MapFile{Data: text}
		}
		sources = append(sources, engine.Source{Name: s.Name, FS: files})
	}
	return New(ctx, Options{TimeLimit: time.Duration(load.TimeLimit), WithoutPack: true}, sources...)
}
