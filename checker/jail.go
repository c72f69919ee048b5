// Package checker is the front door: it resolves a sandbox against the host,
// hardens it, and has the rules judge it.
package checker

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/engine/plan"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/manifest"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
	"github.com/refnil/opencode-jail-devenv/policy"
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
	// Descriptor names the file behind a descriptor, for --bind-fd.
	Descriptor func(int) (string, error)
	// Filters holds the seccomp programs that options name, by descriptor.
	Filters map[int][]byte
	// Unreviewed are what earlier sessions changed and nobody has looked at.
	// Distrusts tells of which paths git's word that it tracks them does not count;
	// nil for none.
	Unreviewed []finding.Finding
	Distrusts  func(path string) bool
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

// Watched is a path that matters, with what git says of it.
type Watched struct {
	host.WatchedPath
	Tracked *bool // nil outside the project and where the index is unreadable
}

// Jail is a resolved and hardened sandbox.
type Jail struct {
	Request
	// Asked is the sandbox as it came, "~/" expanded; Request.Sandbox is hardened.
	Asked   *sandbox.Sandbox
	Tree    *sandbox.Tree
	Watched []Watched
	// Tildes are the options of Asked in which "~/" was expanded.
	Tildes []int
	// Filter is set when the gate's own filter is to stop TIOCSTI too.
	Filter bool
	// Bus is the trusted proxy that this jail starts, or is told to use; nil for none.
	Bus *BusProxy
}

// Resolve expands, simulates and hardens the sandbox of r, which it does not
// change. It fails where bwrap would, and where a fact that a launch needs is
// unknown.
func Resolve(r Request) (*Jail, error) {
	asked := r.Sandbox.Clone()
	j := &Jail{Request: r, Asked: asked, Tildes: asked.ExpandHome(r.Facts.Home)}
	// Each takes a part of a millisecond, and neither needs the other.
	watching := make(chan error, 1)
	go func() {
		var err error
		j.Watched, err = watch(r)
		watching <- err
	}()
	before, err := asked.Simulate(r.simulation())
	watchErr := <-watching
	if err != nil {
		return nil, j.located(err)
	}
	if watchErr != nil {
		return nil, watchErr
	}
	hardened, err := protect(asked, before, j.Watched, r.FS)
	if err != nil {
		return nil, err
	}
	hardened = settings(hardened, r.Facts)
	j.Filter = r.CanFilter && !hardened.Has("--new-session") && (r.Facts.LegacyTIOCSTI == nil || *r.Facts.LegacyTIOCSTI)
	owned := ownsPlace(before)
	surveyed := make(chan *survey, 1)
	go func() { surveyed <- newSurvey(before, j.Watched) }() // and nobody else looks at before
	err = j.tell(hardened, owned)
	granted := <-surveyed
	if err != nil {
		return nil, fmt.Errorf("with protective mounts: %w", err)
	}
	if j.Bus, err = j.busProxy(); err != nil {
		return nil, err
	}
	return j, granted.notWider(j.Tree)
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

// watch expands the pack's list and the configuration's, and asks git which
// paths it tracks.
func watch(r Request) ([]Watched, error) {
	entries, err := watchList(r.Config)
	if err != nil {
		return nil, err
	}
	if r.Profile != "" {
		entries = append(entries, host.Watch{Path: r.Profile, Class: "host-executed", Reason: "the next jail is made from it", Protect: true})
	}
	found, err := r.FS.Expand(entries, r.Facts)
	if err != nil {
		return nil, err
	}
	watched := make([]Watched, len(found))
	var inProject []string
	for i, w := range found {
		watched[i].WatchedPath = w
		if w.Type == sandbox.Regular && w.Path == path.Join(r.Facts.ProjectRoot, ".git") && r.Config.Protect.Pack {
			watched[i].Protect = true // a worktree's file, which says where git finds its configuration
		}
		if rel, ok := trackable(r.Facts, w.Path); ok {
			inProject = append(inProject, rel)
		}
	}
	if r.Facts.Git == nil || len(inProject) == 0 {
		return watched, nil
	}
	// An unreadable index leaves Tracked unknown, which protects more.
	index, err := r.FS.TrackedOf(*r.Facts.Git, inProject)
	if err != nil {
		return watched, nil
	}
	for i := range watched {
		if rel, ok := trackable(r.Facts, watched[i].Path); ok {
			watched[i].Tracked = r.tracked(index, rel)
		}
	}
	return partlyTracked(r, watched)
}

// tracked is what the index says of rel, unless an agent had git track it.
func (r Request) tracked(index host.Index, rel string) *bool {
	if r.Distrusts != nil && r.Distrusts(path.Join(r.Facts.ProjectRoot, rel)) {
		return new(bool)
	}
	return index.Of(rel)
}

// trackable returns p relative to the project if git could track it. What lies
// in a git directory it never does, whatever an index that the agent wrote says.
func trackable(f host.Facts, p string) (rel string, ok bool) {
	if f.Git != nil {
		for _, dir := range []string{f.Git.Dir, f.Git.CommonDir, path.Join(f.ProjectRoot, ".git")} {
			if _, inside := sandbox.Below(dir, p); inside && dir != "" {
				return "", false
			}
		}
	}
	rel, ok = sandbox.Below(f.ProjectRoot, p)
	return strings.TrimPrefix(rel, "/"), ok && rel != ""
}

// packWatches is the pack's list. Every launch reads it, for which package
// encoding/json takes twice as long.
var packWatches = sync.OnceValues(func() ([]host.Watch, error) {
	data, err := policy.Files.ReadFile("data/watched.json")
	if err != nil {
		return nil, err
	}
	doc, err := plan.ParseJSON(data)
	if err != nil {
		return nil, fmt.Errorf("policy/data/watched.json: %w", err)
	}
	entries, _ := plan.Elements(plan.Get(doc, plan.String("watched")))
	list := make([]host.Watch, len(entries))
	for i, e := range entries {
		text := func(key plan.String) string { s, _ := plan.Get(e, key).(plan.String); return string(s) }
		list[i] = host.Watch{Path: text("path"), Class: text("class"), Reason: text("reason"), Protect: plan.Get(e, plan.String("protect")) == plan.Bool(true)}
	}
	return list, nil
})

// watchList is the pack's list with what the configuration adds and replaces.
func watchList(c *config.Config) ([]host.Watch, error) {
	pack, err := packWatches()
	if err != nil {
		return nil, err
	}
	entries := slices.Clone(pack)
	for i := range entries {
		entries[i].Protect = entries[i].Protect && c.Protect.Pack
	}
	protect := func(root, p, reason string) {
		if !path.IsAbs(p) {
			p = path.Join(cmp.Or(root, "{project}"), p)
		}
		entries = append(entries, host.Watch{Path: p, Class: "host-executed", Reason: reason, Protect: true})
	}
	for _, p := range c.Protect.Paths {
		protect("", p.Value, "named in protect, "+p.Pos.String())
	}
	for _, p := range c.Policies {
		if p.Layer.Untrusted() && !path.IsAbs(p.Path) {
			protect(p.Root, p.Path, "ocjail takes rules from it")
		}
	}
	for _, f := range c.Files {
		if f.Layer.Untrusted() && f.Layer != config.Project && f.Path != "" {
			protect("", f.Path, "it configures the jails below it")
		}
	}
	for _, w := range c.Watches {
		entries = append(entries, host.Watch{Path: w.Path, Class: w.Class, Reason: w.Reason})
	}
	return entries, nil
}
