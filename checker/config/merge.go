package config

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// Merge says what holds. The most trusted file that is no project's may loosen
// ocjail's defaults; every less trusted one only tightens what those before it
// say, unless they allow more. What goes beyond is in Ignored. Files of one layer
// count in their order, the last word being the latter's.
func Merge(files ...*File) *Config {
	m := merger{c: Default()}
	m.c.Files = slices.SortedStableFunc(slices.Values(files), func(a, b *File) int { return cmp.Compare(a.Layer, b.Layer) })
	if len(m.c.Files) > 0 {
		m.c.top = m.c.Files[0].Layer
	}
	for i, f := range m.c.Files {
		if i == 0 || f.Layer != m.c.Files[i-1].Layer {
			m.floor = *m.c
		}
		m.add(f)
	}
	return m.c
}

// merger adds files, most trusted first. floor is what the more trusted layers
// hold together.
type merger struct {
	c       *Config
	floor   Config
	observe bool // a project may ask for it
}

// free tells whether the layer may loosen: nobody above it has a file.
func (c *Config) free(l Layer) bool { return !l.Untrusted() && l == c.top }

func (m *merger) add(f *File) {
	m.c.Watches = append(m.c.Watches, f.Watches...)
	m.c.Review = append(m.c.Review, f.Review...)
	m.c.Policies = append(m.c.Policies, f.Policies...)
	m.lock(f)
	m.protect(f)
	m.gate(f)
	if s := f.LogRequired; s != nil {
		m.set(f, s.Value || !m.floor.LogRequired, said{"log.required", "false", s.Pos}, func() { m.c.LogRequired = s.Value })
	}
	if s := f.LongestWaiver; s != nil {
		floor := m.floor.longestWaiver
		m.set(f, !f.Layer.Untrusted() && (floor == nil || s.Value <= floor.Value), said{"longest_waiver", days(s.Value), s.Pos}, func() { m.c.longestWaiver = s })
	}
}

// lock notes where a project's lock names what is not the project's: a lock holds the
// bundles of the file beside it, and whatever it says of others changes nothing.
func (m *merger) lock(f *File) {
	if !f.Layer.Untrusted() {
		return // there it is what a policy that is gone has left behind
	}
	for _, b := range f.stray() {
		m.c.Ignored = append(m.c.Ignored, Ignored{
			Layer: f.Layer, Pos: b.Pos,
			Message: fmt.Sprintf("the bundle %q of %s is ignored: a lock holds the bundles of the file beside it alone, and %s names no such one", b.Source, b.Pos, hclfile.Escape(f.Name)),
			Remedy:  "delete it, or run ocjail bundle update",
		})
	}
}

func days(d time.Duration) string { return fmt.Sprintf("%q", fmt.Sprintf("%dd", d/day)) }

func (m *merger) protect(f *File) {
	if f.Protect == nil {
		return
	}
	paths := make([]Said[string], len(f.Protect.Value))
	for i, p := range f.Protect.Value {
		paths[i] = Said[string]{p, f.Protect.Pos}
	}
	m.set(f, len(paths) > 0, said{"protect", "[]", f.Protect.Pos}, func() {
		if m.c.free(f.Layer) {
			m.c.Protect = Protect{}
		}
		m.c.Protect.Paths = slices.Concat(m.c.Protect.Paths, paths)
	})
}

func (m *merger) gate(f *File) {
	if s := f.Gate.Project; s != nil {
		m.set(f, !f.Layer.Untrusted() && len(s.Value) == 0, said{"gate.project", fmt.Sprintf("%q", s.Value), s.Pos}, func() { m.observe = slices.Contains(s.Value, string(Observe)) })
	}
	if s := f.Gate.Mode; s != nil {
		tightens := s.Value == Enforce || m.floor.Gate.Mode == Observe || f.Layer.Untrusted() && m.observe
		// What a project above refuses, one within it can not ask for.
		m.observe = m.observe && (!f.Layer.above() || s.Value != Enforce)
		m.set(f, tightens, said{"gate.mode", fmt.Sprintf("%q", s.Value), s.Pos}, func() { m.c.Gate.Mode = s.Value })
	}
	if s := f.Gate.Approval; s != nil {
		// Unsaid is on for the jails of the Nix module: a project can't switch it off.
		tightens := s.Value == ApprovalWidening || m.floor.Gate.Approval == ApprovalOff
		m.set(f, tightens, said{"gate.approval", fmt.Sprintf("%q", s.Value), s.Pos}, func() { m.c.Gate.Approval = s.Value })
	}
	if s := f.Gate.Inform; s != nil {
		m.set(f, true, said{"gate.inform", fmt.Sprint(s.Value), s.Pos}, func() { m.c.Gate.Inform = s.Value })
	}
	if s := f.Gate.Review; s != nil {
		tightens := slices.Index(Reviews, string(s.Value)) >= slices.Index(Reviews, string(m.floor.Gate.Review))
		m.set(f, tightens, said{"gate.review", fmt.Sprintf("%q", s.Value), s.Pos}, func() { m.c.Gate.Review = s.Value })
	}
	if s := f.Gate.Timeout; s != nil {
		// A project could hold a launch up; more time loosens nothing else.
		tightens := !f.Layer.Untrusted() || s.Value <= m.floor.Gate.Timeout
		m.set(f, tightens, said{"gate.timeout", fmt.Sprintf("%q", s.Value), s.Pos}, func() { m.c.Gate.Timeout = s.Value })
	}
}

// said is a statement: the name of the setting in Config.From, and its value.
type said struct {
	name, value string
	at          hclfile.Pos
}

// set applies a statement that tightens, or that its layer may loosen.
func (m *merger) set(f *File, tightens bool, s said, apply func()) {
	if !tightens && !m.c.free(f.Layer) {
		m.c.ignore(f.Layer, s.at, s.name+" = "+s.value)
		return
	}
	apply()
	m.c.From[s.name] = From{f.Layer, s.at}
}

// ignore notes what a layer is not trusted with.
func (c *Config) ignore(l Layer, at hclfile.Pos, what string) {
	c.Ignored = append(c.Ignored, Ignored{
		Layer: l, Pos: at,
		Message: fmt.Sprintf("%s of %s is ignored: %s", what, at, whoMay(l)),
		Remedy:  "delete it, or have a more trusted file allow it",
	})
}

// whoMay says why a layer can not loosen.
func whoMay(l Layer) string {
	if l.Untrusted() {
		return "the agent can write the project's configuration, so that can only tighten"
	}
	return "it would loosen what the organisation's configuration holds"
}
