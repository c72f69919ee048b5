//go:build linux && !nojail

package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker/approval"
	"github.com/refnil/opencode-jail-devenv/checker/gate"
	"github.com/refnil/opencode-jail-devenv/checker/grants"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

// approveFlags are those of the command approve.
type approveFlags struct {
	jailFlags
	list, revoke, yes bool
	format            string
	out               io.Writer
}

func newApprove() *cobra.Command {
	f := approveFlags{jailFlags: jailFlags{declared: true}}
	c := &cobra.Command{
		Use:   "approve [flags] [TARGET]",
		Short: "Approve what a jail may do, before it is launched, or take that back",
		Long: described(`Approve what a jail of this project may do to the host: its grants, as 'ocjail
diff' compares them. Where gate { approval = "widening" } holds, as it does for
the jails of the devenv module, a launch that may do more than was last approved
asks at the terminal, and is refused where there is none. What is approved is kept
outside of the project, in ~/.local/state/ocjail, which no jail reaches.`,
			`Without a TARGET: what launches were refused for, if there were any, else the jail
of this project. On a terminal it asks first; elsewhere --yes says so. An approval
takes the place of the one before. What only a start can tell is not approved
beforehand: launch, and approve what was refused.`, targetHelp,
			`Exit status 0: done; 1: not approved; 2: it could not be done.`),
		Example: `  ocjail approve
  ocjail approve --yes             # in a script, before a launch without a terminal
  ocjail approve jail.hcl
  ocjail approve --list
  ocjail approve --revoke          # of this project; ocjail approve --revoke opencode: one jail`,
		ValidArgsFunction: completeTargets,
	}
	f.register(c)
	f.registerEvaluate(c)
	c.Flags().BoolVar(&f.list, "list", false, "list what is approved and what waits, of every project, or of --project")
	c.Flags().BoolVar(&f.revoke, "revoke", false, "forget the approvals of this project's JAILs, or of all, broken ones too")
	c.Flags().BoolVarP(&f.yes, "yes", "y", false, "approve without a question")
	c.MarkFlagsMutuallyExclusive("list", "revoke", "yes")
	format := textOrJSON(c)
	onlyOutside(c, "whoever started it says what it may do, with ocjail approve on the host", nil)
	c.RunE = func(c *cobra.Command, args []string) error {
		f.format, f.out = *format, c.OutOrStdout()
		err := f.run(c, args)
		if errors.Is(err, errDeclined) || errors.Is(err, errNoApproval) {
			return &statusError{foundStatus, err}
		}
		if err != nil {
			return &statusError{brokenStatus, err}
		}
		return nil
	}
	return c
}

func (f *approveFlags) run(c *cobra.Command, args []string) error {
	if f.format != "text" && !f.list {
		return errors.New("--format goes with --list")
	}
	if f.list && len(args) > 0 {
		return errors.New("--list takes no TARGET")
	}
	facts, err := f.gather()
	switch {
	case err != nil:
		return err
	case f.list:
		return f.show(facts)
	case f.revoke:
		return f.forget(facts, args)
	case len(args) > 1:
		return errors.New("one TARGET at a time")
	}
	return f.approve(c, args, facts)
}

// approve approves what is named, what waits, or this project's jail.
func (f *approveFlags) approve(c *cobra.Command, args []string, facts *host.Facts) error {
	store := approval.Open(facts.StateDir, facts.ProjectRoot)
	_, waiting, err := store.Records()
	if err != nil {
		return err
	}
	if len(args) > 0 || len(waiting) == 0 || f.evaluate || c.Flags().Changed("profile") || len(f.add) > 0 {
		return f.target(c, args, facts)
	}
	for _, r := range waiting {
		r.Grants.Locate(grants.PlacesOf(facts))
		if err := f.one(store, r.Jail, facts, r.Grants); err != nil {
			return err
		}
	}
	return nil
}

// gather finds the project. One that is gone can still be named, to have its
// approvals listed and revoked.
func (f *approveFlags) gather() (*host.Facts, error) {
	root, err := f.projectAnywhere()
	if err == nil {
		facts, err := host.Gather(host.NewFS(), root)
		return &facts, err
	}
	if !f.list && !f.revoke || f.project == "" {
		return nil, err
	}
	facts, err := host.Gather(host.NewFS(), "/")
	if err != nil {
		return nil, err
	}
	facts.ProjectRoot, err = filepath.Abs(f.project)
	return &facts, err
}

// target approves a jail that is not started.
func (f *approveFlags) target(c *cobra.Command, args []string, facts *host.Facts) error {
	t := targets{&f.jailFlags, c.InOrStdin(), c.ErrOrStderr()}
	names, err := t.named(c, args)
	if err != nil {
		return err
	}
	found, err := t.find(names[0])
	if err != nil {
		return about(names[0], err)
	}
	found.declare()
	j, err := found.jail()
	if err != nil {
		return about(names[0], err)
	}
	if j.Manifest == nil && (names[0] == "-" || filepath.Ext(names[0]) == ".json") {
		j.Name = argvName
	}
	g := found.grants(j)
	store := approval.Open(facts.StateDir, j.Facts.ProjectRoot)
	return f.one(store, gate.JailKey(j, g), &j.Facts, g)
}

// one approves a jail, unless a person at the terminal says no.
func (f *approveFlags) one(store approval.Store, jail string, facts *host.Facts, g *grants.Grants) error {
	q := gate.Question{Jail: jail, Project: facts.ProjectRoot, Grants: g, Beyond: grants.Compare(nil, g)}
	last, err := store.Approved(jail)
	if err != nil {
		return err
	}
	if last != nil {
		q.Last, q.Beyond = last.Time, grants.Compare(last.Grants, g)
	}
	answer := gate.Remember
	if f.yes {
		err = question(f.out, report.StyleOf(f.out), q)
	} else {
		answer, err = f.ask(q)
	}
	if err != nil {
		return err
	}
	if answer != gate.Remember { // and --yes must not approve it later
		return errors.Join(fmt.Errorf("jail %s %w", report.Escape(jail), errDeclined), store.Dismiss(jail))
	}
	if err := store.Approve(jail, g); err != nil {
		return err
	}
	return say(f.out, fmt.Sprintf("Approved: jail %s of %s.", report.Escape(jail), report.Escape(facts.ProjectRoot)))
}

func (f *approveFlags) ask(q gate.Question) (gate.Answer, error) {
	t, err := openTerminal()
	if errors.Is(err, gate.ErrNobody) {
		return gate.Refuse, errors.Join(question(f.out, report.StyleOf(f.out), q), errors.New("there is no terminal to ask at: approve it with --yes"))
	}
	if err != nil {
		return gate.Refuse, err
	}
	defer t.close()
	if err := question(t.file, report.StyleOf(t.file), q); err != nil {
		return gate.Refuse, err
	}
	return t.answer(q, []choice{{'y', "yes, approve it", gate.Remember}, {'d', "details", details}, {'n', "no", gate.Refuse}})
}

// errDeclined says that somebody said no.
var errDeclined = errors.New("was not approved")

// show lists the records.
func (f *approveFlags) show(facts *host.Facts) error {
	approved, waiting, err := approval.All(facts.StateDir)
	if f.project != "" {
		approved, waiting, err = approval.Open(facts.StateDir, facts.ProjectRoot).Records()
	}
	if e := write(f.out, f.format, report.NewApprovals(approved, waiting)); e != nil {
		return e
	}
	return err
}
