package profile

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// setting is a switch and who set it.
type setting struct {
	on     bool
	origin string
}

// build gathers one jail.
type build struct {
	host    Host
	profile *Profile
	added   additions

	network, newSession, git setting

	mounts mounts
	env    map[string]variable
	// paths are directories that PATH must have for the command's sake.
	paths   []string
	command []string
	// commandOrigin is the profile's line, or the profile when the command line named it.
	commandOrigin string
}

// Argv returns bwrap's words, without its own name, for the jail that p, the
// command line's additions and the host make: options, "--", and the command
// (the profile's when command is empty). --ocjail-origin ID, an option of
// ours, says where the options after it come from: "profile:FILE" for what
// every jail gets, "profile:FILE:LINE", or "--add[INDEX]".
//
// An absent command's error matches ErrCommandNotFound. Directories that the
// profile creates need not exist yet; everything else that it names must.
func (p *Profile) Argv(h Host, add []string, command []string) ([]string, error) {
	h.seen = map[string]entry{}
	if err := h.check(); err != nil {
		return nil, err
	}
	added, err := parseAdditions(h, add)
	if err != nil {
		return nil, err
	}
	commandOrigin := p.origin(0)
	if len(command) == 0 {
		command, commandOrigin = p.body.Command, p.origin(p.body.CommandAt.Start.Line)
	}
	if len(command) == 0 {
		return nil, fmt.Errorf("profile %s has no command: name one after --", hclfile.Escape(p.file))
	}
	b := &build{host: h, profile: p, added: added, env: map[string]variable{},
		command: slices.Clone(command), commandOrigin: commandOrigin}
	b.network = b.setting(p.body.Network, p.body.NetworkAt, added.network)
	b.git = b.setting(p.body.Git, p.body.GitAt, added.git)
	b.newSession = b.setting(p.body.NewSession, p.body.NewSessionAt, added.newSession)
	for _, phase := range phases {
		if err := phase.run(b); err != nil {
			return nil, err
		}
	}
	return b.words(), nil
}

// setting takes an addition's word over the profile's.
func (b *build) setting(on bool, at hcl.Range, added *setting) setting {
	if added != nil {
		return *added
	}
	return setting{on, b.origin(at)}
}

func (b *build) origin(at hcl.Range) string { return b.profile.origin(at.Start.Line) }

// errorf is an error about a line of the profile.
func (b *build) errorf(at hcl.Range, format string, args ...any) error {
	place := hclfile.Escape(b.profile.file)
	if at.Start.Line > 0 { // 0 for an argument that the profile leaves out
		place = fmt.Sprintf("%s:%d", place, at.Start.Line)
	}
	return fmt.Errorf("%s: %w", place, fmt.Errorf(format, args...))
}

// add appends m in the place of any earlier mount on the very same path.
func (b *build) add(m mount) {
	if i := b.mounts.at(m.dest); i >= 0 {
		b.mounts = slices.Delete(b.mounts, i, i+1)
	}
	b.mounts = append(b.mounts, m)
}

// words writes the jail as bwrap's argv.
func (b *build) words() []string {
	w := writer{}
	// --clearenv first: it drops the --setenv before it (bwrap(1)).
	w.put(b.profile.origin(0), "--clearenv", "--unshare-user", "--unshare-ipc", "--unshare-pid",
		"--unshare-uts", "--unshare-cgroup", "--die-with-parent")
	hostname := "jail"
	if b.profile.body.Hostname != nil {
		hostname = *b.profile.body.Hostname
	}
	w.put(b.origin(b.profile.body.HostnameAt), "--hostname", hostname)
	if !b.network.on {
		w.put(b.network.origin, "--unshare-net")
	}
	if b.newSession.on {
		w.put(b.newSession.origin, "--new-session")
	}
	for _, m := range b.mounts {
		w.put(m.origin, m.words()...)
	}
	for _, v := range b.variables() {
		w.put(v.origin, "--setenv", v.name, v.value)
	}
	w.put(b.profile.origin(0), "--chdir", b.host.WorkDir)
	return append(append(w.words, "--"), b.command...)
}

// writer names an origin whenever it changes.
type writer struct {
	words  []string
	origin string
}

func (w *writer) put(origin string, words ...string) {
	if origin != w.origin {
		w.words = append(w.words, "--ocjail-origin", origin)
		w.origin = origin
	}
	w.words = append(w.words, words...)
}
