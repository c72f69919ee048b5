//go:build linux

package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/review"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Review is what of a project's sessions nobody has looked at: its JSON form.
type Review struct {
	Version int             `json:"version"` // 1
	Project string          `json:"project"`
	Pending []review.Detail `json:"pending"`
	Home    string          `json:"-"` // shortens paths for people
}

// mostDiff is how many lines of one diff are shown.
const mostDiff = 120

// Text lists every change with its diff.
func (v *Review) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	for i := range v.Pending {
		if i > 0 {
			p.line("")
		}
		v.change(p, &v.Pending[i])
	}
	return p.err
}

// One writes the change of index i.
func (v *Review) One(w io.Writer, s Style, i int) error {
	p := &printer{w: w, style: s}
	v.change(p, &v.Pending[i])
	return p.err
}

// NewReview returns what is pending in p, without the files' contents.
func NewReview(p *review.Project, project, home string) (*Review, error) {
	v := &Review{Version: 1, Project: project, Home: home}
	var err error
	v.Pending, err = p.Details()
	for i := range v.Pending {
		v.Pending[i].Before.Content, v.Pending[i].Now.Content = nil, nil
	}
	return v, err
}

var whatColor = map[review.What]string{review.New: green, review.Removed: red, review.Repository: red}

func (v *Review) change(p *printer, d *review.Detail) {
	p.line("%s %s", p.style.paint(whatColor[d.What], string(d.What)), p.style.paint(bold, Escape(Short(d.Path, v.Project, v.Home))))
	p.line("  %s", Escape(d.Reason))
	p.line("  changed while a jail ran that was started %s", d.Since.Local().Format(time.DateTime))
	if d.Count > 0 {
		p.line("  %s in it, more than are recorded one by one", plural(d.Count, "change"))
	}
	if d.Tracked {
		p.line("  git tracks it only since then, and is not believed")
	}
	for _, o := range d.Obeys {
		p.line("  git would obey: %s", p.style.paint(red, Escape(o)))
	}
	if d.Note != "" {
		p.line("  %s", Escape(d.Note))
	}
	lines := strings.Split(strings.TrimSuffix(d.Diff, "\n"), "\n")
	if d.Diff == "" {
		return
	}
	for i, l := range lines {
		if i == mostDiff {
			p.line("    … %s more", plural(len(lines)-i, "line"))
			break
		}
		p.line("    %s", p.style.paint(diffColor(l), escapeLine(l)))
	}
}

func diffColor(line string) string {
	switch {
	case strings.HasPrefix(line, "+"):
		return green
	case strings.HasPrefix(line, "-"):
		return red
	case strings.HasPrefix(line, "@@"):
		return cyan
	}
	return ""
}

// escapeLine leaves tabs, which a terminal shows as what they are.
func escapeLine(l string) string {
	parts := strings.Split(l, "\t")
	for i := range parts {
		parts[i] = Escape(parts[i])
	}
	return strings.Join(parts, "\t")
}

// Short names a path as its user would: from the project's root, or from ~.
func Short(path, project, home string) string {
	if rel, ok := sandbox.Below(project, path); ok && rel != "" {
		return rel[1:]
	}
	if rel, ok := sandbox.Below(home, path); ok && home != "/" {
		return "~" + rel
	}
	return path
}

// mostLines is how many changes a session's end lists.
const mostLines = 12

// SessionEnd tells in a few lines what a session changed; nothing when nothing.
func SessionEnd(w io.Writer, changes []review.Change, project, home string) error {
	p := &printer{w: w}
	var lines, work []string
	for _, c := range changes {
		name := Escape(Short(c.Path, project, home))
		switch {
		case c.What == review.Tracked && c.Before.Type == sandbox.Dir:
		case c.Level == finding.Info:
			work = append(work, name)
		default:
			lines = append(lines, "  "+pad(string(c.What), 11)+name+": "+Escape(c.Reason)+obeyed(c))
		}
	}
	if len(lines) > 0 {
		p.line("ocjail: %s, while the jail ran, to what runs outside of it:", plural(len(lines), "change"))
		for _, l := range lines[:min(len(lines), mostLines)] {
			p.line("%s", l)
		}
		if over := len(lines) - mostLines; over > 0 {
			p.line("  and %d more", over)
		}
	}
	if n := len(work); n > 0 {
		more := ""
		if n > 5 {
			work, more = work[:5], fmt.Sprintf(" and %d more", n-5)
		}
		p.line("ocjail: changed as well, shown by git or run by who builds: %s%s", strings.Join(work, ", "), more)
	}
	return p.err
}

func obeyed(c review.Change) string {
	switch n := len(c.Obeys); n {
	case 0:
		return ""
	case 1:
		return " (" + Escape(c.Obeys[0]) + ")"
	default:
		return fmt.Sprintf(" (%s and %d more)", Escape(c.Obeys[0]), n-1)
	}
}
