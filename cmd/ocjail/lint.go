package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/report"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Exit statuses of commands that launch nothing: ESLint's and conftest's
// neighbourhood, and the reverse of tflint's.
const (
	foundStatus  = 1
	brokenStatus = 2
)

func newLint() *cobra.Command {
	var f jailFlags
	var format, failLevel string
	var verbose bool
	c := &cobra.Command{
		Use:   "lint [flags] [TARGET…]",
		Short: "Check jails without starting them",
		Long: `Check jails without starting them. A TARGET is a profile (an embedded one's name
or a .hcl file), a saved argv of bwrap's (a .json file with an array of strings),
or - for such an array on standard input. Without a TARGET: the profile opencode.

Exit status 0: nothing at or above --fail-level; 1: findings; 2: a target could
not be judged. (This is ESLint's and conftest's order, not tflint's.)`,
		Example: `  ocjail lint
  ocjail lint jail.hcl saved-argv.json --format json`,
		RunE: func(c *cobra.Command, args []string) error {
			level, err := finding.ParseSeverity(failLevel)
			if err != nil {
				return fmt.Errorf("--fail-level: %w", err)
			}
			if format != "text" && format != "json" {
				return fmt.Errorf("unknown --format %q: write text or json", format)
			}
			if len(args) == 0 {
				args = []string{f.profile}
			}
			l := &linter{flags: &f, out: c.OutOrStdout(), errOut: c.ErrOrStderr(), in: c.InOrStdin(), format: format, level: level, verbose: verbose}
			return l.run(c.Context(), args)
		},
	}
	f.register(c)
	c.Flags().StringVar(&format, "format", "text", "output `FORMAT`: text or json")
	c.Flags().StringVar(&failLevel, "fail-level", "error", "least `SEVERITY` that gives exit status 1: error, warning or info")
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "print infos as well")
	must(c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("fail-level", cobra.FixedCompletions([]string{"error", "warning", "info"}, cobra.ShellCompDirectiveNoFileComp)))
	return c
}

type linter struct {
	flags       *jailFlags
	in          io.Reader
	out, errOut io.Writer
	format      string
	level       finding.Severity
	verbose     bool
}

// run judges every target, also after one that could not be.
func (l *linter) run(ctx context.Context, targets []string) error {
	doc := report.Document{Version: 1, Targets: []report.Target{}}
	var broken []error
	found := false
	for _, name := range targets {
		r, err := l.judge(ctx, name)
		if err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", name, err))
			continue
		}
		for _, f := range r.Findings {
			found = found || f.Severity.Rank() >= l.level.Rank()
		}
		doc.Targets = append(doc.Targets, target(name, r))
		if l.format == "text" {
			if err := l.text(name, r); err != nil {
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

func target(name string, r *checker.Report) report.Target {
	t := report.Target{Name: name, Verdict: "allow", Rules: r.Rules, Findings: append([]finding.Finding{}, r.Findings...)}
	if r.Denied() {
		t.Verdict = "deny"
	}
	return t
}

func (l *linter) text(name string, r *checker.Report) error {
	least := finding.Warning
	if l.verbose {
		least = finding.Info
	}
	t := report.NewText(l.out, least)
	left, err := t.Findings(r.Findings)
	if err != nil {
		return err
	}
	return t.Summary(name, r.Rules, r.Findings, left)
}

// judge resolves and checks one target on this machine.
func (l *linter) judge(ctx context.Context, name string) (*checker.Report, error) {
	words, m, err := l.words(name)
	if err != nil {
		return nil, err
	}
	s, err := sandbox.ParseArgv(words, func(n int) ([]byte, error) {
		return nil, fmt.Errorf("a saved argv has no descriptor %d: write the file's options in its place", n)
	})
	if err != nil {
		return nil, err
	}
	j, err := checker.Resolve(m.request(name, s))
	if err != nil {
		return nil, err
	}
	c, err := checker.Open(ctx, m.config)
	if err != nil {
		return nil, err
	}
	return c.Check(ctx, j)
}

// words returns the argv that a target stands for.
func (l *linter) words(name string) ([]string, *machine, error) {
	if name != "-" && !strings.HasSuffix(name, ".json") {
		f := *l.flags
		f.profile = name
		return f.plan()
	}
	m, err := l.flags.openForLint()
	if err != nil {
		return nil, nil, err
	}
	data, err := l.read(name)
	if err != nil {
		return nil, nil, err
	}
	var words []string
	if err := json.Unmarshal(data, &words); err != nil {
		return nil, nil, fmt.Errorf("not a JSON array of strings: %w", err)
	}
	return words, m, nil
}

const maxTarget = 16 << 20

func (l *linter) read(name string) ([]byte, error) {
	r := l.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	data, err := io.ReadAll(io.LimitReader(r, maxTarget+1))
	if err == nil && len(data) > maxTarget {
		err = fmt.Errorf("more than %d MiB", maxTarget>>20)
	}
	return data, err
}
