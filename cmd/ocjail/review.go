//go:build linux && !nojail

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/report"
	"github.com/refnil/opencode-jail-devenv/checker/review"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// reviewFlags are those of the command review.
type reviewFlags struct {
	accept, revert, discard, list bool
	project, format               string
}

func newReview() *cobra.Command {
	var f reviewFlags
	c := &cobra.Command{
		Use:   "review [flags] [DIR | PATH…]",
		Short: "Show what sessions changed that runs outside the jail, and keep or revert it",
		Long: `Show what changed, while jails of this project ran, among the files that the host
runs later: with its diff, what would run it, and what git would obey. It stays
pending, and each launch says so, until somebody keeps or reverts it.

On a terminal it asks for each change. Otherwise it lists them, and --accept and
--revert say what becomes of all, or of the PATHs. Without a PATH, --revert leaves
alone what the agent is there to write (package.json, what git tracks). What a
revert takes away is kept for 30 days and its place named.

Who made a change nobody can tell: an editor that ran meanwhile counts too.

Exit status 0: nothing is pending; 1: something is; 2: it can not be told.`,
		Example: `  ocjail review
  ocjail review --list ~/my-project
  ocjail review --accept .husky devenv.nix
  ocjail review --revert .envrc
  ocjail review --format json | jq -r '.pending[].path'`,
	}
	c.Flags().BoolVar(&f.accept, "accept", false, "keep the changes, all or those of the PATHs")
	c.Flags().BoolVar(&f.revert, "revert", false, "put back what was before, all or at the PATHs")
	c.Flags().BoolVar(&f.discard, "discard", false, "set aside all records of this project, also broken ones: you have looked at it yourself")
	c.Flags().BoolVar(&f.list, "list", false, "list, without asking")
	c.Flags().StringVar(&f.project, "project", "", "project root `DIR` (default: the nearest folder above with .git, devenv.nix or ocjail.hcl)")
	must(c.MarkFlagDirname("project"))
	c.MarkFlagsMutuallyExclusive("accept", "revert", "discard", "list")
	format := textOrJSON(c)
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		if f.accept || f.revert {
			return f.pendingPaths(), cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	onlyOutside(c, "what it changes is reviewed on the host, when it has ended", nil)
	c.RunE = func(c *cobra.Command, args []string) error {
		f.format = *format
		return f.run(c.InOrStdin(), c.OutOrStdout(), args)
	}
	return c
}

// open finds the project that args and flags name, and its state folder.
func (f *reviewFlags) open(args []string) (*host.Facts, error) {
	j := jailFlags{project: f.project}
	if !f.accept && !f.revert && len(args) > 0 {
		if len(args) > 1 || f.project != "" {
			return nil, errors.New("one project at a time; PATHs go with --accept or --revert")
		}
		j.project = args[0]
	}
	root, err := j.projectAnywhere()
	var facts host.Facts
	if err == nil {
		facts, err = host.Gather(host.NewFS(), root)
	}
	if err != nil {
		return nil, &statusError{brokenStatus, err} // no misuse
	}
	return &facts, nil
}

func (f *reviewFlags) run(in io.Reader, out io.Writer, args []string) error {
	facts, err := f.open(args)
	if err != nil {
		return err
	}
	if f.discard {
		return discard(out, facts)
	}
	p, err := review.Open(facts.StateDir, facts.ProjectRoot)
	if err != nil {
		return &statusError{brokenStatus, err}
	}
	switch {
	case f.accept || f.revert:
		err = f.resolve(p, facts, out, args)
	case !f.list && f.format == "text" && len(p.Changes()) > 0 && canAsk() && term.IsTerminal(int(os.Stdout.Fd())):
		a := &asker{in: in, out: out, project: facts.ProjectRoot, home: facts.Home, least: finding.Info}
		err = a.all(p)
	default:
		err = f.show(p, facts, out)
	}
	if err != nil {
		return &statusError{brokenStatus, err}
	}
	if len(p.Changes()) > 0 {
		return &statusError{foundStatus, nil}
	}
	return nil
}

func (f *reviewFlags) show(p *review.Project, facts *host.Facts, out io.Writer) error {
	v, err := report.NewReview(p, facts.ProjectRoot, facts.Home)
	if err != nil {
		return err
	}
	if len(v.Pending) == 0 && f.format == "text" {
		_, err := fmt.Fprintln(out, "Nothing to review.")
		return err
	}
	if v.Pending == nil {
		v.Pending = []review.Detail{}
	}
	return write(out, f.format, v)
}

// resolve accepts or reverts what args name, or all.
func (f *reviewFlags) resolve(p *review.Project, facts *host.Facts, out io.Writer, args []string) error {
	match, err := f.matching(p, facts, args)
	if err != nil {
		return err
	}
	if f.accept {
		n, err := p.Accept(match)
		return errors.Join(err, say(out, kept(n)))
	}
	n, where, err := p.Revert(match)
	return errors.Join(err, say(out, reverted(n, where)))
}

func (f *reviewFlags) matching(p *review.Project, facts *host.Facts, args []string) (func(review.Change) bool, error) {
	if len(args) == 0 {
		return func(c review.Change) bool { return f.accept || c.Level == finding.Warning }, nil
	}
	var paths []string
	for _, arg := range args {
		at, err := named(arg, facts)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(p.Changes(), func(c review.Change) bool { return covers(at, c.Path) }) {
			return nil, fmt.Errorf("%s: nothing is pending there: see ocjail review --list", arg)
		}
		paths = append(paths, at...)
	}
	return func(c review.Change) bool { return covers(paths, c.Path) }, nil
}

// named returns the paths that a person may mean: as the list writes them, from
// the project's root or from ~, and as the shell would.
func named(arg string, facts *host.Facts) ([]string, error) {
	if rest, ok := strings.CutPrefix(arg, "~/"); ok {
		return []string{filepath.Join(facts.Home, rest)}, nil
	}
	if filepath.IsAbs(arg) {
		return []string{filepath.Clean(arg)}, nil
	}
	cwd, err := os.Getwd()
	return []string{filepath.Join(facts.ProjectRoot, arg), filepath.Join(cwd, arg)}, err
}

func covers(paths []string, path string) bool {
	return slices.ContainsFunc(paths, func(p string) bool { _, in := sandbox.Below(p, path); return in })
}

func (f *reviewFlags) pendingPaths() []string {
	facts, err := f.open(nil)
	if err != nil {
		return nil // completion has nowhere to complain
	}
	p, err := review.Open(facts.StateDir, facts.ProjectRoot)
	if err != nil {
		return nil
	}
	var paths []string
	for _, c := range p.Changes() {
		paths = append(paths, report.Short(c.Path, facts.ProjectRoot, facts.Home))
	}
	return paths
}

func discard(out io.Writer, facts *host.Facts) error {
	to, err := review.Discard(facts.StateDir, facts.ProjectRoot)
	if err != nil {
		return &statusError{brokenStatus, fmt.Errorf("set the records aside: %w", err)}
	}
	if to == "" {
		return say(out, "There are no records of this project.")
	}
	return say(out, "The records of this project are now in "+to+", where nothing reads them.")
}

func kept(n int) string { return fmt.Sprintf("Kept %d.", n) }

func reverted(n int, where string) string {
	if where == "" {
		return fmt.Sprintf("Reverted %d.", n)
	}
	return fmt.Sprintf("Reverted %d; what was there is kept for 30 days in %s", n, where)
}

func countWarnings(changes []review.Change) int {
	n := 0
	for _, c := range changes {
		if c.Level == finding.Warning {
			n++
		}
	}
	return n
}

// canAsk tells whether standard input is a terminal that answers to this process:
// reading from it in the background would stop us (tcgetpgrp(3)).
func canAsk() bool {
	group, err := unix.IoctlGetInt(int(os.Stdin.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}
