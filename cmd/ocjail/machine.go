package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/manifest"
	"github.com/refnil/opencode-jail-devenv/checker/profile"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// machine is what every command needs to know of where it runs.
type machine struct {
	fs     *host.FS
	facts  host.Facts
	bwrap  *host.Bwrap
	config *config.Config
	cwd    string
	// rules waits for the checker; nil for commands that ask no rules.
	rules func() (*checker.Checker, error)
	// lookout looks for the watched paths of a launch already; nil for none.
	lookout *checker.Lookout
	// manifest explains the gate's argv; nil without one.
	manifest *manifest.Manifest
	// profile is the file that the jail is made from, absolute; "" for an
	// embedded one.
	profile string
	// makes are the directories that a launch of the profile makes.
	makes []string
	// absent is the profile's command where it is not here; nil where it is.
	absent *checker.Absent
	// busProxy is the gate's --bus-proxy.
	busProxy string
	// newFS returns a file system of the host that has looked at nothing yet.
	newFS func() *host.FS
	// away: facts and files are those of a saved host.
	away bool
	// release gives a machine back that targets share; nil for one that none do.
	release func()
	// renew has the next target open another; nil as release.
	renew func()
}

// opening says what of a machine is wanted.
type opening struct {
	project string   // its root; "" for none, the working directory standing in
	nested  []string // further roots; see host.Facts
	bwrap   bool     // none is an error
	launch  bool     // of what is there now, as the gate does it
	options config.Options
}

// open gathers the facts of this machine and reads the configuration, unless that
// has been done for another target.
func (f *jailFlags) open(o opening) (*machine, error) {
	if f.machines != nil {
		return f.machines.open(o)
	}
	return f.openNew(o)
}

func (f *jailFlags) openNew(o opening) (*machine, error) {
	m := &machine{newFS: host.NewFS}
	if f.recorder != nil {
		m.newFS = func() *host.FS { return host.NewFSOn(f.recorder) }
	}
	m.fs = m.newFS()
	if o.launch { // beside the facts
		m.fs.Preload()
	}
	var err error
	if m.cwd, err = os.Getwd(); err != nil {
		return nil, fmt.Errorf("working directory: %w", err)
	}
	root := o.project
	if root == "" {
		root = m.cwd
	}
	if m.facts, err = host.Gather(m.fs, root); err != nil {
		return nil, err
	}
	m.facts.Nest(m.fs, o.nested)
	if m.config, err = f.configure(m.facts, o); err != nil {
		return nil, err
	}
	if o.launch {
		m.lookout = checker.LookOut(m.fs, m.facts, m.config, "")
	}
	if f.judges {
		m.rules = checker.Start(context.Background(), m.config, checker.Where{Home: m.facts.Home, Project: m.facts.ProjectRoot}, f.keeping(m.facts))
	}
	m.bwrap, err = host.FindBwrap(m.fs, f.bwrap)
	if errors.Is(err, host.ErrNoBwrap) && !o.bwrap {
		err = nil
	}
	if err == nil && f.saved != nil {
		err = m.moveTo(f.saved, root)
	}
	return m, err
}

// moveTo has the jail judged as if it were on that host. The configuration stays
// this machine's.
func (m *machine) moveTo(s *host.Saved, root string) error {
	m.away, m.bwrap = true, s.RealBwrap()
	m.newFS = func() *host.FS {
		fs, _, _ := s.In(root) // which went well below
		return fs
	}
	var err error
	m.fs, m.facts, err = s.In(root)
	return err
}

// keeping has what is made of users' rules kept in the user's cache.
func (f *jailFlags) keeping(facts host.Facts) checker.Keeping {
	return checker.Keeping{Cache: checker.CacheOf(facts), Occasion: append([]string{facts.ProjectRoot}, os.Args...), Warn: f.warn()}
}

