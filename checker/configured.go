package checker

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// What is wrong with the configuration itself.
const (
	ruleWeakening = "config/untrusted-weakening"
	ruleWaiver    = "config/waiver"
)

// configRules says of these checks what METADATA says of the pack's rules.
var configRules = []engine.Rule{
	{
		ID: ruleWeakening, Severity: finding.Error, Title: "A less trusted file asks for less",
		Description: "The agent can write the project's ocjail.hcl and devenv.nix, so what they say can only tighten the check; likewise the user's " +
			"file below an organisation's. What would loosen it is ignored: a lint fails, to have it removed, and a launch goes on without it.",
		Remedy: "delete it, or have a more trusted file allow it: waivable = true for a rule, project = [\"observe\"] for the gate's mode",
		URL:    documentation,
	},
	{
		ID: ruleWaiver, Severity: finding.Warning, Title: "A waiver does not count",
		Description: "An exception that has expired, that names no rule or that would cover everything waives nothing. " +
			"One that has nothing to waive in this jail is an info: it may be meant for another.",
		Remedy: "renew, correct or delete it",
		URL:    documentation,
	},
}

// documentation of the configuration.
const documentation = "https://github.com/refnil/opencode-jail-devenv#configuration"

// waiver returns the one that covers a finding.
func (c *Checker) waiver(set config.Setting, f *finding.Finding, j *Jail, now time.Time) (config.Waiver, bool) {
	for _, w := range set.Waivers {
		if why, _ := c.late(w, now); why == "" && w.Matches(f.Subject.String(), j.Facts.HomeReal, j.Facts.ProjectRoot) {
			return w, true
		}
	}
	return config.Waiver{}, false
}

// used returns the waivers that cover a finding, each once.
func (c *Checker) used(j *Jail, found []finding.Finding, now time.Time) []config.Waiver {
	var used []config.Waiver
	for i := range found {
		if found[i].Status != finding.Waived {
			continue
		}
		w, ok := c.waiver(c.rules.Of(found[i].Rule), &found[i], j, now)
		if ok && !slices.ContainsFunc(used, func(o config.Waiver) bool { return o.Rule == w.Rule && o.Pos == w.Pos }) {
			used = append(used, w)
		}
	}
	return used
}

// configured returns what is wrong with the configuration, given what the rules
// found.
func (c *Checker) configured(j *Jail, found []finding.Finding, now time.Time) []finding.Finding {
	var all []finding.Finding
	add := func(rule string, s finding.Severity, message, remedy string, at hclfile.Pos) {
		r := ownRule(rule)
		f := finding.Finding{Rule: rule, Severity: s, Title: r.Title, URL: r.URL, Message: message, Subject: finding.Subject{Kind: "config", Name: at.String()}, Remedy: remedy}
		if at.Line > 0 {
			f.Origin = &finding.Origin{File: at.File, Line: at.Line}
		} else {
			f.Origin = &finding.Origin{Option: at.File}
		}
		all = append(all, f)
	}
	// What is ignored opens nothing, so it stops no launch; a lint is there to have
	// it removed.
	severity := finding.Error
	if j.Phase == Launch {
		severity = finding.Warning
	}
	for _, i := range c.Ignored() {
		add(ruleWeakening, severity, i.Message, i.Remedy, i.Pos)
	}
	for _, p := range c.WaiverProblems(now) {
		add(ruleWaiver, c.rules.Of(ruleWaiver).Severity, p.Message, p.Remedy, p.Pos)
	}
	for id := range c.worst {
		for _, w := range c.rules.Of(id).Waivers {
			if why, _ := c.late(w, now); why == "" && !waives(w, j, found) { // it may be for another jail
				add(ruleWaiver, finding.Info, fmt.Sprintf("the waiver of %s for %s waives nothing in this jail", w.Rule, w.Subject), "delete it if no other jail needs it", w.Pos)
			}
		}
	}
	return all
}

// WaiverProblems are the waivers that do not count at a time, in any jail.
func (c *Checker) WaiverProblems(now time.Time) []config.WaiverProblem {
	all := slices.Clone(c.rules.Waivers)
	for _, id := range slices.Sorted(maps.Keys(c.worst)) {
		for _, w := range c.rules.Of(id).Waivers {
			if message, remedy := c.late(w, now); message != "" {
				all = append(all, config.WaiverProblem{Waiver: w, Message: message, Remedy: remedy})
			}
		}
	}
	return all
}

// late says why a waiver does not count at a time, or "".
func (c *Checker) late(w config.Waiver, now time.Time) (message, remedy string) {
	if w.Expired(now) {
		return fmt.Sprintf("the waiver of %s for %s has expired", w.Rule, w.Subject), "mend what it waived, or have its owner renew it"
	}
	if most, long := c.config.TooLong(w, now); long {
		return fmt.Sprintf("the waiver of %s for %s expires later than %d days from now, the most that is allowed here", w.Rule, w.Subject, most/(24*time.Hour)), "let it expire earlier"
	}
	return "", ""
}

func waives(w config.Waiver, j *Jail, found []finding.Finding) bool {
	return slices.ContainsFunc(found, func(f finding.Finding) bool {
		return f.Rule == w.Rule && w.Matches(f.Subject.String(), j.Facts.HomeReal, j.Facts.ProjectRoot)
	})
}
