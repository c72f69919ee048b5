package report

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/inmate"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// WhyInside is the answer of `ocjail why` within a jail, from what the jail was
// told of itself: its JSON form.
type WhyInside struct {
	Version   int    `json:"version"` // 1
	Kind      string `json:"kind"`    // "path", "env" or "host"
	Inside    bool   `json:"inside"`  // true
	Target    string `json:"target"`  // the jail
	Subject   string `json:"subject"` // a path is real and absolute
	Exists    bool   `json:"exists"`
	Reachable bool   `json:"reachable"` // a path: something of the host is there
	Access    string `json:"access"`    // of a path: as in Mount, or "none"
	Mount     string `json:"mount"`     // that decides about a path: its place
	Cause     Cause  `json:"cause"`
	Ask       string `json:"ask"` // what the person who started the jail could do; "" when there is nothing to ask for
}

// PathInside asks d about p, absolute.
func PathInside(d *inmate.Description, p string) (*WhyInside, error) {
	real, exists, err := realPath(p)
	if err != nil {
		return nil, err
	}
	m := d.At(real)
	w := &WhyInside{Version: 1, Kind: "path", Inside: true, Target: d.Name, Subject: real, Exists: exists, Access: m.Access, Mount: m.Path, Cause: Cause{Origin: m.From, Added: m.Added}}
	switch a := sandbox.Access(m.Access); {
	case a.Writes():
		w.Reachable = true
	case a == sandbox.Scratch:
		w.Ask = d.AskRead(real)
	case a == sandbox.ReadOnly && m.Added != "" && m.Path != checker.InmateDirectory:
		w.Reachable = exists
		w.Ask = outside
	case a == sandbox.ReadOnly:
		w.Reachable, w.Ask = exists, outside
		if d.Owns(real) {
			w.Ask = d.AskWrite(real)
		}
	case a == sandbox.Proc:
		w.Reachable = true
	case m.Path == "":
		w.Access = string(sandbox.None)
	}
	return w, nil
}

const outside = "make that change outside of the jail"

// realPath resolves the symbolic links of p as far as it exists.
func realPath(p string) (real string, exists bool, err error) {
	rest := ""
	for at := filepath.Clean(p); ; at = path.Dir(at) {
		real, err := filepath.EvalSymlinks(at)
		switch {
		case err == nil:
			return path.Join(real, rest), rest == "", nil
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) || at == "/":
			return "", false, fmt.Errorf("%s can not be looked up: %w", p, err)
		}
		rest = path.Join(path.Base(at), rest)
	}
}

// EnvInside asks d about a variable; set tells whether this process has it.
func EnvInside(d *inmate.Description, name string, set bool) *WhyInside {
	w := &WhyInside{Version: 1, Kind: "env", Inside: true, Target: d.Name, Subject: name, Exists: set, Reachable: set}
	for _, v := range d.Variables {
		if v.Name == name {
			w.Cause.Origin = v.From
		}
	}
	if !set {
		w.Ask = d.AskVariable(Escape(name))
	}
	return w
}

// HostInside asks d about a port of host.
func HostInside(d *inmate.Description, word string) *WhyInside {
	w := &WhyInside{Version: 1, Kind: "host", Inside: true, Target: d.Name, Subject: word, Reachable: d.Network == "shared"}
	if !w.Reachable {
		w.Ask = d.AskNetwork()
	}
	return w
}

// Reached tells whether the jail reaches what was asked about.
func (w *WhyInside) Reached() bool { return w.Reachable }

func (w *WhyInside) verdict() string {
	subject := Escape(w.Subject)
	switch a := sandbox.Access(w.Access); {
	case w.Kind == "env":
		return choose(w.Reachable, subject+" is set in this jail", subject+" is not set in this jail, whose environment holds what was passed only")
	case w.Kind == "host":
		return choose(w.Reachable, "this jail shares the host's network: "+subject+" fails only if the host can not reach it either",
			"this jail has no network, so every connection to "+subject+" fails")
	case a.Writes():
		return subject + " can be read and written, and stays"
	case a == sandbox.Proc:
		return subject + " is the kernel's"
	case a == sandbox.Scratch && w.Exists:
		return subject + " is this jail's own: it can be written, and is gone when the jail ends; the host's is not here"
	case a == sandbox.Scratch:
		return subject + " is not in this jail, even if the host has it"
	case a == sandbox.ReadOnly && w.Exists:
		return subject + " can be read only: writing fails with EROFS, whoever tries"
	}
	return subject + " does not exist, and can not be made: the directory is read-only"
}

// Text writes w for people.
func (w *WhyInside) Text(out io.Writer, s Style) error {
	p := &printer{w: out, style: s}
	p.line("%s", w.verdict())
	if w.Mount != "" {
		p.section("   mount", Escape(w.Mount))
	}
	if w.Cause.Origin != "" {
		p.section("   from", Escape(w.Cause.Origin))
	}
	if w.Cause.Added != "" {
		p.section("   ocjail", Escape(w.Cause.Added))
	}
	if w.Ask != "" {
		p.section("   ask", "the person who started this jail can "+Escape(w.Ask))
	}
	return p.err
}
