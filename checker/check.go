package checker

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Checker judges jails by the rule pack and a configuration.
type Checker struct {
	engine engine.Engine
	config *config.Config
}

// Report is the outcome for one jail.
type Report struct {
	Jail     *Jail
	Input    *Input
	Findings []finding.Finding // in report order
	Rules    int               // how many rules judged
}

// Denied tells whether the jail must not start.
func (r *Report) Denied() bool { return finding.Count(r.Findings, finding.Error) > 0 }

// Open loads the rule pack and checks that the configuration fits it.
func Open(ctx context.Context, c *config.Config) (*Checker, error) {
	e, err := engine.NewRego(ctx, engine.Options{TimeLimit: c.Gate.Timeout}, engine.Pack())
	if err != nil {
		return nil, fmt.Errorf("rule pack: %w", err)
	}
	checker := &Checker{engine: e, config: c}
	var ids []string
	for _, r := range checker.Rules() {
		ids = append(ids, r.ID)
	}
	if err := c.CheckRules(ids); err != nil {
		return nil, err
	}
	return checker, nil
}

// Start opens a checker beside other work, for compiling the rules takes longer
// than gathering facts. The function that it returns waits for the outcome; it
// may be called more than once.
func Start(ctx context.Context, c *config.Config) func() (*Checker, error) {
	open := sync.OnceValues(func() (*Checker, error) { return Open(ctx, c) })
	go open() //nolint:errcheck // whoever calls the function gets the error
	return open
}

// Rules returns all rules with the severities that they declare, in order of
// their IDs: those of the engine, and gate/…, which need none.
func (c *Checker) Rules() []engine.Rule {
	rules := slices.Concat(c.engine.Rules(), gateRules)
	slices.SortFunc(rules, func(a, b engine.Rule) int { return cmp.Compare(a.ID, b.ID) })
	return rules
}

// Check evaluates every rule on j. An error means that there is no verdict; a
// launch must not go on then.
func (c *Checker) Check(ctx context.Context, j *Jail) (*Report, error) {
	in, err := j.Input(time.Now())
	if err != nil {
		return nil, fmt.Errorf("policy input: %w", err)
	}
	doc, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("policy input: %w", err)
	}
	found, err := c.engine.Evaluate(ctx, doc)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	found = append(found, j.structural()...)
	for i := range found {
		c.finish(&found[i], j, in)
	}
	finding.Sort(found)
	return &Report{Jail: j, Input: in, Findings: found, Rules: len(c.engine.Rules())}, nil
}

// finish adds where the subject comes from and the configured severity.
func (c *Checker) finish(f *finding.Finding, j *Jail, in *Input) {
	if i := f.Subject.Index; f.Origin == nil && i != nil && *i >= 0 && *i < len(in.Jail.Mounts) {
		m := in.Jail.Mounts[*i]
		f.Origin = j.origin(m.Origin)
		if f.Origin != nil && f.Origin.Combinator == "" {
			f.Origin.Combinator = m.Op
		}
	}
	for _, r := range c.config.Rules {
		// A configured severity replaces the rule's own; what a rule itself
		// reports as less than its worst stays less.
		if r.ID == f.Rule && (f.Severity.Rank() > r.Severity.Rank() || c.worst(f.Rule) == f.Severity) {
			f.Severity = r.Severity
		}
	}
}

// worst is the severity that the rule declares.
func (c *Checker) worst(id string) finding.Severity {
	for _, r := range c.Rules() {
		if r.ID == id {
			return r.Severity
		}
	}
	return finding.Error
}
