package checker

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/notation"
)

// Checker judges jails by the rule pack and a configuration.
type Checker struct {
	engine *engines
	config *config.Config
	rules  *config.Settled
	worst  map[string]finding.Severity // as each rule declares it
}

// Report is the outcome for one jail.
type Report struct {
	Jail     *Jail
	Input    *Input
	Findings []finding.Finding // in report order
	Rules    int               // how many rules judged
	Waivers  []config.Waiver   // those that were used
	Policies string            // SHA-256 sum of all rules and lists, in hexadecimal
}

// Denied tells whether the jail must not start.
func (r *Report) Denied() bool { return finding.Count(r.Findings, finding.Error) > 0 }

// Open loads the rule pack and the configuration's policies, and checks that the
// configuration fits them. Like Start it must be called on the main thread.
func Open(ctx context.Context, c *config.Config, at Where, k Keeping) (*Checker, error) {
	return Start(ctx, c, at, k)()
}

// Start opens a checker beside other work, for compiling the policies takes longer
// than gathering facts. The function that it returns waits for the outcome; it
// may be called more than once. The program that judges by the policies ends with
// the thread that calls Start, at the latest. Where there is none nothing is begun: two
// processors have enough to do until the rules are needed.
func Start(ctx context.Context, c *config.Config, at Where, k Keeping) func() (*Checker, error) {
	more, err := sources(c, at)
	var e *engines
	if err == nil {
		e, err = startEngines(c.Gate.Timeout, more, k)
	}
	if err != nil {
		return func() (*Checker, error) { return nil, err }
	}
	open := sync.OnceValues(func() (*Checker, error) { return newChecker(ctx, e, c) })
	if e.others == nil {
		return open
	}
	go func() {
		if opened, err := open(); err == nil { // else whoever calls the function gets the error
			opened.engine.pack.Prepare()
		}
	}()
	return open
}

func newChecker(ctx context.Context, e *engines, c *config.Config) (checker *Checker, err error) {
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	if err := e.open(ctx); err != nil {
		return nil, err
	}
	checker = &Checker{engine: e, config: c, worst: map[string]finding.Severity{}}
	known := map[string]config.Known{}
	for _, r := range checker.Rules() {
		if _, taken := checker.worst[r.ID]; taken { // else a project's could stand in for it, less severe
			return nil, fmt.Errorf("a policy defines rule %s, which is ocjail's own: rename its package", r.ID)
		}
		checker.worst[r.ID] = r.Severity
		layer, err := layerOf(r)
		if err != nil {
			return nil, err
		}
		known[r.ID] = config.Known{Severity: r.Severity, Layer: layer, Params: r.Params}
	}
	if checker.rules, err = c.Settle(known); err != nil {
		return nil, err
	}
	return checker, nil
}

func layerOf(r engine.Rule) (config.Layer, error) {
	if r.Layer == "" {
		return config.Embedded, nil
	}
	return config.ParseLayer(r.Layer)
}

// Close ends what judges; nothing can be checked from then on.
func (c *Checker) Close() { c.engine.close() }

// Rules returns all rules with the severities that they declare, in order of
// their IDs: those of the engine, and gate/… and config/…, which need none.
func (c *Checker) Rules() []engine.Rule {
	rules := slices.Concat(c.engine.rules(), gateRules, reviewRules, configRules)
	slices.SortFunc(rules, func(a, b engine.Rule) int { return cmp.Compare(a.ID, b.ID) })
	return rules
}

// Setting tells how the findings of a rule count.
func (c *Checker) Setting(id string) config.Setting { return c.rules.Of(id) }

// Ignored is what the configuration asked for beyond its files' trust.
func (c *Checker) Ignored() []config.Ignored { return slices.Concat(c.config.Ignored, c.rules.Ignored) }

// Check evaluates every rule on j. An error means that no rule has judged, and a
// launch must not go on then; with a [ReachError] that is the verdict.
func (c *Checker) Check(ctx context.Context, j *Jail) (*Report, error) {
	now := time.Now()
	in, err := c.input(j, now)
	if err != nil {
		return nil, err
	}
	doc, err := c.engine.begin(ctx, in)
	if err != nil {
		return nil, err
	}
	found, err := c.engine.judge(ctx, doc)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	found = append(found, j.structural()...)
	for i := range found {
		c.finish(&found[i], j, in, now)
	}
	found = append(found, c.configured(j, found, now)...)
	finding.Sort(found)
	return &Report{Jail: j, Input: in, Findings: found, Rules: len(c.engine.rules()), Waivers: c.used(j, found, now), Policies: c.engine.digest}, nil
}

// input is what j is judged by.
func (c *Checker) input(j *Jail, now time.Time) (*Input, error) {
	if err := j.sound(); err != nil {
		return nil, err
	}
	if err := c.untouchable(j); err != nil {
		return nil, err
	}
	in, err := j.Input(now)
	if err != nil {
		return nil, fmt.Errorf("policy input: %w", err)
	}
	in.Params = c.rules.Params()
	return in, nil
}

// finish adds where the subject comes from and the configured severity.
func (c *Checker) finish(f *finding.Finding, j *Jail, in *Input, now time.Time) {
	if i := f.Subject.Index; f.Origin == nil && i != nil && *i >= 0 && *i < len(in.Jail.Mounts) {
		m := in.Jail.Mounts[*i]
		f.Origin = j.origin(m.Origin)
		if f.Origin != nil && f.Origin.Combinator == "" {
			f.Origin.Combinator = m.Op
		}
	}
	if f.Options != nil {
		f.Remedy += ": " + notation.Line(f.Options, j.notation(f.Origin))
	}
	set := c.rules.Of(f.Rule)
	worst := c.worst[f.Rule]
	// A configured severity replaces the rule's own; what a rule itself reports as
	// less than its worst stays less.
	if set.Severity != worst && (f.Severity == worst || f.Severity.Rank() > set.Severity.Rank()) {
		f.Severity = set.Severity
	}
	if set.Observe {
		f.Status, f.Because = finding.Observed, "the rule is observed, not enforced"
	}
	if w, ok := c.waiver(set, f, j, now); ok {
		f.Status = finding.Waived
		f.Because = fmt.Sprintf("%s (waived by %s until %s, %s)", w.Reason, w.Owner, w.LastDay(), w.Pos)
	}
}
