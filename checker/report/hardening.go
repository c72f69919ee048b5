package report

import (
	"fmt"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker"
)

// Hardening is something that ocjail does to a jail beyond what was asked for, in
// words.
type Hardening struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// hardening tells what is added to j. What a launch takes from its thread depends on
// the kernel then, and what is missing is said then.
func (v *View) hardening(j *checker.Jail) []Hardening {
	protected, pinned, told := 0, 0, false
	var list, options []Hardening
	add := func(name, text string) { list = append(list, Hardening{name, text}) }
	for _, o := range j.Sandbox.Options {
		switch {
		case o.Added == "":
		case o.Name == "--ro-bind":
			protected++
		case o.Name == "--bind":
			pinned++
		case o.Name == "--die-with-parent", o.Name == "--cap-drop":
			options = append(options, Hardening{strings.TrimPrefix(o.Name, "--"), o.Added})
		case o.Name == "--setenv" && o.Args[0] == checker.InmateVariable:
			told = true
		}
	}
	if protected+pinned > 0 {
		add("mounts", fmt.Sprintf("%s over what the host runs or reads later, and %d to keep the directories above in place", plural(protected, "read-only mount"), pinned))
	}
	if j.CanFilter {
		what := "sockets of AF_VSOCK and io_uring"
		if j.Filter {
			what += ", and typing into the terminal (TIOCSTI)"
		}
		add("seccomp", "a filter refuses "+what)
	}
	add("launch", "an empty session keyring, no core dumps, and where the kernel can (Linux 6.12) no abstract sockets of and no signals to the outside (Landlock)")
	if told {
		add("inmate", "is told of its jail in "+checker.InmateDirectory)
	}
	return append(list, options...)
}

// hardeningText writes the section for people.
func (v *View) hardeningText(p *printer) {
	for i, h := range v.Hardening {
		name := ""
		if i == 0 {
			name = "hardening"
		}
		p.section(name, h.Name+": "+h.Text)
	}
}

// settingsList is what settings writes, for other formats.
func (v *View) settingsList() []Hardening {
	network := "none but a loopback of its own"
	if v.Namespaces["net"] == "shared" {
		network = "the host's, so every service on 127.0.0.1 too"
	}
	list := []Hardening{{"namespaces", v.namespaces()}, {"network", network}, {"session", v.session()}, {"capabilities", v.capabilities()}}
	for _, h := range v.Hardening {
		list = append(list, Hardening{"ocjail: " + h.Name, h.Text})
	}
	return list
}
