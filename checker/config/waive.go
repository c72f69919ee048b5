package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/spelling"
)

const day = 24 * time.Hour

// WaiverProblem is a waiver that does not count, and why.
type WaiverProblem struct {
	Waiver
	Message, Remedy string
}

// waivers gives each rule the waivers that its layer may write.
func (s *Settled) waivers(c *Config, ids []string) {
	for _, f := range c.Files {
		for _, w := range f.Waivers {
			rule := s.rules[w.Rule]
			problem := func(message, remedy string) {
				s.Waivers = append(s.Waivers, WaiverProblem{w, message, remedy})
			}
			switch {
			case rule == nil:
				problem(fmt.Sprintf("the waiver at %s names no rule: %q%s", w.Pos, w.Rule, spelling.DidYouMean(w.Rule, ids)), "correct the rule's id, or delete the waiver")
			case tooBroad(w.Subject):
				problem(fmt.Sprintf("the waiver at %s is ignored: its subject %q is too broad", w.Pos, w.Subject), "name the path or the variable; switch a whole rule off with its severity")
			case w.Layer != Organisation && !c.free(w.Layer) && !rule.loosens(w.Layer):
				s.ignored(c, w.Rule, w.Layer, w.Pos, fmt.Sprintf("the waiver of rule %q", w.Rule))
			default:
				rule.Waivers = append(rule.Waivers, w)
			}
		}
	}
}

// Expired tells whether w counts no more at a time.
func (w Waiver) Expired(now time.Time) bool { return !now.Before(w.Expires) }

// TooLong tells whether w, at a time, outlives what a more trusted file allows;
// most is that bound.
func (c *Config) TooLong(w Waiver, now time.Time) (most time.Duration, too bool) {
	l := c.longestWaiver
	if l == nil || c.free(w.Layer) {
		return 0, false
	}
	return l.Value, w.Expires.After(now.Add(l.Value + day)) // the day itself counts
}

// Matches tells whether w is about a subject: a host path, or a name. "~/" in
// its pattern is home, "{project}/" the project's root.
func (w Waiver) Matches(subject, home, project string) bool {
	p := w.Subject
	if rest, ok := strings.CutPrefix(p, "~/"); ok {
		p = escapePattern(home) + "/" + rest
	} else if rest, ok := strings.CutPrefix(p, "{project}/"); ok {
		p = escapePattern(project) + "/" + rest
	}
	return Match(p, subject)
}

// tooBroad is a pattern that says next to nothing of its subject.
func tooBroad(pattern string) bool {
	rest := strings.TrimPrefix(strings.TrimPrefix(pattern, "~/"), "{project}/")
	literal := strings.Map(func(r rune) rune {
		if strings.ContainsRune("*?[]/.", r) {
			return -1
		}
		return r
	}, rest)
	return len(literal) < 2
}
