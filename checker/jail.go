// Package checker is the front door: it resolves a sandbox against the host,
// hardens it, and has the rules judge it.
package checker

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/manifest"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Phase tells what a check is for.
type Phase string

// A launch needs every fact; a lint says what it could not decide.
const (
	Launch Phase = "launch"
	Lint   Phase = "lint"
)

// Request is a sandbox to resolve, and where it would run.
type Request struct {
	Name    string // of the jail, for people
	Phase   Phase
	Sandbox *sandbox.Sandbox
	FS      *host.FS
	Facts   host.Facts
	Bwrap   *host.Bwrap // nil when linting without one
	Config  *config.Config
	// Lookout, when not nil, has begun to look for the watched paths.
	Lookout *Lookout
	// Manifest tells where the options' origins were written; it may be nil.
	Manifest *manifest.Manifest
	// Profile is the file that the jail was made from, absolute; "" for none.
	Profile string
	Cwd     string
	Environ []string // that the jail inherits, unless it clears it
	// Terminal is the device behind standard output, Interactive whether any of
	// descriptors 0 to 2 is a terminal.
	Terminal    string
	Interactive bool
	// Makes are the directories that a launch makes where they are absent, when
	// linting.
	Makes []string
	// Absent is the command that is not here, and for which the sandbox's stands in, when
	// linting; nil for none.
	Absent *Absent
	// Descriptor names the file behind a descriptor, for --bind-fd.
	Descriptor func(int) (string, error)
	// Filters holds the seccomp programs that options name, by descriptor.
	Filters map[int][]byte
	// Unreviewed are what earlier sessions changed and nobody has looked at.
	// Distrusts tells of which paths git's word that it tracks them does not count;
	// nil for none.
	Unreviewed []finding.Finding
	Distrusts  func(path string) bool
	// Step, when not nil, is told when each step of Resolve ends.
	Step func(name string)
	// Away: the facts are another host's, so that the configuration's own files,
	// which are here, are none that this jail could write.
	Away bool
	// CanFilter is set where a seccomp filter can be made. The jail then gets one,
	// against AF_VSOCK and, where need be, TIOCSTI.
	CanFilter bool
	// BusProxy is the path of the xdg-dbus-proxy that is trusted to filter; ""
	// for none.
	BusProxy string
}

// Absent is a command that does not start on this machine.
type Absent struct {
	Command []string `json:"command"` // as the profile names it
	Why     string   `json:"why"`
}

// Jail is a resolved and hardened sandbox.
type Jail struct {
	Request
	// Asked is the sandbox as it came, "~/" expanded; Request.Sandbox is hardened.
	Asked *sandbox.Sandbox
	// Plain is what Asked alone makes, Tree what the hardened sandbox does, which is nil
	// before Harden has been called.
	Plain, Tree *sandbox.Tree
	Watched     []Watched
	// Tildes are the options of Asked in which "~/" was expanded.
	Tildes []int
	// Filter is set when the gate's own filter is to stop TIOCSTI too.
	Filter bool
	// Bus is the trusted proxy that this jail starts, or is told to use; nil for none.
	Bus *BusProxy
	// variants of the hardened sandbox tell its inmate of it, the most telling first.
	variants []*sandbox.Sandbox
	// sound proves that hardening has widened nothing.
	sound func() error
}

// Resolve expands, simulates and hardens the sandbox of r, which it does not
// change. It fails where bwrap would, and where a fact that a launch needs is
// unknown.
func Resolve(r Request) (*Jail, error) {
	j, err := Draft(r)
	if err != nil {
		return nil, err
	}
	if err := j.Harden(); err != nil {
		return nil, err
	}
	return j, j.sound()
}

// Draft is the first half of Resolve. The options that hardening adds are among those of
// Sandbox, as a rule for good, and what they come to is not known yet.
func Draft(r Request) (*Jail, error) {
	asked := r.Sandbox.Clone()
	j := &Jail{Request: r, Asked: asked, Tildes: asked.ExpandHome(r.Facts.Home)}
	look := r.look() // beside the simulation, for each takes a part of a millisecond
	var err error
	if j.Plain, err = asked.Simulate(r.simulation()); err != nil {
		return nil, j.located(err)
	}
	j.Plain.Index() // while others look for the watched paths
	if j.Watched, err = watch(r, look); err != nil {
		return nil, err
	}
	r.step("model")
	hardened, err := protect(asked, j.Plain, j.Watched, r.FS)
	if err != nil {
		return nil, err
	}
	hardened = settings(hardened, r.Facts)
	j.Filter = r.CanFilter && !hardened.Has("--new-session") && (r.Facts.LegacyTIOCSTI == nil || *r.Facts.LegacyTIOCSTI)
	j.variants = j.informed(hardened, ownsPlace(j.Plain))
	j.Sandbox = j.variants[0]
	return j, nil
}

// Harden is the second half of Resolve, but for the proof that hardening grants nothing,
// with which Check begins.
func (j *Jail) Harden() error {
	err := j.tell()
	if err != nil {
		return fmt.Errorf("with protective mounts: %w", err)
	}
	if j.Bus, err = j.busProxy(); err != nil {
		return err
	}
	j.sound = sync.OnceValue(func() error { return newSurvey(j.Plain, j.Watched).notWider(j.Tree) })
	return nil
}

// Sources are the files that the binds of Sandbox show, by option; before Harden as far
// as they are known. One that is not there has none.
func (j *Jail) Sources() map[int]string {
	sources := map[int]string{}
	if j.Tree != nil {
		for _, op := range j.Tree.Ops() {
			if m := j.Tree.MountOf(op.Option); m != nil {
				sources[op.Option] = m.Source
			}
		}
		return sources
	}
	asked := 0
	for i, o := range j.Sandbox.Options {
		if o.Added == "" {
			if m := j.Plain.MountOf(asked); m != nil {
				sources[i] = m.Source
			}
			asked++
		} else if protects(o) {
			if at, err := j.FS.RealPath(o.Args[0]); err == nil {
				sources[i] = at.Path
			}
		}
	}
	return sources
}

// located adds to an error of bwrap's set-up where its option was written.
func (j *Jail) located(err error) error {
	var setup *sandbox.SetupError
	if !errors.As(err, &setup) {
		return err
	}
	if o := j.origin(j.Asked.Options[setup.Option].Origin); o != nil {
		err = fmt.Errorf("%w (%s)", err, o)
	}
	if j.Phase == Launch && errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: make it, or take the permission that tries only; nothing was started", err)
	}
	return err
}

func (r Request) step(name string) {
	if r.Step != nil {
		r.Step(name)
	}
}

func (r Request) simulation() sandbox.Config {
	return sandbox.Config{Host: r.FS, Strict: r.Phase == Launch, Cwd: r.Cwd, Terminal: r.Terminal, Makes: r.Makes, Descriptor: r.Descriptor}
}

// settings adds the options that cost nobody anything: the jail ends with the
// gate, and one that root starts keeps no capability. --cap-drop goes first, so
// that a later --cap-add stays visible to the rules.
func settings(s *sandbox.Sandbox, f host.Facts) *sandbox.Sandbox {
	if !s.Has("--die-with-parent") {
		s.Options = append(s.Options, sandbox.Option{Name: "--die-with-parent", Added: "the jail must not outlive its checker"})
	}
	if f.UID == 0 || f.EUID == 0 {
		s.Insert(0, sandbox.Option{Name: "--cap-drop", Args: []string{"ALL"}, Added: "bwrap leaves every capability to what root starts"})
	}
	return s
}
