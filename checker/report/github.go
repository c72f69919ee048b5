package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/place"
)

// github writes workflow commands, which GitHub shows beside the lines of a pull
// request ("Workflow commands for GitHub Actions"), and a line for each jail.
type github struct {
	w       io.Writer
	root    string
	verbose bool
	err     error
}

func newGitHub(w io.Writer, o LintOptions) Lint {
	return &github{w: w, root: o.Root, verbose: o.Verbose}
}

// githubLevel: an info would be a notice, of which GitHub shows ten; it is left out
// but for --verbose.
var githubLevel = map[finding.Severity]string{finding.Error: "error", finding.Warning: "warning", finding.Info: "notice"}

func (g *github) Target(t *Target) error {
	if t.Verdict == Broken {
		g.command("error", t.place(-1), "ocjail: not judged", t.Problem())
		g.line("%s: not judged", t.Name)
		return g.err
	}
	for i, f := range t.Findings {
		level := githubLevel[f.Severity]
		switch {
		case f.Status == finding.Waived:
			continue // counted below
		case f.Status == finding.Observed:
			level = "notice"
		case f.Severity == finding.Info && !g.verbose:
			continue
		}
		text := Escape(f.Message)
		for _, more := range []struct{ head, text string }{{"observed: ", f.Because}, {"from: ", f.Origin.String()}, {"remedy: ", f.Remedy}, {"see: ", f.URL}} {
			if more.text != "" {
				text += "\n" + more.head + Escape(more.text)
			}
		}
		g.annotate(level, t.place(i), strings.TrimSuffix(f.Rule+": "+f.Title, ": "), text)
	}
	if n := t.undecidedMounts(); n > 0 {
		g.command("notice", t.place(-1), "ocjail: undecided", t.Name+": "+t.openMounts(n))
	}
	var s Summary
	s.Add(t)
	g.line("%s: %s: %s, %s, %s, %d waived, %d undecided", t.Name, map[Verdict]string{Allow: "allowed", Deny: "refused"}[t.Verdict],
		plural(s.Errors, "error"), plural(s.Warnings, "warning"), plural(s.Infos, "info"), s.Waived, s.Undecided)
	return g.err
}

func (g *github) Close(s Summary) error {
	g.line("ocjail: %s: %d allowed, %d refused, %d not judged, %d undecided%s", plural(s.Targets, "jail"), s.Allowed, s.Denied, s.Broken, s.Undecided, passedOver(s.PassedOver))
	return g.err
}

// command is annotate for text that may be anything.
func (g *github) command(level string, at place.Place, title, text string) {
	g.annotate(level, at, title, Escape(text))
}

func (g *github) annotate(level string, at place.Place, title, text string) {
	var where string
	if at.File != "" && !at.Absent { // else GitHub would have it at a line that nobody can open
		where = "file=" + githubProperty(Escape(relative(at.File, g.root))) + ",line=" + strconv.Itoa(at.Line) + ","
	}
	g.write(fmt.Sprintf("::%s %stitle=%s::%s\n", level, where, githubProperty(Escape(title)), githubData.Replace(text)))
}

// line writes what is no command, whatever is in it.
func (g *github) line(format string, args ...any) {
	g.write(lineStart(strings.ReplaceAll(fmt.Sprintf(format, args...), "##[", "# #[")) + "\n")
}

func (g *github) write(s string) {
	if g.err == nil {
		_, g.err = io.WriteString(g.w, s)
	}
}

// githubData is what the runner undoes in a command's text, and more of in its
// properties (actions/toolkit, packages/core/src/command.ts).
var githubData = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")

func githubProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(githubData.Replace(s))
}
