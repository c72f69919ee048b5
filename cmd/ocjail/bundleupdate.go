package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

// updating is what ocjail bundle update was asked for, and what it finds.
type updating struct {
	jailFlags
	check, system bool
	network       network
	environ       []string // of what fetches

	at     checker.Where
	owners *config.Owners
	locks  []*updatedLock
}

// updatedLock is the lock of a file, and the bundles that it holds.
type updatedLock struct {
	file    *config.File
	bundles []*updatedBundle
	text    []byte // what the lock is to be; nil where it can not be whole
}

// updatedBundle is one of them.
type updatedBundle struct {
	policy *config.Policy
	// before is what is used, nil for nothing, for which why is the reason. Where a launch
	// would not find it, it is tried from the archive replaced.
	before   *bundle.Bundle
	why      error
	replaced []byte
	// after is what takes its place, nil where failed says why nothing does. What was
	// fetched is tried from the archive candidate.
	after     *bundle.Bundle
	failed    error
	candidate []byte
	keys      []bundle.Key // of which one must have signed it
	machine   store.Entry  // what root had noted of it when it was verified
	archive   []byte
	mark      string
}

func newBundleUpdate() *cobra.Command {
	var u updating
	c := &cobra.Command{
		Use:   "update [flags] [TARGET…]",
		Short: "Move the lock to the newest bundles, and show what that changes",
		Long: described(`Fetch the newest bundle of each policy of your ocjail.hcl and the project's, verify it,
show which of its rules and which settings are others than before, and move the lock
that lies beside the file (ocjail.lock), or write the first one. With a lock, exactly
what it names is fetched and used, here and wherever it is copied to.`,
			`Given TARGETs, as 'ocjail lint' takes them but for -, show what changes of their
findings as well, and how many of these jails the update newly denies.`,
			`With --check nothing is written, whether a lock would move is the exit status. A
bundle that can not be had or is refused stays as it is. A revision below one that was
seen or locked is refused. --system moves the organisation's lock, as root.`,
			howSourcesAreReached,
			`Exit status 0: the locks are moved, or up to date; 1: with --check, an update is there;
2: a bundle could not be had, a jail not be judged, or a lock not be moved.`),
		Example: `  ocjail bundle update
  ocjail bundle update --check jails/ manifest.json
  ocjail bundle update --check --format json jails/ | jq .summary.newly_denied
  sudo ocjail bundle update --system`,
		ValidArgsFunction: completeTargets,
	}
	u.registerHost(c)
	u.registerProject(c)
	u.registerEvaluate(c)
	c.Flags().BoolVar(&u.check, "check", false, "write nothing, and exit with 1 when an update is there")
	c.Flags().BoolVar(&u.system, "system", false, "move the organisation's lock, and keep bundles for all users of this machine, as root")
	u.network.register(c)
	format := textOrJSON(c)
	c.RunE = func(c *cobra.Command, names []string) error {
		ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		r, err := u.run(ctx, c, names)
		if err != nil {
			return &statusError{brokenStatus, err}
		}
		if err := write(c.OutOrStdout(), *format, r); err != nil {
			return err
		}
		return u.status(r)
	}
	return c
}

// status is what the process exits with.
func (u *updating) status(r *report.Update) error {
	failed := r.Summary.Broken > 0 || slices.ContainsFunc(r.Bundles, func(b report.UpdatedBundle) bool { return b.Error != "" }) ||
		slices.ContainsFunc(r.Locks, func(l report.UpdatedLock) bool { return l.Change == "failed" })
	switch {
	case failed:
		return &statusError{brokenStatus, nil} // the report says why
	case u.check && r.Available:
		return &statusError{foundStatus, nil}
	}
	return nil
}

func (u *updating) run(ctx context.Context, c *cobra.Command, names []string) (*report.Update, error) {
	if slices.Contains(names, "-") {
		return nil, errors.New("a jail on standard input can not be read twice: name a file")
	}
	if err := there(names); err != nil {
		return nil, fmt.Errorf("%w; nothing was moved", err)
	}
	if err := u.open(); err != nil {
		return nil, err
	}
	var err error
	if u.environ, err = u.network.environment(u.at.Home); err != nil {
		return nil, err
	}
	for _, l := range u.locks {
		for _, b := range l.bundles {
			b.failed = u.newest(ctx, b)
			u.current(ctx, l, b)
		}
		l.text = l.encode()
	}
	r := u.report()
	err = u.compare(ctx, c, names, r)
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	if err != nil {
		return nil, fmt.Errorf("%w; nothing was moved", err)
	}
	u.move(r)
	return r, nil
}

// open finds the locks that are to be moved.
func (u *updating) open() error {
	if u.system && os.Geteuid() != 0 {
		return fmt.Errorf("--system moves the lock of %s, which is root's: run it as root, or leave it out", config.OrganisationFile)
	}
	files, err := u.read()
	if err != nil {
		return err
	}
	others := 0
	for _, f := range files {
		switch l := locking(f); {
		case l == nil:
		case u.moves(f.Layer):
			u.locks = append(u.locks, l)
		default:
			others++
		}
	}
	if u.locks == nil {
		return u.nothing(others)
	}
	return nil
}

// read reads the configuration that holds here.
func (u *updating) read() ([]*config.File, error) {
	root, err := u.projectOrNone()
	if err != nil {
		return nil, err
	}
	cwd, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("working directory: %w", err)
	}
	facts, err := host.Gather(host.NewFS(), cmp.Or(root, cwd))
	if err != nil {
		return nil, err
	}
	files, owners, err := u.files(facts, opening{project: root})
	u.at, u.owners = checker.Where{Home: facts.Home, Project: facts.ProjectRoot}, owners
	return files, err
}

// locking is what there is to lock of a file, nil for nothing.
func locking(f *config.File) *updatedLock {
	l := &updatedLock{file: f}
	for i := range f.Policies {
		if f.Policies[i].Bundle {
			l.bundles = append(l.bundles, &updatedBundle{policy: &f.Policies[i]})
		}
	}
	if l.bundles == nil || f.Path == "" {
		return nil
	}
	return l
}

// moves tells whether locks of a layer's files are to be moved.
func (u *updating) moves(l config.Layer) bool {
	if u.system {
		return l == config.Organisation
	}
	return l == config.User || l == config.Project
}

func (u *updating) nothing(others int) error {
	switch {
	case u.system:
		return fmt.Errorf("%s names no bundle, so there is none to lock", config.OrganisationFile)
	case others > 0:
		return errors.New("no ocjail.hcl of yours or of this project names a bundle; the organisation's lock is moved by root (ocjail bundle update --system), and that of a project above this one there")
	}
	return errors.New("no ocjail.hcl names a bundle, so there is none to lock: write policy \"NAME\" { source = \"oci://…\", keys = […] } into one (ocjail config --help names the files)")
}

// store is where what is fetched is kept.
func (u *updating) store() store.Store {
	if u.system {
		return store.System()
	}
	return store.User(u.at.Home)
}
