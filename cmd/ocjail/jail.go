package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/profile"
)

// jailFlags are the flags of commands that make a jail from a profile.
type jailFlags struct {
	profile string
	add     []string
	project string
	config  string
	bwrap   string
	// evaluate is set to have devenv make the jail that is looked at.
	evaluate bool
	// declared is set for commands that look at what is granted wherever the jail may
	// be started: variables and optional sources count that are absent here.
	declared bool
	// judges is set for commands that ask the rules.
	judges bool
	// warn is where to say what stops nothing.
	warn func() io.Writer
	// policies are rules to be tried, beside those of the configuration.
	policies []string
	// trial puts bundles that are only tried in the place of those that the files name;
	// nil for no such.
	trial func(files []*config.File) error
	// saved is the host to judge on, nil for this one; recorder notes what is asked
	// of this one, nil for not to.
	saved    *host.Saved
	recorder *host.Recorder
	// machines keeps what targets share; nil where there is one.
	machines *machines
}

func (f *jailFlags) register(c *cobra.Command) {
	f.registerHost(c)
	c.Flags().StringVar(&f.profile, "profile", "opencode", "embedded profile's `NAME`, or a profile's file")
	c.Flags().StringArrayVar(&f.add, "add", nil, "one more `COMBINATOR`, such as 'rw-bind /a /b', 'readonly /a', 'fwd-env NAME'; repeatable")
	f.registerProject(c)
	must(c.RegisterFlagCompletionFunc("profile", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return profile.Names(), cobra.ShellCompDirectiveDefault
	}))
}

func (f *jailFlags) registerProject(c *cobra.Command) {
	c.Flags().StringVar(&f.project, "project", "", "project root `DIR` (default: the nearest folder above with .git, devenv.nix or ocjail.hcl)")
	must(c.MarkFlagDirname("project"))
}

func (f *jailFlags) registerConfig(c *cobra.Command) {
	f.warn = c.ErrOrStderr
	c.Flags().StringVar(&f.config, "config", "", "one more configuration `FILE`, trusted as you are")
	must(c.MarkFlagFilename("config", "hcl"))
}

func (f *jailFlags) registerHost(c *cobra.Command) {
	f.registerConfig(c)
	c.Flags().StringVar(&f.bwrap, "bwrap", "", "the real bubblewrap's `PATH` (default: from $PATH)")
	must(c.MarkFlagFilename("bwrap"))
}

func (f *jailFlags) registerEvaluate(c *cobra.Command) {
	c.Flags().BoolVar(&f.evaluate, "evaluate", false, "have devenv evaluate the project's devenv.nix, which runs its code, and take the jail that it makes")
}

// must is for calls that fail only by a mistake in this program.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// findProject is the root of the project around the working directory.
func (f *jailFlags) findProject() (string, error) {
	if f.machines != nil {
		return f.machines.project()
	}
	return f.lookForProject()
}

// lookForProject needs the home before the facts, which need the project.
func (f *jailFlags) lookForProject() (string, error) {
	home, cwd, err := homeAndHere()
	if err != nil {
		return "", err
	}
	root, err := profile.FindProject(home, cwd, f.project)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(cwd)
	if err != nil {
		return "", fmt.Errorf("working directory: %w", err)
	}
	if rel, err := filepath.Rel(root, real); err != nil || !filepath.IsLocal(rel) {
		return "", fmt.Errorf("the working directory %s lies outside the project %s, so the agent would start in an empty home: cd %s first", real, root, root)
	}
	return root, nil
}

// homeAndHere are the home and the working directory.
func homeAndHere() (home, cwd string, err error) {
	if home, err = host.Home(host.NewFSOn(host.Local())); err != nil {
		return "", "", err
	}
	if cwd, err = os.Getwd(); err != nil {
		return "", "", fmt.Errorf("working directory: %w", err)
	}
	return home, cwd, nil
}

