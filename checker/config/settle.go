package config

import (
	"fmt"
	"slices"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Setting is how the findings of one rule count.
type Setting struct {
	Severity finding.Severity // of the rule's worst; what it finds less serious stays less
	Observe  bool             // reported, and never the reason for a refusal
	Waivable bool
	Waivers  []Waiver
	From     *From // who said so last; nil for the rule's own
}

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

// Settle applies what the files say of rules to those that exist, known by their
// severity. Naming one that does not exist is an error, an hclfile.Diagnostics,
// for a misspelt id would silently leave the rule as it is.
func (c *Config) Settle(known map[string]finding.Severity) (*Settled, error) {
	s := &Settled{rules: make(map[string]*Setting, len(known))}
	ids := make([]string, 0, len(known))
	for id, severity := range known {
		s.rules[id] = &Setting{Severity: severity}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var unknown hclfile.Diagnostics
	for i, f := range c.Files {
		if i == 0 || f.Layer != c.Files[i-1].Layer {
			s.layer(c, f.Layer)
		}
		for _, r := range f.Rules {
			if s.rules[r.ID] == nil {
				unknown = append(unknown, hclfile.Diagnostic{Pos: r.Pos, Message: "there is no rule of this id" + hclfile.DidYouMean(r.ID, ids)})
			}
		}
	}
	if unknown != nil {
		return nil, unknown
	}
	s.waivers(c, ids)
	return s, nil
}

// layer applies the rule blocks of one layer's files. Against them stands what
// the layers above hold together.
func (s *Settled) layer(c *Config, l Layer) {
	floor := map[string]Setting{}
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
				floor[r.ID] = *now
			}
			s.rule(c, r, now, floor[r.ID])
		}
	}
}

func (s *Settled) rule(c *Config, r Rule, now *Setting, floor Setting) {
	free, from := c.free(r.Layer), &From{r.Layer, r.Pos}
	ignore := func(what string) {
		var i Config
		i.ignore(r.Layer, r.Pos, fmt.Sprintf("%s for rule %q", what, r.ID))
		i.Ignored[0].Remedy = fmt.Sprintf(`delete it, or write rule %q { waivable = true } in %s`, r.ID, c.above(r.Layer))
		s.Ignored = append(s.Ignored, i.Ignored...)
	}
	if r.Severity != "" {
		if free || floor.Waivable || r.Severity.Rank() >= floor.Severity.Rank() {
			now.Severity = r.Severity
			now.From = from
		} else {
			ignore(fmt.Sprintf("severity = %q", r.Severity))
		}
	}
	if r.Mode != "" {
		if free || floor.Waivable || floor.Observe || r.Mode == Enforce {
			now.Observe = r.Mode == Observe
			now.From = from
		} else {
			ignore(`mode = "observe"`)
		}
	}
	if r.Waivable {
		if free || floor.Waivable {
			now.Waivable = true
			now.From = from
		} else {
			ignore("waivable = true")
		}
	}
}

// above names the file that could allow a layer more.
func (c *Config) above(l Layer) string {
	if l == Project && c.top != Organisation {
		return "your own ocjail.hcl (ocjail config show names it)"
	}
	return "the organisation's ocjail.hcl"
}
