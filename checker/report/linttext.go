package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// lintText writes for people.
type lintText struct {
	text    *Text
	explain bool
	// rules are those that were printed about and are not explained yet.
	rules  ruleSet
	broken []string // names, a few of them
}

func newLintText(w io.Writer, o LintOptions) Lint {
	least := finding.Warning
	if o.Verbose {
		least = finding.Info
	}
	return &lintText{text: &Text{W: w, Least: least, Style: o.Style}, explain: o.Explain}
}

// mostBroken is how many targets without a verdict are named once more at the end.
const mostBroken = 10

func (l *lintText) Target(t *Target) error {
	if t.Verdict == Broken { // said on standard error
		if len(l.broken) < mostBroken {
			l.broken = append(l.broken, t.Name)
		}
		return nil
	}
	left, err := l.text.Findings(t.Findings)
	if err != nil {
		return err
	}
	if l.explain {
		l.rules.found(t)
	}
	return l.text.Summary(t, left)
}

func (l *lintText) Close(s Summary) error {
	p := &printer{w: l.text.W, style: l.text.Style}
	for _, r := range l.rules.list() {
		p.line("")
		if err := p.rulePage(r); err != nil {
			return err
		}
	}
	if s.Targets > 1 || s.PassedOver > 0 { // else all is said
		text := fmt.Sprintf("%s: %d allowed, %d refused, %d not judged: %s, %s, %s%s%s", plural(s.Targets, "jail"), s.Allowed, s.Denied, s.Broken,
			plural(s.Errors, "error"), plural(s.Warnings, "warning"), plural(s.Infos, "info"), undecided(s.Undecided), passedOver(s.PassedOver))
		p.line("%s", strings.Join(wrap(text, p.style.Width-2), "\n  "))
		for _, name := range l.broken {
			p.line("not judged: %s", lineStart(name))
		}
		if more := s.Broken - len(l.broken); more > 0 {
			p.line("not judged: %d more", more)
		}
	}
	return p.err
}

func passedOver(files int) string {
	if files == 0 {
		return ""
	}
	return fmt.Sprintf("; %s passed over", plural(files, "file"))
}

// lineStart is Escape for text that begins a line: a CI system must not take a
// file's name for a command of its own.
func lineStart(s string) string {
	if strings.HasPrefix(s, ":") || strings.HasPrefix(s, "#") || strings.HasPrefix(s, " ") {
		s = "./" + s
	}
	return Escape(s)
}

// ruleSet collects rules, each once.
type ruleSet struct {
	order []engine.Rule
	known map[string]bool
}

func (s *ruleSet) add(r engine.Rule) {
	if s.known == nil {
		s.known = map[string]bool{}
	}
	if !s.known[r.ID] {
		s.known[r.ID] = true
		s.order = append(s.order, r)
	}
}

// found adds the rules that found something in t.
func (s *ruleSet) found(t *Target) {
	has := map[string]bool{}
	for _, f := range t.Findings {
		has[f.Rule] = true
	}
	for _, r := range t.RuleSet {
		if has[r.ID] {
			s.add(r)
		}
	}
}

func (s *ruleSet) list() []engine.Rule { return append([]engine.Rule{}, s.order...) }
