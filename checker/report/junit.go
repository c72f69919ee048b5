package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/manifest"
)

// junit writes the XML that CI systems take for tests: a jail is a suite, and each
// rule a test of it. What is undecided is skipped, and what can not be judged is an
// error.
type junit struct {
	w     io.Writer
	least finding.Severity
	err   error
}

func newJUnit(w io.Writer, o LintOptions) Lint {
	j := &junit{w: w, least: o.FailLevel}
	j.line(`<?xml version="1.0" encoding="UTF-8"?>`)
	j.line(`<testsuites name="ocjail lint">`)
	return j
}

func (j *junit) line(format string, args ...any) {
	if j.err == nil {
		_, j.err = fmt.Fprintf(j.w, format+"\n", args...)
	}
}

// test is what one rule says.
type test struct {
	name, title         string
	message             string   // of the first that fails
	failed, open, aside []string // messages of findings that fail, are undecided, or do neither
}

func (j *junit) Target(t *Target) error {
	name := xmlText(t.Name)
	if t.Verdict == Broken {
		j.line(`  <testsuite name="%s" tests="1" failures="0" errors="1" skipped="0">`, name)
		j.line(`    <testcase classname="%s" name="jail">`, name)
		j.line(`      <error type="broken" message="could not be judged">%s</error>`, xmlText(t.Error))
		j.line("    </testcase>\n  </testsuite>")
		return j.err
	}
	tests := j.tests(t)
	failures, skipped := 0, 0
	for _, x := range tests {
		switch {
		case x.failed != nil:
			failures++
		case x.open != nil:
			skipped++
		}
	}
	j.line(`  <testsuite name="%s" tests="%d" failures="%d" errors="0" skipped="%d">`, name, len(tests), failures, skipped)
	for _, x := range tests {
		j.test(name, x)
	}
	j.line("  </testsuite>")
	return j.err
}

// tests are those of the rules that judged, and one for the mounts that none could
// judge.
func (j *junit) tests(t *Target) []*test {
	var all []*test
	byRule := map[string]*test{}
	for _, r := range t.RuleSet {
		x := &test{name: r.ID, title: r.Title}
		all, byRule[r.ID] = append(all, x), x
	}
	for i, f := range t.Findings {
		x := byRule[f.Rule]
		if x == nil { // of no rule that is listed; it must not be lost
			x = &test{name: f.Rule, title: f.Title}
			all, byRule[f.Rule] = append(all, x), x
		}
		text := junitText(f, t.place(i).Line)
		switch {
		case reaches(f, j.least):
			x.failed, x.message = append(x.failed, text), cmp.Or(x.message, f.Message)
		case f.Rule == manifest.RuleUndecided && f.Status == finding.Open:
			x.open = append(x.open, text)
		default:
			x.aside = append(x.aside, text)
		}
	}
	if n := t.undecidedMounts(); n > 0 {
		all = append(all, &test{name: "mounts", open: []string{t.openMounts(n)}})
	}
	return all
}

func junitText(f finding.Finding, line int) string {
	text := strings.TrimSpace(string(f.Status)+" "+string(f.Severity)) + ": " + Escape(f.Message)
	for _, more := range []struct{ head, text string }{{"from: ", f.Origin.String()}, {"because: ", f.Because}, {"remedy: ", f.Remedy}} {
		if more.text != "" {
			text += "\n  " + more.head + Escape(more.text)
		}
	}
	if line > 1 && (f.Origin == nil || f.Origin.Line == 0) {
		text += fmt.Sprintf("\n  near line %d", line)
	}
	return text
}

func (j *junit) test(class string, x *test) {
	j.line(`    <testcase classname="%s" name="%s">`, class, xmlText(x.name))
	if x.failed != nil {
		text := strings.Join(slices.Concat(x.failed, x.open, x.aside), "\n")
		j.line(`      <failure type="%s" message="%s">%s</failure>`, xmlText(x.name), xmlText(cmp.Or(x.title, x.message)), xmlLines(text))
		j.line("    </testcase>")
		return
	}
	if x.open != nil {
		j.line(`      <skipped message="%s"/>`, xmlText("undecided: "+strings.Join(x.open, "; ")))
	}
	if x.aside != nil {
		j.line("      <system-out>%s</system-out>", xmlLines(strings.Join(x.aside, "\n")))
	}
	j.line("    </testcase>")
}

func (j *junit) Close(Summary) error {
	j.line("</testsuites>")
	return j.err
}

// xmlText is safe in attributes and elements. Escape leaves no control character,
// of which XML 1.0 has none.
func xmlText(s string) string { return xmlLines(Escape(strings.ReplaceAll(s, "\n", "; "))) }

// xmlLines is xmlText for lines that are escaped already.
func xmlLines(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;").Replace(s)
}