// projectAnywhere is findProject for a project that one need not stand in.
func (f *jailFlags) projectAnywhere() (string, error) {
	root, err := f.projectOrNone()
	if err == nil && root == "" {
		return os.Getwd() // ocjail gate takes such a folder for a project
	}
	return root, err
}

// projectOrNone is the project that is named, or lies around the working directory;
// "" where there is none.
func (f *jailFlags) projectOrNone() (string, error) {
	home, cwd, err := homeAndHere()
	if err != nil {
		return "", err
	}
	root, err := profile.FindProject(home, cwd, f.project)
	var none *profile.NoProjectError
	if errors.As(err, &none) {
		return "", nil
	}
	return root, err
}

func (m *machine) loadProfile(name string) (*profile.Profile, error) {
	p, err := profile.Embedded(name)
	if err == nil || filepath.Base(name) == name && filepath.Ext(name) == "" {
		return p, err
	}
	if m.profile, err = filepath.Abs(name); err != nil {
		return nil, fmt.Errorf("profile %s: %w", name, err)
	}
	return profile.Load(name)
}

// profileHost is what a profile needs to know of a machine.
func (f *jailFlags) profileHost(m *machine) (profile.Host, error) {
	work, err := filepath.EvalSymlinks(m.cwd)
	if err != nil {
		return profile.Host{}, fmt.Errorf("working directory: %w", err)
	}
	h := profile.Host{
		User: m.facts.User, Home: m.facts.Home, Project: m.facts.ProjectRoot, WorkDir: work, CacheDir: m.facts.CacheDir,
		Lookup: os.LookupEnv, FS: profile.Root(), Warn: func(message string) { fmt.Fprintln(f.warn(), "ocjail: warning: "+message) },
		GitIdentity: func() (string, string, error) {
			id, err := m.fs.GitIdentity(m.facts)
			return id.Name, id.Email, err
		},
	}
	if m.facts.Git != nil {
		h.GitCommonDir = m.facts.Git.CommonDir
	}
	return h, nil
}

// plan is build of the named profile without making directories: those that are absent
// are judged as if they had been made. It needs no bwrap.
func (f *jailFlags) plan(name string) ([]string, *machine, error) {
	return f.planOf(func(m *machine) (*profile.Profile, error) { return m.loadProfile(name) })
}

// planOf is plan for a profile that is had otherwise.
func (f *jailFlags) planOf(load func(*machine) (*profile.Profile, error)) ([]string, *machine, error) {
	root, err := f.findProject()
	if err != nil {
		return nil, nil, err
	}
	m, err := f.open(opening{project: root})
	if err != nil {
		return nil, nil, err
	}
	p, err := load(m)
	if err != nil {
		return nil, nil, err
	}
	h, err := f.profileHost(m)
	if err != nil {
		return nil, nil, err
	}
	m.makes = p.Directories(h)
	ask := h.GitIdentity
	h.GitIdentity = func() (string, string, error) { // whose it is changes no verdict
		name, email, err := ask()
		return cmp.Or(name, "nobody"), cmp.Or(email, "nobody@localhost"), err
	}
	if f.declared {
		h.Lookup, h.Elsewhere = lookUpDeclared, true
	}
	argv, err := p.Argv(h, f.add, nil)
	if errors.Is(err, profile.ErrCommandNotFound) {
		// Where a jail is only judged, as in CI, its program need not be there:
		// but for the program's folder the jail is the same.
		m.absent = &checker.Absent{Command: p.Command(), Why: err.Error()}
		argv, err = p.Argv(h, f.add, []string{"/bin/sh"})
	}
	return argv, m, err
}

// openForLint takes the project that is named, that around the working directory, or
// that directory.
func (f *jailFlags) openForLint(o config.Options) (*machine, error) {
	root, err := f.projectOrNone()
	if err != nil {
		return nil, err
	}
	return f.open(opening{project: root, options: o})
}
