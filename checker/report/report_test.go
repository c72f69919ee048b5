package report

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

func TestErrorLinesCanNotBeForged(t *testing.T) {
	var b bytes.Buffer
	err := errors.Join(errors.New("first\r\x1b[2Kline"), errors.New("::error::second\u202e\u200b"))
	if err := Error(&b, err); err != nil {
		t.Fatal(err)
	}
	want := "ocjail: first\\r\\x1b[2Kline\n      | ::error::second\\u202e\\u200b\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestFindingIsEscaped(t *testing.T) {
	var b bytes.Buffer
	text := Text{W: &b, Least: finding.Info}
	f := finding.Finding{
		Rule: "fs/x", Severity: finding.Error, Message: "a\nb", Remedy: "rm \x1b[31m",
		Subject: finding.Subject{Kind: "path", Path: "/p\n::error::"}, Origin: &finding.Origin{File: "f\n", Line: 3, Combinator: "bind"},
	}
	if left, err := text.Findings([]finding.Finding{f}); err != nil || left != 0 {
		t.Fatal(left, err)
	}
	want := "error fs/x: a\\nb\n  subject: /p\\n::error::\n  from:    bind in f\\n:3\n  remedy:  rm \\x1b[31m\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestFindingsBelowLeastAreCounted(t *testing.T) {
	var b bytes.Buffer
	text := Text{W: &b, Least: finding.Warning}
	left, err := text.Findings([]finding.Finding{{Severity: finding.Info, Rule: "a/b"}, {Severity: finding.Warning, Rule: "c/d", Message: "m"}})
	if err != nil || left != 1 || strings.Contains(b.String(), "a/b") || !strings.Contains(b.String(), "warning c/d: m") {
		t.Error(left, err, b.String())
	}
}

func TestLongFindingIsWrapped(t *testing.T) {
	var b bytes.Buffer
	text := Text{W: &b, Least: finding.Info, Style: Style{Color: true, Width: 32}}
	if _, err := text.Findings([]finding.Finding{{Severity: finding.Error, Rule: "fs/x", Message: "one two three four five six"}}); err != nil {
		t.Fatal(err)
	}
	want := "\x1b[1;31merror\x1b[0m fs/x: one two three four\n  five six\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestSummaryCountsWhatIsUndecided(t *testing.T) {
	var b bytes.Buffer
	text := Text{W: &b, Least: finding.Warning}
	target := Target{Name: "::error::x", Verdict: Deny, Rules: 10, Undecided: 1, Findings: []finding.Finding{{Severity: finding.Error}}}
	if err := text.Summary(&target, 2); err != nil {
		t.Fatal(err)
	}
	want := "./::error::x: refused by 10 rules: 1 error, 0 warnings, 0 infos (2 not shown: --verbose); 1 undecided, which another host or the jail's start can tell\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestStyleFollowsTheTerminal(t *testing.T) {
	master, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer terminal.Close()
	if err := pty.Setsize(terminal, &pty.Winsize{Rows: 10, Cols: 72}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	if got, want := StyleOf(terminal), (Style{Color: true, Width: 72}); got != want {
		t.Errorf("terminal: got %+v, want %+v", got, want)
	}
	t.Setenv("NO_COLOR", "1")
	if got, want := StyleOf(terminal), (Style{Width: 72}); got != want {
		t.Errorf("NO_COLOR: got %+v, want %+v", got, want)
	}
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "dumb")
	if StyleOf(terminal).Color {
		t.Error("TERM=dumb is coloured")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if got := StyleOf(w); got != (Style{}) {
		t.Errorf("pipe: got %+v", got)
	}
}

func TestWrap(t *testing.T) {
	for _, tc := range []struct {
		text  string
		width int
		want  []string
	}{
		{"a b c", 0, []string{"a b c"}},
		{"aaaaaaaaaa bbbbbbbbbb cccc", 20, []string{"aaaaaaaaaa", "bbbbbbbbbb cccc"}},
		{"éééééééééé ééééééééé c", 20, []string{"éééééééééé ééééééééé", "c"}},
		{strings.Repeat("x", 30) + " y", 20, []string{strings.Repeat("x", 30), "y"}},
		{"", 40, []string{""}},
		{"aaaaaaaaaa \x1b[1;31mbbbbbbbbb\x1b[0m c", 20, []string{"aaaaaaaaaa \x1b[1;31mbbbbbbbbb\x1b[0m", "c"}},
	} {
		if diff := cmp.Diff(tc.want, wrap(tc.text, tc.width)); diff != "" {
			t.Errorf("%q at %d: %s", tc.text, tc.width, diff)
		}
	}
}
