package checker

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/opa"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// engines judge by the rules of each; no rule is in two of them.
type engines []engine.Engine

// openEngines opens that of the pack, which the sources' lists extend, and one
// for the sources' rules, if they have any.
func openEngines(ctx context.Context, limit time.Duration, sources []engine.Source) (engines, error) {
	files, err := engine.Read(sources...)
	if err != nil {
		return nil, err
	}
	pack, err := engine.OpenPack(limit, files...)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(files, func(f engine.File) bool { return !f.IsList() }) {
		return engines{pack}, nil
	}
	others, err := opa.New(ctx, opa.Options{TimeLimit: limit, WithoutPack: true}, append([]engine.Source{engine.EmbeddedPack()}, sources...)...)
	if err != nil {
		return nil, err
	}
	return engines{pack, others}, nil
}

// Rules implements engine.Engine.
func (e engines) Rules() []engine.Rule {
	var rules []engine.Rule
	for _, each := range e {
		rules = append(rules, each.Rules()...)
	}
	slices.SortFunc(rules, func(a, b engine.Rule) int { return cmp.Compare(a.ID, b.ID) })
	return rules
}

// Evaluate implements engine.Engine.
func (e engines) Evaluate(ctx context.Context, input []byte) ([]finding.Finding, error) {
	var all []finding.Finding
	for _, each := range e {
		found, err := each.Evaluate(ctx, input)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	finding.Sort(all)
	return all, nil
}
