package report

import (
	"fmt"
	"io"
	"path"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// canText says what a kind of access lets the jail do.
var canText = map[sandbox.Access]string{
	sandbox.ReadWrite: "read and write", sandbox.ReadOnly: "read", sandbox.Device: "read, write and use as a device",
}

// Text writes w for people.
func (w *Why) Text(out io.Writer, s Style) error {
	p := &printer{w: out, style: s}
	target, what := Escape(w.Target), Escape(w.Path)
	if w.Real != path.Clean(w.Path) {
		what += " (which is " + Escape(w.Real) + ")"
	}
	switch {
	case w.Reachable:
		way := w.Ways[0]
		p.line("the jail %s can %s %s", target, s.paint(accessColor[way.Access], w.can(way)), what)
	case w.Exists:
		p.line("the jail %s %s %s", target, s.paint(green, "can not reach"), what)
	default:
		p.line("the jail %s %s %s, which does not exist", target, s.paint(green, "can not create"), what)
	}
	var parts []Way
	n := 0
	for _, way := range w.Ways {
		if way.How == string(sandbox.ByBelow) {
			parts = append(parts, way)
			continue
		}
		n++
		p.way(n, way)
	}
	p.below(parts)
	if w.Type == string(sandbox.Socket) && w.Reachable {
		p.line("It is a socket: a read-only mount does not stop connect(2).")
	}
	w.insideText(p)
	if !w.Certain {
		p.line("This host lacks something that the jail names, so part of this is a guess.")
	}
	return p.err
}

// below lists mounts that show something below the path.
func (p *printer) below(parts []Way) {
	if len(parts) == 0 {
		return
	}
	p.line("")
	p.line("What lies below it is shown by %s:", plural(len(parts), "mount"))
	for _, way := range parts {
		p.line("   %s %s  %s", p.style.paint(accessColor[way.Access], pad(way.Access, 4)), Escape(way.Inside), p.style.paint(dim, note(way.Cause, false)))
	}
}

func (w *Why) can(way Way) string {
	switch {
	case way.How == string(byLink):
		return "redirect"
	case !w.Exists:
		return "create"
	case way.How == string(sandbox.ByBelow):
		return "reach part of"
	}
	return canText[sandbox.Access(way.Access)]
}

func (p *printer) way(n int, way Way) {
	how := howText[sandbox.How(way.How)]
	if way.How == string(byLink) {
		how = "by replacing the symbolic link " + Escape(way.Path)
	}
	p.line("")
	p.line("%d. %s", n, how)
	p.section("   inside", fmt.Sprintf("%s, %s", Escape(way.Inside), p.style.paint(accessColor[way.Access], way.Access)))
	p.section("   mount", fmt.Sprintf("%s of %s", Escape(way.Cause.Option), Escape(way.Mount)))
	p.because(way.Cause)
	p.section("   close", way.Close)
}

// insideText says what the jail finds under the path, where that is not the
// host's file.
func (w *Why) insideText(p *printer) {
	in := w.Inside
	if in.Host == w.Real && in.Exists == w.Exists {
		return
	}
	p.line("")
	name := Escape(w.Path)
	switch {
	case in.Host != "" && in.Exists:
		p.line("In the jail %s is another file: the host's %s, %s.", name, Escape(in.Host), in.Access)
	case in.Exists:
		p.line("In the jail %s is something of the jail's own, %s.", name, in.Access)
	case in.Access == string(sandbox.None):
		p.line("In the jail there is no %s.", name)
	case in.Access == string(sandbox.Scratch):
		p.line("In the jail %s does not exist; one made there is gone when it ends.", name)
	default:
		p.line("In the jail %s does not exist.", name)
	}
}