// configure reads the files of all layers and what the Nix module's options say.
func (f *jailFlags) configure(facts host.Facts, o opening) (*config.Config, error) {
	files, owners, err := f.files(facts, o)
	if err != nil {
		return nil, err
	}
	at := checker.Where{Home: facts.Home, Project: facts.ProjectRoot}
	files, err = checker.OpenBundles(files, at, owners)
	if err == nil && o.bwrap {
		err = f.remember(files, at, owners)
	}
	if err != nil {
		return nil, err
	}
	for _, stale := range checker.Stale(files) {
		fmt.Fprintln(f.warn(), "ocjail: warning: "+stale)
	}
	return config.Merge(files...), nil
}

// remember notes what a launch goes by, so that no later one goes behind it. Where the
// home is read-only nothing ever remembers, which no jail can have brought about; a disk
// that is full can be one's work.
func (f *jailFlags) remember(files []*config.File, at checker.Where, owners *config.Owners) error {
	err := checker.Remember(files, at, owners)
	if errors.Is(err, syscall.EROFS) {
		fmt.Fprintf(f.warn(), "ocjail: warning: %v\n", err)
		return nil
	}
	return err
}

// files reads the files of all layers, and no bundles.
func (f *jailFlags) files(facts host.Facts, o opening) ([]*config.File, *config.Owners, error) {
	places := []config.Place{
		{Layer: config.Organisation, Path: config.OrganisationFile, Optional: true},
		{Layer: config.User, Path: filepath.Join(facts.ConfigDir, "ocjail.hcl"), Optional: true},
	}
	if f.config != "" {
		places = append(places, config.Place{Layer: config.User, Path: f.config})
	}
	if o.project != "" {
		above, err := around(facts)
		if err != nil {
			return nil, nil, err
		}
		places = append(append(places, above...), config.Place{Layer: config.Project, Path: filepath.Join(facts.ProjectRoot, "ocjail.hcl"), Optional: true})
	}
	owners := &config.Owners{UID: facts.UID, Root: host.IsRoot, Alone: host.Writer{UID: facts.UID}.Alone}
	files, err := owners.Load(places...)
	if err != nil {
		return nil, nil, err
	}
	options, err := o.options.Parse()
	if err != nil {
		return nil, nil, err
	}
	tried, err := f.triedPolicies()
	if err == nil && f.trial != nil {
		err = f.trial(files)
	}
	return slices.Concat(files, options, tried), owners, err
}

// around are the files of the projects that this one lies in. Otherwise whoever makes
// a marker in a project, as its agent can, has a part of it judged without them.
func around(facts host.Facts) ([]config.Place, error) {
	files, err := profile.Around(facts.Home, facts.ProjectRoot)
	if len(files) > config.MaxAbove {
		err = fmt.Errorf("%d folders above %s have an ocjail.hcl, and %d are the most that count", len(files), hclfile.Escape(facts.ProjectRoot), config.MaxAbove)
	}
	places := make([]config.Place, len(files))
	for i, file := range files {
		places[i] = config.Place{Layer: config.Above(i + 1), Path: file, Around: facts.ProjectRoot}
	}
	return places, err
}

// triedPolicies has the project's trust: rules that only find more, and which it
// does no harm that the jail can write.
func (f *jailFlags) triedPolicies() ([]*config.File, error) {
	var files []*config.File
	for _, p := range f.policies {
		at, err := filepath.Abs(p)
		if err != nil {
			return nil, fmt.Errorf("--policy %s: %w", p, err)
		}
		files = append(files, &config.File{Name: "--policy", Layer: config.Project, Policies: []config.Policy{
			{Name: p, Path: at, Layer: config.Project, Pos: hclfile.Pos{File: "--policy"}, Bundle: config.NamesBundle(p)}}})
	}
	return files, nil
}

// request is a sandbox to be judged without being started. The terminal is what
// a launch from here would have.
func (m *machine) request(name string, s *sandbox.Sandbox) checker.Request {
	return checker.Request{
		Name: name, Phase: checker.Lint, Sandbox: s, FS: m.fs, Facts: m.facts, Bwrap: m.bwrap, Config: m.config,
		Profile: m.profile, Makes: m.makes, Absent: m.absent, Cwd: m.cwd, Environ: os.Environ(), Interactive: true, CanFilter: canFilter(), Away: m.away,
	}
}
