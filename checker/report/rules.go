package report

import (
	"fmt"
	"io"

	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/engine"
)

// Rules is what `ocjail rules` prints: all rules as a list, or some as a page each.
type Rules struct {
	Version int           `json:"version"` // 1
	Rules   []engine.Rule `json:"rules"`
	Pages   bool          `json:"-"`
}

// Text writes the list or the pages for people.
func (r *Rules) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	if !r.Pages {
		p.ruleList(r.Rules)
		return p.err
	}
	for i, rule := range r.Rules {
		if i > 0 {
			p.line("")
		}
		if err := p.rulePage(rule); err != nil {
			return err
		}
	}
	return p.err
}

func (p *printer) ruleList(rules []engine.Rule) {
	width := 0
	for _, r := range rules {
		width = max(width, len(r.ID))
	}
	for _, r := range rules {
		severity := p.style.paint(severityColor[r.Severity], string(r.Severity)) + pad("", 7-len(r.Severity))
		p.line("%s  %s  %s", severity, pad(Escape(r.ID), width), Escape(r.Title+ofProject(r)))
	}
}

// ofProject marks a rule that an agent may have written.
func ofProject(r engine.Rule) string {
	if l, err := config.ParseLayer(r.Layer); err != nil || !l.Untrusted() {
		return ""
	}
	return " (this project's)"
}

func (p *printer) rulePage(r engine.Rule) error {
	p.line("%s %s", p.style.paint(bold, Escape(r.ID)), p.style.paint(severityColor[r.Severity], string(r.Severity)))
	p.section("title", Escape(r.Title+ofProject(r)))
	p.section("why", Escape(r.Description))
	if r.URL != "" {
		p.section("source", Escape(r.URL))
	}
	examples, err := examplesOf(r)
	if err != nil {
		return err
	}
	for _, x := range examples {
		name := x.name
		for _, l := range x.lines() {
			p.line("%s%s", p.style.paint(bold, name), pad("", sectionIndent-len(name))+Escape(l))
			name = ""
		}
	}
	if r.Remedy != "" {
		p.section("remedy", Escape(r.Remedy))
	}
	configure := fmt.Sprintf("rule %q { severity = %q }", r.ID, otherSeverity(r.Severity))
	for i, l := range paramLines(r.Params) {
		p.section(choose(i == 0, "parameters", ""), Escape(l))
	}
	p.section("configure", configure)
	if r.Params != nil {
		p.section("", fmt.Sprintf("rule %q { params = { %s } }", r.ID, Escape(paramExample(r.Params))))
	}
	return p.err
}
