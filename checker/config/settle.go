package config

import (
	"fmt"
	"maps"
	"slices"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/param"
	"github.com/refnil/opencode-jail-devenv/checker/spelling"
)

// Known is a rule that exists.
type Known struct {
	Severity finding.Severity // of its worst findings
	Layer    Layer            // whose rule it is
	// Params is what it can be told; nil where it does not say, which for one of
	// ocjail's own is nothing.
	Params *param.Schema
}

// Setting is how the findings of one rule count, and what it is told.
type Setting struct {
	Severity   finding.Severity // of the rule's worst; what it finds less serious stays less
	Observe    bool             // reported, and never the reason for a refusal
	Waivable   bool             // a project's file may loosen it
	Waivers    []Waiver
	Params     map[string]any  // complete; nil where there are none
	ParamsFrom map[string]From // who said which; of no default
	From       *From           // who said so last; nil for the rule's own

	known Known
	// held is the most trusted layer that has tightened a waivable rule without saying
	// that it still is: those below it may loosen it no more. Zero for none.
	held Layer
}

// loosens tells whether files of a layer may loosen or waive a rule that is waivable.
func (s Setting) loosens(l Layer) bool { return s.Waivable && (s.held == 0 || l <= s.held) }

// Settled is what holds for the rules that exist.
type Settled struct {
	rules   map[string]*Setting
	Ignored []Ignored
	Waivers []WaiverProblem
}

// Of returns the setting of a rule; of one that was not given to Settle, which
// is none of the pack's, what it says itself.
func (s *Settled) Of(id string) Setting {
	if r := s.rules[id]; r != nil {
		return *r
	}
	return Setting{}
}

// Params returns what each rule is told, by its ID; a rule without parameters has
// none.
func (s *Settled) Params() map[string]map[string]any {
	all := map[string]map[string]any{}
	for id, r := range s.rules {
		if r.Params != nil {
			all[id] = r.Params
		}
	}
	return all
}

// Settle applies what the files say of rules to those that exist. Naming one, or
// a parameter, that does not exist is an error, an hclfile.Diagnostics, for a
// misspelt id would silently leave the rule as it is.
func (c *Config) Settle(known map[string]Known) (*Settled, error) {
	s := &Settled{rules: make(map[string]*Setting, len(known))}
	ids := slices.Sorted(maps.Keys(known))
	for id, k := range known {
		s.rules[id] = &Setting{Severity: k.Severity, known: k}
	}
	var wrong hclfile.Diagnostics
	for i, f := range c.Files {
		if i == 0 || f.Layer != c.Files[i-1].Layer {
			s.layer(c, f.Layer)
		}
		for _, r := range f.Rules {
			if k, ok := known[r.ID]; ok {
				wrong = append(wrong, k.problems(r)...)
			} else {
				wrong = append(wrong, hclfile.Diagnostic{Pos: r.Pos, Message: "there is no rule of this id" + spelling.DidYouMean(r.ID, ids)})
			}
		}
	}
	if wrong != nil {
		return nil, wrong
	}
	s.waivers(c, ids)
	for _, r := range s.rules {
		r.Waivable = r.loosens(Project)
	}
	return s, s.completeParams(ids)
}

// layer applies the rule blocks of one layer's files. Against them stands what
// the layers above hold together.
func (s *Settled) layer(c *Config, l Layer) {
	floor := map[string]Setting{}
	tightened, waivable := map[string]bool{}, map[string]bool{}
	for _, f := range c.Files {
		if f.Layer != l {
			continue
		}
		for _, r := range f.Rules {
			now := s.rules[r.ID]
			if now == nil {
				continue
			}
			if _, ok := floor[r.ID]; !ok {
				held := *now
				held.Params = maps.Clone(now.Params)
				floor[r.ID] = held
			}
			s.rule(c, r, now, floor[r.ID])
			tightened[r.ID] = tightened[r.ID] || r.Mode == Enforce || r.Severity != "" && r.Severity.Rank() >= floor[r.ID].Severity.Rank()
			waivable[r.ID] = waivable[r.ID] || r.Waivable
		}
	}
	for id := range tightened {
		if r := s.rules[id]; floor[id].loosens(l) && tightened[id] && !waivable[id] {
			r.held = l
		}
	}
}

func (s *Settled) rule(c *Config, r Rule, now *Setting, floor Setting) {
	free, from := c.free(r.Layer) || floor.loosens(r.Layer), &From{r.Layer, r.Pos}
	ignore := func(what string) { s.ignore(c, r, r.Pos, what) }
	if r.Severity != "" {
		if free || r.Severity.Rank() >= floor.Severity.Rank() {
			now.Severity = r.Severity
			now.From = from
		} else {
			ignore(fmt.Sprintf("severity = %q", r.Severity))
		}
	}
	if r.Mode != "" {
		if free || floor.Observe || r.Mode == Enforce {
			now.Observe = r.Mode == Observe
			now.From = from
		} else {
			ignore(`mode = "observe"`)
		}
	}
	if r.Waivable {
		if free {
			now.Waivable = true
			now.From = from
		} else {
			ignore("waivable = true")
		}
	}
	s.params(c, r, now, floor)
}

// ignore notes what the file of a rule block is not trusted with.
func (s *Settled) ignore(c *Config, r Rule, at hclfile.Pos, what string) {
	s.ignored(c, r.ID, r.Layer, at, fmt.Sprintf("%s for rule %q", what, r.ID))
}

// ignored notes what a layer's file says of a rule and is not trusted with.
func (s *Settled) ignored(c *Config, id string, l Layer, at hclfile.Pos, what string) {
	var i Config
	i.ignore(l, at, what)
	i.Ignored[0].Remedy = fmt.Sprintf(`delete it, or write rule %q { waivable = true } in %s`, id, c.above(l, s.rules[id].held))
	s.Ignored = append(s.Ignored, i.Ignored...)
}

// above names the file that could allow a layer more; held is the layer that has
// tightened what may be loosened, zero for none.
func (c *Config) above(l, held Layer) string {
	switch {
	case held.above():
		return "the ocjail.hcl of the project above (ocjail config show names it)"
	case held == User, held == 0 && l.Untrusted() && c.top != Organisation:
		return "your own ocjail.hcl (ocjail config show names it)"
	}
	return "the organisation's ocjail.hcl"
}
