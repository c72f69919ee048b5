// Package report writes a check's outcome for people and for programs.
package report

import (
	"fmt"
	"io"
	"os"
	"strings"

	"charm.land/lipgloss/v2"
	"golang.org/x/term"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Text writes findings for people: plain to a pipe, coloured to a terminal.
type Text struct {
	W io.Writer
	// Least is the least severity that is written out; the rest is counted.
	Least finding.Severity
	// Color is decided by NewText.
	Color bool
}

// NewText returns a Text for w: coloured when w is a terminal and NO_COLOR
// (no-color.org) is not set.
func NewText(w io.Writer, least finding.Severity) *Text {
	f, ok := w.(*os.File)
	color := ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return &Text{W: w, Least: least, Color: color}
}

// palette maps severities to ANSI colours, which follow the terminal's theme.
var palette = map[finding.Severity]string{finding.Error: "1", finding.Warning: "3", finding.Info: "4"}

func (t *Text) style(s finding.Severity, text string) string {
	if !t.Color {
		return text
	}
	return lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Color(palette[s])).Render(text)
}

// Findings writes each finding of at least t.Least and returns how many it left
// out.
func (t *Text) Findings(fs []finding.Finding) (left int, err error) {
	for _, f := range fs {
		if f.Severity.Rank() < t.Least.Rank() {
			left++
			continue
		}
		if err := t.finding(f); err != nil {
			return left, err
		}
	}
	return left, nil
}

func (t *Text) finding(f finding.Finding) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s\n", t.style(f.Severity, string(f.Severity)), f.Rule, Escape(f.Message))
	for _, l := range []struct{ name, text string }{
		{"subject", f.Subject.String()}, {"from", From(f.Origin)}, {"remedy", f.Remedy}, {"see", f.URL},
	} {
		if l.text != "" {
			fmt.Fprintf(&b, "  %-8s %s\n", l.name+":", Escape(l.text))
		}
	}
	_, err := io.WriteString(t.W, b.String())
	return err
}

// From says where an origin points: "rw-bind from OPTION in FILE:LINE".
func From(o *finding.Origin) string {
	if o == nil {
		return ""
	}
	var parts []string
	if o.Combinator != "" {
		parts = append(parts, o.Combinator)
	}
	if o.Option != "" {
		parts = append(parts, "from "+o.Option)
	}
	switch {
	case o.File != "" && o.Line > 0:
		parts = append(parts, fmt.Sprintf("in %s:%d", o.File, o.Line))
	case o.File != "":
		parts = append(parts, "in "+o.File)
	}
	return strings.Join(parts, " ")
}

// Escape makes text from files and paths safe to print: control characters and
// invalid UTF-8 are shown as in a Go string, so that a path can not move the
// cursor, fake a line, or speak to a CI system.
func Escape(s string) string {
	if !strings.ContainsFunc(s, unprintable) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unprintable(r) {
			q := fmt.Sprintf("%+q", r)
			b.WriteString(q[1 : len(q)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// unprintable: C0, DEL, C1, line and paragraph separators, bidirectional
// controls (CVE-2021-42574), and what stands for invalid UTF-8.
func unprintable(r rune) bool {
	return r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0xfffd || r == 0x2028 || r == 0x2029 ||
		r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f
}

// Verdict writes the last line of a launch's report: nothing when it is allowed
// and nothing was written.
func (t *Text) Verdict(jail string, fs []finding.Finding, left int) error {
	errs := finding.Count(fs, finding.Error)
	if errs == 0 {
		return nil
	}
	_, err := fmt.Fprintf(t.W, "ocjail: jail %s refused: %s; nothing was started%s\n", Escape(jail), plural(errs, "error"), more(left))
	return err
}

// Summary writes the last line of a lint's report.
func (t *Text) Summary(target string, rules int, fs []finding.Finding, left int) error {
	verdict := "allowed"
	if finding.Count(fs, finding.Error) > 0 {
		verdict = "refused"
	}
	_, err := fmt.Fprintf(t.W, "%s: %s by %s: %s, %s, %s%s\n", Escape(target), verdict, plural(rules, "rule"),
		plural(finding.Count(fs, finding.Error), "error"), plural(finding.Count(fs, finding.Warning), "warning"),
		plural(finding.Count(fs, finding.Info), "info"), more(left))
	return err
}

func more(left int) string {
	if left == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d not shown: --verbose)", left)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
