//go:build linux && !nojail

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/decision"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

// logFlags are those of the command log.
type logFlags struct {
	project, verdict, rule, since, format string
	last                                  int
	follow                                bool
}

func newLog() *cobra.Command {
	var f logFlags
	c := &cobra.Command{
		Use:   "log [flags]",
		Short: "Show which jails were started and refused, and why",
		Long: `Show the decisions of past launches, the oldest first: when, the verdict, the jail,
the project, and the rules that had something to say. The log is decisions.jsonl
in ocjail's state folder; of old ones the last four are kept beside it. With
--format json each line is as it stands there: docs/log.md describes it.

Exit status 0, or 2 when a line, or the log, could not be read.`,
		Example: `  ocjail log
  ocjail log --verdict deny --since 7d
  ocjail log --project . --rule fs/rw-outside-home
  ocjail log --format json | jq -r 'select(.verdict == "deny") | .errors[]' | sort | uniq -c
  ocjail log --follow --rule exec/`,
		Args: operands(0),
	}
	c.Flags().StringVar(&f.project, "project", "", "only of the project around `DIR`")
	must(c.MarkFlagDirname("project"))
	c.Flags().StringVar(&f.verdict, "verdict", "", "only of this `VERDICT`: "+strings.Join(decision.Verdicts, ", "))
	must(c.RegisterFlagCompletionFunc("verdict", cobra.FixedCompletions(decision.Verdicts, cobra.ShellCompDirectiveNoFileComp)))
	c.Flags().StringVar(&f.rule, "rule", "", "only where the `RULE` found something, waived or not; a category with / behind it for all of it")
	must(c.RegisterFlagCompletionFunc("rule", func(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		known := jailFlags{judges: true, warn: c.ErrOrStderr}
		return known.completeRules(c.Context(), nil)
	}))
	c.Flags().StringVar(&f.since, "since", "", "only since `WHEN`: 30m, 12h, 7d, or a date, 2027-01-31, or a time of RFC 3339")
	c.Flags().IntVarP(&f.last, "last", "n", 0, "only the last `N`")
	c.Flags().BoolVarP(&f.follow, "follow", "f", false, "go on with what is decided from now on, until interrupted")
	format := textOrJSON(c)
	onlyOutside(c, "the log is on the host, out of its reach", nil)
	c.RunE = func(c *cobra.Command, _ []string) error {
		f.format = *format
		err := f.run(c.Context(), c.OutOrStdout(), c.ErrOrStderr())
		if err != nil {
			return &statusError{brokenStatus, err}
		}
		return nil
	}
	return c
}

func (f *logFlags) run(ctx context.Context, out, warn io.Writer) error {
	home, cwd, err := homeAndHere()
	if err != nil {
		return err
	}
	wanted, err := f.filter(time.Now())
	if err != nil {
		return err
	}
	facts, err := host.Gather(host.NewFS(), cwd)
	if err != nil {
		return err
	}
	style := report.StyleOf(out)
	shown := 0
	show := func(e decision.Entry) error {
		shown++
		if f.format == "json" {
			_, err := fmt.Fprintf(out, "%s\n", e.Line)
			return err
		}
		return report.Decision(out, style, home, e.Decision)
	}
	broken := 0
	unread := func(err error) error {
		broken++
		complain(warn, err)
		return nil
	}
	log := decision.At(facts.StateDir)
	if err := f.list(ctx, log, wanted, show, unread); err != nil {
		return err
	}
	if broken > 0 {
		return fmt.Errorf("not all of the log could be read (broken lines: %d); the rest is above", broken)
	}
	if shown == 0 && !f.follow && f.format == "text" {
		fmt.Fprintln(warn, "ocjail: nothing to show: no such launch is logged")
	}
	return nil
}

func (f *logFlags) list(ctx context.Context, log decision.Log, wanted decision.Filter, show func(decision.Entry) error, unread func(error) error) error {
	if f.follow {
		ctx, stop := signal.NotifyContext(ctx, unix.SIGINT, unix.SIGTERM)
		defer stop()
		return log.Follow(ctx, func(e decision.Entry) error {
			if !wanted.Wants(e.Decision) {
				return nil
			}
			return show(e)
		}, unread)
	}
	var last []decision.Entry
	err := log.Read(func(e decision.Entry) error {
		switch {
		case !wanted.Wants(e.Decision):
			return nil
		case f.last <= 0:
			return show(e)
		}
		if last = append(last, e); len(last) > f.last {
			last = slices.Delete(last, 0, 1)
		}
		return nil
	}, unread)
	for _, e := range last {
		err = errors.Join(err, show(e))
	}
	return err
}

// filter reads the flags; a time is one before now.
func (f *logFlags) filter(now time.Time) (decision.Filter, error) {
	w := decision.Filter{Verdict: f.verdict, Rule: f.rule}
	switch {
	case f.verdict != "" && !slices.Contains(decision.Verdicts, f.verdict):
		return w, fmt.Errorf("unknown --verdict %q: write %s", f.verdict, strings.Join(decision.Verdicts, ", "))
	case f.rule != "" && !strings.Contains(f.rule, "/"):
		return w, fmt.Errorf("--rule %q: write an id, as in fs/rw-outside-home, or a category with / behind it, as in fs/", f.rule)
	case f.last < 0:
		return w, errors.New("--last: write how many, 1 or more")
	case f.last > 0 && f.follow:
		return w, errors.New("--last and --follow do not go together: say --since")
	}
	if f.project != "" {
		root, err := (&jailFlags{project: f.project}).projectAnywhere()
		if err != nil { // it may be gone, or no project by its looks
			if root, err = filepath.Abs(f.project); err != nil {
				return w, err
			}
		}
		w.Project = root
	}
	var err error
	w.Since, err = since(f.since, now)
	return w, err
}

// since reads a time: so long ago, or a date here, or a whole time.
func since(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, time.Local); err == nil {
		return t, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("--since %q: write how long ago, as in 30m, 12h or 7d, or a date, as in 2027-01-31, or a time of RFC 3339", s)
}
