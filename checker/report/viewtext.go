package report

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// accessColor paints what the agent can change red, and what it only reads green.
var accessColor = map[string]string{"rw": red, "dev": red, "ro": green, "scratch": yellow, "proc": cyan}

const legend = "rw: writes reach the host; dev: so, with device files; ro: reads the host; scratch: writable, gone afterwards; proc: the kernel's"

// printer collects the lines of a text report and remembers the first error.
type printer struct {
	w     io.Writer
	style Style
	err   error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// sectionIndent is where the text of a section begins.
const sectionIndent = 14

// section writes a headed line; what follows its first line is indented alike.
func (p *printer) section(name, text string) {
	const indent = sectionIndent
	lines := wrap(text, p.style.Width-indent)
	for i, l := range lines {
		if i > 0 {
			name = ""
		}
		p.line("%s%s%s", p.style.paint(bold, name), pad("", indent-len(name)), l)
	}
}

// wrap breaks text at blanks into lines of at most width columns; a width too
// small to be of use, or unknown, breaks nothing.
func wrap(text string, width int) []string {
	if width < 20 {
		return []string{text}
	}
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case columns(line)+1+columns(word) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// columns is how wide s is shown: its colours take none.
func columns(s string) int {
	n := utf8.RuneCountInString(s)
	for {
		_, rest, ok := strings.Cut(s, "\x1b[")
		if !ok {
			return n
		}
		sgr, after, _ := strings.Cut(rest, "m")
		n -= len("\x1b[") + len(sgr) + len("m")
		s = after
	}
}

// command is what the jail is for, which may be absent.
func (v *View) command() string {
	if v.Absent == nil {
		return escapeAll(v.Command)
	}
	return fmt.Sprintf("%s, which does not start here: %s (%s stands in for it)", escapeAll(v.Absent.Command), Escape(v.Absent.Why), escapeAll(v.Command))
}

// Text writes v for people: the file system first, then the rest by section.
func (v *View) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	at := places{v.Home, v.Project}
	p.section("jail", Escape(v.Name))
	p.section("command", v.command())
	p.section("where", fmt.Sprintf("project . is %s, home ~ is %s", Escape(v.Project), Escape(v.Home)))
	if !v.Certain {
		p.section("undecided", "this host lacks something that the jail names, so part of this is a guess")
	}
	p.line("")
	p.tree(mountTree(v.Mounts).rows(at))
	p.line("%s", s.paint(dim, strings.Join(wrap(legend, s.Width), "\n")))
	if text := v.folded(); text != "" {
		p.line("%s", s.paint(dim, strings.Join(wrap(text, s.Width), "\n")))
	}
	p.line("")
	v.settings(p)
	v.hardeningText(p)
	v.sockets(p, at)
	v.watchedText(p, at)
	return p.err
}

// tree writes rows in columns: access, name, source, note. Long ones lose their
// note first, then the middle of their source.
func (p *printer) tree(rows []row) {
	names, sources := 0, 0
	for _, r := range rows {
		names = max(names, utf8.RuneCountInString(r.branch+r.name))
		sources = max(sources, utf8.RuneCountInString(r.source))
	}
	for _, r := range rows {
		name := pad(r.branch+r.name, names)
		color := accessColor[r.access]
		colored := p.style.paint(dim, r.branch) + p.style.paint(color, strings.TrimPrefix(name, r.branch))
		rest := r.note
		if sources > 0 {
			rest = pad(r.source, sources) + "  " + rest
		}
		if p.style.Width > 0 {
			rest = shorten(rest, max(p.style.Width-8-names-2, 8))
		}
		p.line("%s", strings.TrimRight(p.style.paint(color, pad(r.access, 8))+colored+"  "+p.style.paint(dim, strings.TrimRight(rest, " ")), " "))
	}
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

// shorten cuts s to width columns.
func shorten(s string, width int) string {
	if r := []rune(s); len(r) > width {
		return string(r[:width-1]) + "…"
	}
	return s
}

// folded counts what the tree leaves out.
func (v *View) folded() string {
	var parts []string
	if n := len(v.Links); n > 0 {
		dirs := map[string]int{}
		for _, l := range v.Links {
			dirs[path.Dir(l.Path)]++
		}
		var names []string
		for d := range dirs {
			names = append(names, d)
		}
		slices.SortFunc(names, func(a, b string) int {
			if dirs[a] != dirs[b] {
				return dirs[b] - dirs[a]
			}
			return strings.Compare(a, b)
		})
		for i, d := range names {
			names[i] = fmt.Sprintf("%d in %s", dirs[d], Escape(d))
		}
		parts = append(parts, fmt.Sprintf("%s made: %s", plural(n, "symbolic link"), some(names, 4)))
	}
	if v.Hidden > 0 {
		parts = append(parts, plural(v.Hidden, "mount")+" hidden by later ones")
	}
	return strings.Join(parts, "; ")
}

// some joins at most n of names and counts the rest.
func some(names []string, n int) string {
	if len(names) <= n {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), len(names)-n)
}

func escapeAll(words []string) string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = Escape(w)
		if w == "" || strings.ContainsAny(w, " \t\n'\"") {
			list[i] = "'" + strings.ReplaceAll(Escape(w), "'", `'\''`) + "'"
		}
	}
	return strings.Join(list, " ")
}

func (v *View) sockets(p *printer, at places) {
	if len(v.Sockets) == 0 {
		p.section("sockets", "none of the known ones")
	}
	for _, s := range v.Sockets {
		p.section("sockets", p.style.paint(red, at.short(s.Path))+" as "+Escape(s.Inside)+" by "+note(s.Cause, false))
	}
}

// watchedText writes one line for each class, access and way.
func (v *View) watchedText(p *printer, at places) {
	if len(v.Watched) == 0 {
		p.section("watched", "no path that matters to the host is reachable")
		return
	}
	const shown = 6
	type group struct{ class, access, how string }
	var order []group
	paths := map[group][]string{}
	for _, w := range v.Watched {
		g := group{w.Class, w.Access, w.How}
		if paths[g] == nil {
			order = append(order, g)
		}
		paths[g] = append(paths[g], at.short(w.Path))
	}
	for i, g := range order {
		name := ""
		if i == 0 {
			name = "watched"
		}
		how := howText[sandbox.How(g.how)]
		p.section(name, fmt.Sprintf("%s %s, %s (%d): %s", g.access, g.class, how, len(paths[g]), some(paths[g], shown)))
	}
}

// howText says in a clause how a host path is reached.
var howText = map[sandbox.How]string{
	sandbox.ByMount:  "through a mount",
	sandbox.ByCreate: "absent, can be created",
	sandbox.ByRename: "by renaming a directory above it",
	sandbox.ByAlias:  "through another name of the same directory",
	sandbox.ByBelow:  "in part, by what lies below it",
}
