package report

import (
	"fmt"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/notation"
)

// ruleExample is one side of a rule's example, in every notation.
type ruleExample struct {
	name         string // "avoid" or "prefer"
	given, setup string
	forms        notation.Forms
}

// examplesOf returns the two sides of r's example, or none.
func examplesOf(r engine.Rule) ([]ruleExample, error) {
	if r.Avoid == nil || r.Prefer == nil {
		return nil, nil
	}
	avoid, prefer, err := formsOf(*r.Avoid, *r.Prefer)
	if err != nil {
		return nil, fmt.Errorf("rule %s: example: %w", r.ID, err)
	}
	return []ruleExample{
		{"avoid", r.Avoid.Given, r.Avoid.Setup, avoid},
		{"prefer", r.Prefer.Given, r.Prefer.Setup, prefer},
	}, nil
}

// formsOf: where there is nothing to avoid, it is the lack of what is preferred.
func formsOf(avoid, prefer engine.Example) (a, p notation.Forms, err error) {
	if p, err = notation.Of(prefer.Bwrap); err != nil {
		return a, p, err
	}
	if avoid.Bwrap == "" {
		a, err = notation.Without(prefer.Bwrap)
	} else {
		a, err = notation.Of(avoid.Bwrap)
	}
	return a, p, err
}

// lines are the example's, each with the name of its notation.
func (x ruleExample) lines() []string {
	var lines []string
	add := func(head string, texts []string) {
		for _, t := range texts {
			for i, l := range strings.Split(t, "\n") {
				if i > 0 {
					head = ""
				}
				lines = append(lines, pad(head, 10)+l)
			}
		}
	}
	if x.given != "" {
		add("given", []string{x.given})
	}
	if x.setup != "" {
		add("after", []string{x.setup})
	}
	add("bwrap", x.forms.Bwrap)
	for _, a := range x.forms.Add {
		add("--add", []string{"'" + a + "'"})
	}
	add("profile", x.forms.Profile)
	add("jail.nix", x.forms.Nix)
	return lines
}

// otherSeverity is one to show how a rule's is changed.
func otherSeverity(s finding.Severity) finding.Severity {
	if s == finding.Error {
		return finding.Warning
	}
	return finding.Error
}
