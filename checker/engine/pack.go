package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/engine/plan"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/policy"
)

// AnswerName is the variable that the query of a compiled pack binds: to an object
// of what each rule found, by the rule's index.
const AnswerName = "found"

// Pack evaluates rules that were compiled beforehand: the embedded pack, when
// ocjail was built, or those of a bundle.
type Pack struct {
	program *plan.Program
	rules   []Rule
	foreign []bool // by rule: returns what conftest's do; nil for none
	limit   time.Duration
}

var _ Engine = (*Pack)(nil)

// OpenPack loads the compiled pack and extends its lists by those list files that
// are for it; the others are ignored. The time limit of one evaluation is
// DefaultTimeLimit when zero.
func OpenPack(limit time.Duration, more ...File) (*Pack, error) {
	return openPack(embedded, limit, more)
}

var embedded = sync.OnceValues(func() (*plan.Program, error) { return plan.Open(policy.Plan) })

func openPack(compiled func() (*plan.Program, error), limit time.Duration, more []File) (*Pack, error) {
	if limit < 0 {
		return nil, fmt.Errorf("time limit %s: must be positive", limit)
	}
	program, err := compiled()
	if err != nil {
		return nil, fmt.Errorf("rule pack: %w", err)
	}
	data := program.Data
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
			data, err = plan.Extend(data, f.Keys(), v)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
	}
	if program, err = program.WithData(data); err != nil {
		return nil, fmt.Errorf("rule pack: %w", err)
	}
	return &Pack{program, rules, nil, limit}, nil
}

// OpenPlan loads what planner.Others made of other rules than the pack's. Nobody's
// lists extend theirs.
func OpenPlan(limit time.Duration, layer string, compiled []byte) (*Pack, error) {
	program, err := plan.Load(compiled)
	if err != nil {
		return nil, fmt.Errorf("compiled rules: %w", err)
	}
	p := &Pack{program: program, limit: limit}
	parts, _ := plan.Elements(program.Meta)
	if len(parts) != 2 {
		return nil, errors.New("compiled rules: they are not described")
	}
	if p.rules, err = readRules(parts[0]); err != nil {
		return nil, err
	}
	foreign, _ := plan.Elements(parts[1])
	if len(foreign) != len(p.rules) {
		return nil, errors.New("compiled rules: their forms are not described")
	}
	for i := range p.rules {
		p.rules[i].Layer = layer
		p.foreign = append(p.foreign, foreign[i] == plan.Bool(true))
	}
	return p, nil
}

// Prepare reads the rules that are read when they are first needed otherwise.
func (p *Pack) Prepare() { p.program.Read() }

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

// Document is a policy input that several packs judge.
type Document struct{ value plan.Value }

// NewDocument takes what encoding/json would write as the policy input.
func NewDocument(input any) (Document, error) {
	doc, err := plan.Of(input)
	if err != nil {
		return Document{}, fmt.Errorf("policy input: %w", err)
	}
	return Document{doc}, nil
}

// Judge is Evaluate without reading JSON.
func (p *Pack) Judge(ctx context.Context, input Document) ([]finding.Finding, error) {
	return p.judge(ctx, input.value)
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
			read := r.Finding
			if p.foreign != nil && p.foreign[i] {
				read = r.Foreign
			}
			f, err := read(doc)
			if err != nil {
				return nil, fmt.Errorf("rule %s: finding %s: %w", r.ID, doc, err)
			}
			all = append(all, f)
		}
	}
	finding.Sort(all)
	return all, nil
}
