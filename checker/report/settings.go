package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// settings writes what is not about files.
func (v *View) settings(p *printer) {
	v.environmentText(p)
	p.section("namespaces", v.namespaces())
	if v.Namespaces["net"] == "shared" {
		p.section("network", p.style.paint(yellow, "the host's")+", so every service on 127.0.0.1 too")
	} else {
		p.section("network", p.style.paint(green, "none")+" but a loopback of its own")
	}
	p.section("session", v.session())
	p.section("capabilities", v.capabilities())
}

func (v *View) namespaces() string {
	groups := []struct{ state, text string }{{"unshared", "own: "}, {"try", "own where the kernel can: "}, {"shared", "the host's: "}}
	var parts []string
	for _, g := range groups {
		var names []string
		for _, n := range sandbox.NamespaceNames {
			if v.Namespaces[n] == g.state {
				names = append(names, n)
			}
		}
		if names != nil {
			parts = append(parts, g.text+strings.Join(names, ", "))
		}
	}
	if v.Hostname != "" {
		parts = append(parts, "host name "+Escape(v.Hostname))
	}
	return strings.Join(parts, "; ")
}

func (v *View) session() string {
	s := v.Session
	parts := []string{choose(s.NewSession, "a terminal session of its own", "the terminal session of its caller")}
	switch {
	case s.TIOCSTIFilter:
		parts = append(parts, "a seccomp filter keeps it from typing into the terminal")
	case !s.NewSession:
		parts = append(parts, "no filter against typing into the terminal")
	}
	parts = append(parts, choose(s.DieWithParent, "ends with its launcher", "may outlive its launcher"))
	asked := 0
	for _, f := range v.Seccomp {
		if !f.Own {
			asked++
		}
	}
	if asked > 0 {
		parts = append(parts, plural(asked, "seccomp filter"))
	}
	return strings.Join(parts, "; ")
}

func (v *View) capabilities() string {
	c := v.Capabilities
	kept := "as bwrap leaves them: none to an ordinary user, all to root"
	if c.DropAll {
		kept = "none"
	}
	if len(c.Add) > 0 {
		kept += "; added: " + escapeAll(c.Add)
	}
	return kept
}

func choose(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}

// environmentText writes the values that are shown, and the other names by
// where they come from.
func (v *View) environmentText(p *printer) {
	env := v.Environment
	head := "cleared, then " + plural(len(env.Variables), "variable")
	if !env.Cleared {
		head = p.style.paint(yellow, "inherited") + " from the caller: " + plural(len(env.Variables), "variable")
	}
	p.section("environment", head)
	var origins []string
	names := map[string][]string{}
	for _, e := range env.Variables {
		from := e.Origin
		if e.Source == "inherited" {
			from = "inherited"
		}
		if from == "" {
			from = "set"
		}
		if names[from] == nil {
			origins = append(origins, from)
		}
		text := Escape(e.Name)
		if e.Value != nil {
			text += "=" + Escape(*e.Value)
		}
		names[from] = append(names[from], text)
	}
	slices.Sort(origins)
	for _, o := range origins {
		p.section("", fmt.Sprintf("%s: %s", Escape(o), strings.Join(names[o], " ")))
	}
}
