//go:build linux && !nojail

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/gate"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/profile"
	"github.com/refnil/opencode-jail-devenv/checker/report"
	"github.com/refnil/opencode-jail-devenv/checker/review"
)

func newRun() *cobra.Command {
	f := jailFlags{judges: true}
	var verbose, timings bool
	c := &cobra.Command{
		Use:   "run [flags] [-- COMMAND [ARG…]]",
		Short: "Build a jail from a profile, check it and start the command in it",
		Long: `Build a jail from a profile, check it against the rules, and start COMMAND in it
(the profile's own, opencode, when none is given).

The exit status is the command's own, or 125 when ocjail or bwrap failed, 126
when the jail is refused, 127 when the command is not there. In the last
three cases nothing was started.`,
		Example: `  ocjail run
  ocjail run -- opencode run "fix the tests"
  ocjail run --add 'rw-bind ~/.cargo/registry ~/.cargo/registry'
  ocjail run --profile ./jail.hcl -- bash`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			l := newLauncher(c.ErrOrStderr(), verbose, timings)
			argv, m, err := f.build(args)
			if err != nil {
				return launchError(err)
			}
			l.step("profile")
			return l.launch(c, m, f.profile, argv)
		},
	}
	f.register(c)
	launchFlags(c, &verbose, &timings)
	return c
}

func launchFlags(c *cobra.Command, verbose, timings *bool) {
	c.Flags().BoolVarP(verbose, "verbose", "v", false, "also print warnings and infos of a jail that is allowed")
	c.Flags().BoolVar(timings, "timings", false, "print how long each step took")
}

// build makes the argv of the profile's jail, and the directories it needs.
func (f *jailFlags) build(command []string) ([]string, *machine, error) {
	root, err := f.findProject()
	if err != nil {
		return nil, nil, err
	}
	m, err := f.open(opening{project: root, bwrap: true})
	if err != nil {
		return nil, nil, err
	}
	p, err := m.loadProfile(f.profile)
	if err != nil {
		return nil, nil, err
	}
	h, err := f.profileHost(m)
	if err != nil {
		return nil, nil, err
	}
	argv, err := p.Argv(h, f.add, command)
	if errors.Is(err, profile.ErrCommandNotFound) && len(command) == 0 {
		err = fmt.Errorf("%w, or name another command after --", err)
	}
	if err != nil {
		return nil, nil, err
	}
	if err := p.MakeDirectories(h); err != nil {
		return nil, nil, err
	}
	m.fs = host.NewFS() // the directories exist now
	m.lookout = checker.LookOut(m.fs, m.facts, m.config, m.profile)
	return argv, m, nil
}

// mostErrors is how many errors a refusal prints unasked: who binds the whole
// host breaks a hundred rules, of which the first say it all.
const mostErrors = 10

// launcher is what run and gate share.
type launcher struct {
	w       io.Writer
	verbose bool
	clock   *clock
	observe bool // the configuration's mode
	facts   *host.Facts
	screen  *term.State // of the terminal before the launch; nil without one
}

func newLauncher(w io.Writer, verbose, timings bool) *launcher {
	l := &launcher{w: w, verbose: verbose}
	if timings {
		l.clock = newClock(w)
	}
	return l
}

func (l *launcher) step(name string) {
	if l.clock != nil {
		l.clock.step(name)
	}
}

func (l *launcher) launch(c *cobra.Command, m *machine, name string, argv []string) error {
	l.observe, l.facts = m.config.Gate.Mode == config.Observe, &m.facts
	if s, err := term.GetState(int(os.Stdin.Fd())); err == nil {
		l.screen = s
	}
	r := gate.Request{
		Name: name, Argv: argv, Bwrap: m.bwrap, FS: m.fs, Facts: m.facts, Config: m.config, Checker: m.rules, Lookout: m.lookout, Manifest: m.manifest, Profile: m.profile, BusProxy: m.busProxy, InBwrapsPlace: c.Name() == "gate", Cwd: m.cwd,
		Environ: os.Environ(), Show: l.show, Ask: l.ask, Reviewed: l.reviewed, Warn: l.w, Steps: l.step,
	}
	again := newRefresher(m)
	r.Released = again.begin
	status, err := r.Launch(c.Context())
	again.wait()
	if status == 0 && err == nil {
		return nil
	}
	return &statusError{status, err}
}

// reviewed tells what the session changed, and asks where the configuration says
// so and somebody is there to answer.
func (l *launcher) reviewed(o gate.Outcome) {
	err := report.SessionEnd(l.w, o.Changes, l.facts.ProjectRoot, l.facts.Home)
	pending := countWarnings(o.Review.Changes())
	switch {
	case err != nil: // nobody is left to tell
	case o.Mode == config.ReviewRevert && o.Stored && pending > 0:
		l.revert(o.Review)
	case o.Mode == config.ReviewAsk && o.Stored && pending > 0 && !o.Signaled && canAsk():
		if l.screen != nil {
			err = term.Restore(int(os.Stdin.Fd()), l.screen)
		}
		a := &asker{in: os.Stdin, out: l.w, project: l.facts.ProjectRoot, home: l.facts.Home, least: finding.Warning, interrupted: o.Interrupted}
		if err := errors.Join(err, a.all(o.Review)); err != nil {
			complain(l.w, err)
		}
	case countWarnings(o.Changes) > 0 && o.Stored:
		fmt.Fprintln(l.w, "ocjail: look at them with 'ocjail review' before anything runs them")
	}
}

func (l *launcher) revert(p *review.Project) {
	n, kept, err := p.Revert(func(c review.Change) bool { return c.Level == finding.Warning })
	if err != nil {
		complain(l.w, fmt.Errorf("not all could be put back: %w", err))
	}
	fmt.Fprintln(l.w, reverted(n, kept))
}

// show prints what a person must know: why a jail is refused; on request, what
// is weak about one that is not.
func (l *launcher) show(r *checker.Report) {
	t := report.NewText(l.w, finding.Error)
	t.Most = mostErrors
	if r.Denied() { // the configuration may have been meant to prevent it
		t.Also = func(f finding.Finding) bool {
			return strings.HasPrefix(f.Rule, "config/") && f.Severity != finding.Info
		}
	}
	if l.verbose {
		t.Least, t.Most = finding.Info, 0
	}
	left, err := t.Findings(r.Findings)
	if err == nil {
		err = t.Verdict(r.Jail.Name, r.Findings, left, l.observe)
	}
	if n := unreviewed(r); err == nil && n > 0 && !l.verbose {
		_, err = fmt.Fprintf(l.w, "ocjail: what earlier sessions changed was not reviewed (%d): see ocjail review\n", n)
	}
	// Nobody is left to tell that standard error is gone.
	_ = err
}

// unreviewed counts pending changes that stop no launch, and so are not printed.
func unreviewed(r *checker.Report) int {
	n := 0
	for _, f := range r.Findings {
		if f.Rule == finding.Unreviewed && f.Severity == finding.Warning {
			n++
		}
	}
	return n
}

// launchError gives an error from before the launch its exit status.
func launchError(err error) error {
	var missing *gate.CommandError
	if errors.As(err, &missing) || errors.Is(err, profile.ErrCommandNotFound) {
		return &statusError{gate.NotFound, err}
	}
	return &statusError{gate.Broken, err}
}
