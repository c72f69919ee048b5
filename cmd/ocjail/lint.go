package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

// Exit statuses of commands that launch nothing: ESLint's and conftest's
// neighbourhood, and the reverse of tflint's.
const (
	foundStatus  = 1
	brokenStatus = 2
)

func newLint() *cobra.Command {
	f := jailFlags{judges: true}
	var failLevel string
	var verbose bool
	c := &cobra.Command{
		Use:   "lint [flags] [TARGET…]",
		Short: "Check jails without starting them",
		Long: described("Check jails without starting them.", targetHelp,
			`Exit status 0: nothing at or above --fail-level; 1: findings; 2: a target could
not be judged. (This is ESLint's and conftest's order, not tflint's.)`),
		Example: `  ocjail lint
  ocjail lint --add 'rw-bind /srv /srv'
  ocjail lint jail.hcl saved-argv.json --format json
  ocjail lint --evaluate           # a devenv project, as in CI: runs its Nix code
  jq -n '$ARGS.positional' --args -- --bind / / -- bash | ocjail lint -`,
		ValidArgsFunction: completeTargets,
	}
	f.register(c)
	f.registerEvaluate(c)
	format := textOrJSON(c)
	c.Flags().StringVar(&failLevel, "fail-level", "error", "least `SEVERITY` that gives exit status 1: error, warning or info")
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "print infos as well")
	must(c.RegisterFlagCompletionFunc("fail-level", cobra.FixedCompletions([]string{"error", "warning", "info"}, cobra.ShellCompDirectiveNoFileComp)))
	c.RunE = func(c *cobra.Command, args []string) error {
		level, err := finding.ParseSeverity(failLevel)
		if err != nil {
			return fmt.Errorf("--fail-level: %w", err)
		}
		t := targets{&f, c.InOrStdin(), c.ErrOrStderr()}
		names, err := t.named(c, args)
		if err != nil {
			return &statusError{brokenStatus, err}
		}
		l := &linter{targets: t, out: c.OutOrStdout(), format: *format, level: level, verbose: verbose}
		return l.run(c.Context(), names)
	}
	return c
}

type linter struct {
	targets targets
	out     io.Writer
	format  string
	level   finding.Severity
	verbose bool
}

// run judges every target, also after one that could not be.
func (l *linter) run(ctx context.Context, names []string) error {
	doc := report.Document{Version: 1, Targets: []report.Target{}}
	var broken []error
	found := false
	for _, name := range names {
		r, err := l.judge(ctx, name)
		if err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", name, err))
			continue
		}
		for _, f := range r.Findings {
			found = found || f.Status == finding.Open && f.Severity.Rank() >= l.level.Rank()
		}
		t := report.NewTarget(name, r)
		doc.Targets = append(doc.Targets, t)
		if l.format == "text" {
			if err := l.text(t); err != nil {
				return err
			}
		}
	}
	if l.format == "json" {
		if err := report.JSON(l.out, doc); err != nil {
			return err
		}
	}
	switch {
	case broken != nil:
		return &statusError{brokenStatus, errors.Join(broken...)}
	case found:
		return &statusError{foundStatus, nil}
	}
	return nil
}

func (l *linter) text(target report.Target) error {
	least := finding.Warning
	if l.verbose {
		least = finding.Info
	}
	t := report.NewText(l.out, least)
	left, err := t.Findings(target.Findings)
	if err != nil {
		return err
	}
	return t.Summary(target, left)
}

// judge resolves and checks one target on this machine.
func (l *linter) judge(ctx context.Context, name string) (*checker.Report, error) {
	j, found, err := l.targets.resolve(name)
	if err != nil {
		return nil, err
	}
	c, err := found.machine.rules()
	if err != nil {
		return nil, err
	}
	r, err := c.Check(ctx, j)
	if err != nil {
		return nil, err
	}
	r.Findings = append(r.Findings, found.open...)
	finding.Sort(r.Findings)
	return r, nil
}
