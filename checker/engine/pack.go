package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/engine/plan"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/policy"
)

// AnswerName is the variable that the query of a compiled pack binds: to an object
// of what each rule found, by the rule's index.
const AnswerName = "found"

// Pack evaluates the embedded rule pack, compiled when ocjail was built.
type Pack struct {
	program *plan.Program
	rules   []Rule
	limit   time.Duration
}

var _ Engine = (*Pack)(nil)

// OpenPack loads the compiled pack and extends its lists by those list files that
// are for it; the others are ignored. The time limit of one evaluation is
// DefaultTimeLimit when zero.
func OpenPack(limit time.Duration, more ...File) (*Pack, error) {
	return openPack(policy.Plan, limit, more)
}

func openPack(compiled []byte, limit time.Duration, more []File) (*Pack, error) {
	if limit < 0 {
		return nil, fmt.Errorf("time limit %s: must be positive", limit)
	}
	program, err := plan.Load(compiled)
	if err != nil {
		return nil, fmt.Errorf("rule pack: %w", err)
	}
	rules, err := readRules(program.Meta)
	if err != nil {
		return nil, err
	}
	for _, f := range more {
		if !f.IsList() || f.Keys()[0] != Reserved {
			continue
		}
		v, err := plan.ParseJSON(f.Text)
		if err == nil {
			program.Data, err = plan.Extend(program.Data, f.Keys(), v)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
	}
	return &Pack{program, rules, limit}, nil
}

// Rules implements Engine.
func (p *Pack) Rules() []Rule { return p.rules }

// Evaluate implements Engine.
func (p *Pack) Evaluate(ctx context.Context, input []byte) ([]finding.Finding, error) {
	doc, err := plan.ParseJSON(input)
	if err != nil {
		return nil, fmt.Errorf("policy input: %w", err)
	}
	return p.judge(ctx, doc)
}

// Judge is Evaluate for what encoding/json would write as the policy input.
func (p *Pack) Judge(ctx context.Context, input any) ([]finding.Finding, error) {
	doc, err := plan.Of(input)
	if err != nil {
		return nil, fmt.Errorf("policy input: %w", err)
	}
	return p.judge(ctx, doc)
}

func (p *Pack) judge(ctx context.Context, doc plan.Value) ([]finding.Finding, error) {
	if plan.Get(doc, plan.String("version")) != plan.Int(InputVersion) {
		return nil, fmt.Errorf("policy input: not an object of version %d", InputVersion)
	}
	ctx, stop := Limit(ctx, p.limit)
	defer stop()
	found, _, err := p.program.Run(ctx, doc)
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("evaluate rules: %w", context.Cause(ctx))
	case err != nil:
		return nil, fmt.Errorf("evaluate rules: %w", err)
	case len(found) != 1:
		return nil, errors.New("evaluate rules: no answer")
	}
	return p.findings(plan.Get(found[0], plan.String(AnswerName)))
}

func (p *Pack) findings(answer plan.Value) ([]finding.Finding, error) {
	var all []finding.Finding
	for i, r := range p.rules {
		v := plan.Get(answer, plan.Int(i))
		if v == nil {
			return nil, fmt.Errorf("rule %s: undefined for this input: a rule must always yield a set", r.ID)
		}
		elems, ok := plan.Elements(v)
		if !ok {
			return nil, fmt.Errorf("rule %s: returned no set of findings", r.ID)
		}
		for _, e := range elems {
			doc, err := plan.AppendJSON(nil, e)
			if err != nil {
				return nil, fmt.Errorf("rule %s: finding: %w", r.ID, err)
			}
			f, err := r.Finding(doc)
			if err != nil {
				return nil, fmt.Errorf("rule %s: finding %s: %w", r.ID, doc, err)
			}
			all = append(all, f)
		}
	}
	finding.Sort(all)
	return all, nil
}
