package report

import (
	"fmt"
	"io"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// canText says what a kind of access lets the jail do.
var canText = map[sandbox.Access]string{
	sandbox.ReadWrite: "read and write", sandbox.ReadOnly: "read", sandbox.Device: "read, write and use as a device",
}

// Text writes w for people.
func (w *Why) Text(out io.Writer, s Style) error {
	p := &printer{w: out, style: s}
	what := Escape(w.Path)
	if w.Real != w.Path {
		what += ", which is " + Escape(w.Real) + ","
	}
	if !w.Exists {
		what += " (absent on the host)"
	}
	if !w.Reachable {
		p.line("%s %s: no mount of the jail %s shows it", what, s.paint(green, "can not be reached"), Escape(w.Target))
	}
	for i, way := range w.Ways {
		if i == 0 {
			p.line("the jail %s can %s %s", Escape(w.Target), s.paint(accessColor[way.Access], w.can(way)), what)
		}
		p.way(i+1, way)
	}
	if w.Type == string(sandbox.Socket) && w.Reachable {
		p.line("It is a socket: a read-only mount does not stop connect(2).")
	}
	w.insideText(p)
	if !w.Certain {
		p.line("This host lacks something that the jail names, so part of this is a guess.")
	}
	return p.err
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
	if way.Cause.Origin != "" || way.Cause.Added != "" {
		p.section("   from", note(way.Cause, false))
	}
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
		p.line("In the jail %s is a file of the jail's own, %s.", name, in.Access)
	case in.Access == string(sandbox.None):
		p.line("In the jail there is no %s.", name)
	case in.Access == string(sandbox.Scratch):
		p.line("In the jail %s does not exist; one made there is gone when it ends.", name)
	default:
		p.line("In the jail %s does not exist.", name)
	}
}
