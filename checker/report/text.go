// Package report writes a check's outcome for people and for programs.
package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Text writes findings for people.
type Text struct {
	W io.Writer
	// Least is the least severity that is written out; the rest is counted.
	Least finding.Severity
	// Also, when not nil, tells of a lesser finding whether it is written too.
	Also func(finding.Finding) bool
	// Most is how many are written out at most; 0 is all.
	Most  int
	Style Style
}

// NewText returns a Text for w, with its style.
func NewText(w io.Writer, least finding.Severity) *Text {
	return &Text{W: w, Least: least, Style: StyleOf(w)}
}

// severityColor is the colour of each severity's name.
var severityColor = map[finding.Severity]string{finding.Error: red, finding.Warning: yellow, finding.Info: blue}

// Findings writes each finding of at least t.Least and returns how many it left
// out.
func (t *Text) Findings(fs []finding.Finding) (left int, err error) {
	for i, f := range fs {
		least := f.Rank() < t.Least.Rank() && (t.Also == nil || !t.Also(f))
		if least || t.Most > 0 && i-left >= t.Most {
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
	p := &printer{w: t.W, style: t.Style}
	word := strings.TrimSpace(string(f.Status) + " " + string(f.Severity))
	head := fmt.Sprintf("%s %s: ", word, f.Rule)
	for i, l := range wrap(head+Escape(f.Message), t.Style.Width-2) {
		switch rest, ok := strings.CutPrefix(l, word); {
		case i > 0:
			p.line("  %s", l)
		case ok:
			p.line("%s%s", t.Style.paint(severityColor[f.Severity], word), rest)
		}
	}
	for _, l := range []struct{ name, text string }{
		{"subject:", f.Subject.String()}, {"from:", f.Origin.String()}, {"because:", f.Because}, {"remedy:", f.Remedy}, {"see:", f.URL},
	} {
		if l.text != "" { // not wrapped: it may be a command or a path to copy
			p.line("  %s %s", pad(l.name, 8), Escape(l.text))
		}
	}
	return p.err
}

// Escape makes text from files and paths safe to print: control, format and
// bidirectional characters (CVE-2021-42574) and invalid UTF-8 are shown as in a
// Go string, so that a path can not move the cursor, hide a part of itself, fake
// a line, or speak to a CI system.
func Escape(s string) string { return hclfile.Escape(s) }

// Verdict writes the last line of a launch's report: nothing when the jail has no
// error. observed says that it was started all the same.
func (t *Text) Verdict(jail string, fs []finding.Finding, left int, observed bool) error {
	errs := finding.Count(fs, finding.Error)
	if errs == 0 {
		return nil
	}
	verdict, then := "refused", "nothing was started"
	if observed {
		verdict, then = "would be refused", "it is started all the same, for mode is observe"
	}
	_, err := fmt.Fprintf(t.W, "ocjail: jail %s %s: %s; %s%s\n", Escape(jail), verdict, plural(errs, "error"), then, more(left))
	return err
}

// Summary writes the last line of a lint's report on a target; left is how many
// findings were left out.
func (t *Text) Summary(target *Target, left int) error {
	verdict := map[Verdict]string{Allow: "allowed", Deny: "refused"}[target.Verdict]
	fs := target.Findings
	more := more(left)
	if n := len(fs) - finding.Count(fs, finding.Error) - finding.Count(fs, finding.Warning) - finding.Count(fs, finding.Info); n > 0 {
		more = fmt.Sprintf(", %d waived or observed%s", n, more)
	}
	text := fmt.Sprintf("%s: %s by %s: %s, %s, %s%s%s", lineStart(target.Name), verdict, plural(target.Rules, "rule"),
		plural(finding.Count(fs, finding.Error), "error"), plural(finding.Count(fs, finding.Warning), "warning"),
		plural(finding.Count(fs, finding.Info), "info"), more, target.undecided())
	p := &printer{w: t.W, style: t.Style}
	p.line("%s", strings.Join(wrap(text, t.Style.Width-2), "\n  "))
	return p.err
}

// undecided says what was not judged.
func undecided(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %d undecided, which another host or the jail's start can tell", n)
}

func (t *Target) undecided() string {
	if len(t.Lacks) == 0 || t.Undecided == 0 {
		return undecided(t.Undecided)
	}
	return fmt.Sprintf("; %d undecided, for %s", t.Undecided, Escape(lacks(t.Lacks)))
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

// Error writes err for people, each of its lines with a head: text from a path
// can begin neither a line of its own nor a command to a CI system.
func Error(w io.Writer, err error) error {
	for i, l := range strings.Split(strings.TrimRight(err.Error(), "\n"), "\n") {
		head := "ocjail: "
		if i > 0 {
			head = "      | "
		}
		if _, err := io.WriteString(w, head+Escape(l)+"\n"); err != nil {
			return err
		}
	}
	return nil
}
