package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Text writes the update for people: what comes with "+", what goes with "-".
func (u *Update) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	for i := range u.Bundles {
		p.updatedBundle(&u.Bundles[i])
	}
	for i, c := range u.Settings {
		if i == 0 {
			p.line("%s", s.paint(bold, "settings"))
		}
		p.line("  %s: %s -> %s", Escape(c.Name), choose(c.Before == "", "not set", Escape(c.Before)), choose(c.After == "", "not set", Escape(c.After)))
	}
	for i := range u.Jails {
		if err := p.jailChange(&u.Jails[i]); err != nil {
			return err
		}
	}
	if u.Summary.Jails > 0 {
		p.line("%s", u.Summary.text())
	}
	for _, l := range u.Locks {
		p.line("%s: %s", Escape(l.File), l.text())
	}
	return p.err
}

// text is the sentence that people look for.
func (s UpdateSummary) text() string {
	of := fmt.Sprintf("of your %s", plural(s.Jails, "jail"))
	text := fmt.Sprintf("this update newly denies %d %s", s.NewlyDenied, of)
	if s.NewlyAllowed > 0 {
		text += fmt.Sprintf(", newly allows %d", s.NewlyAllowed)
	}
	text += fmt.Sprintf("; the findings of %d change", s.Changed)
	if s.Broken > 0 {
		text += fmt.Sprintf("; %d could not be judged", s.Broken)
	}
	return text
}

func (l UpdatedLock) text() string {
	switch l.Change {
	case "moved":
		return choose(l.First, "written, the first one", "moved")
	case "available":
		return choose(l.First, "there is none yet", "an update is there") + ", and --check wrote nothing"
	case "failed":
		return "not moved: " + Escape(l.Error)
	}
	return "up to date"
}

func (p *printer) updatedBundle(b *UpdatedBundle) {
	p.line("%s (policy %q of the %s, %s)", p.style.paint(bold, lineStart(b.Source)), b.Policy, b.Layer, Escape(b.Lock))
	before, after := "none", "none"
	switch {
	case b.Before != nil && b.Unusable != "":
		before = b.Before.text() + "; here " + Escape(b.Unusable)
	case b.Before != nil:
		before = b.Before.text()
	case b.Unusable != "":
		before += ": " + Escape(b.Unusable)
	}
	if b.After != nil {
		after = b.After.text()
	}
	switch {
	case b.Error != "":
		p.section("  failed", Escape(b.Error))
		p.section("  stays", before)
	case b.Before != nil && b.Before.Digest == b.After.Digest:
		p.section("  newest", before)
	default:
		p.section("  before", before)
		p.section("  after", after)
	}
	if b.Before != nil && b.After != nil && b.Before.Key != b.After.Key {
		p.section("  key", "another one signed it")
	}
	for _, r := range b.Rules {
		p.line("  %s rule %s", p.sign(r.Change), ruleChange(r))
	}
	for _, f := range b.Files {
		p.line("  %s file %s", p.sign(f.Change), Escape(f.Path))
	}
}

func (s *BundleState) text() string {
	text := fmt.Sprintf("revision %s, %s", Escape(s.Revision), s.Digest)
	if s.Key != "" {
		text += ", signed by " + s.Key[:16]
	}
	if s.Expires != nil {
		text += ", last day " + bundle.LastDay(*s.Expires)
	}
	return text
}

func (p *printer) sign(c bundle.Change) string {
	switch c.Kind {
	case "added":
		return p.style.paint(red, "+")
	case "removed":
		return p.style.paint(green, "-")
	}
	return p.style.paint(yellow, "~")
}

func ruleChange(r bundle.RuleChange) string {
	text := Escape(r.ID) + " " + Escape(r.Severity)
	if r.Before != "" {
		text = fmt.Sprintf("%s %s -> %s", Escape(r.ID), Escape(r.Before), Escape(r.Severity))
	}
	if r.Source {
		text += ", another text"
	}
	return text + ": " + Escape(r.Title)
}

func (p *printer) jailChange(c *JailChange) error {
	p.line("%s: %s -> %s", p.style.paint(bold, lineStart(c.Name)), c.Before, c.After)
	if c.Error != "" {
		p.line("  %s", Escape(c.Error))
	}
	for _, side := range []struct {
		sign, color string
		found       []finding.Finding
	}{{"+", red, c.New}, {"-", green, c.Gone}} {
		for _, f := range side.found {
			p.line("  %s %s %s: %s", p.style.paint(side.color, side.sign), strings.TrimSpace(string(f.Status)+" "+string(f.Severity)), f.Rule, Escape(f.Message))
			p.line("      subject: %s", Escape(f.Subject.String()))
		}
	}
	return p.err
}
