package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/report"
	"github.com/refnil/opencode-jail-devenv/checker/spelling"
)

func newRules() *cobra.Command {
	var f jailFlags
	c := &cobra.Command{
		Use:   "rules [flags] [ID…]",
		Short: "List the rules, or explain some: why, an example of each kind, how to mend and configure it",
		Long: `List the rules that jails are judged by: those of ocjail and of the policies that
the organisation's, your own and this project's configuration name, with their
severities there. What comes from a project, which its agent can write, is marked.

With an ID, explain that rule: what it reports and why, with the source; a piece
of a jail that breaks it and one to write instead, in bwrap's words, as --add, in
a profile and in jail.nix where these have a word for it; how to mend it and how
to change its severity. Every example is judged by the tests of ocjail.

Exit status 0, or 2 for an unknown ID.`,
		Example: `  ocjail rules
  ocjail rules fs/rw-outside-home
  ocjail rules --format json | jq -r '.rules[] | select(.severity == "error").id'
  ocjail rules --format markdown sockets/privileged > page.md`,
		ValidArgsFunction: func(c *cobra.Command, written []string, _ string) ([]string, cobra.ShellCompDirective) {
			return f.completeRules(c.Context(), written)
		},
	}
	f.registerConfig(c)
	format := formats(c, "text", "json", "markdown")
	c.RunE = func(c *cobra.Command, ids []string) error {
		rules, err := f.configuredRules(c.Context())
		if err != nil {
			return &statusError{brokenStatus, err}
		}
		r := &report.Rules{Version: 1, Rules: rules}
		if len(ids) > 0 {
			if r.Rules, err = chosen(r.Rules, ids); err != nil {
				return &statusError{brokenStatus, err}
			}
			r.Pages = true
		}
		return write(c.OutOrStdout(), *format, r)
	}
	return c
}

// chosen returns the rules with these IDs, in their order.
func chosen(rules []engine.Rule, ids []string) ([]engine.Rule, error) {
	known := make([]string, len(rules))
	for i, r := range rules {
		known[i] = r.ID
	}
	var some []engine.Rule
	for _, id := range ids {
		i := slices.Index(known, id)
		if i < 0 {
			return nil, fmt.Errorf("there is no rule %q among those that judge here%s (a project's count in that project only: ocjail config show names the policies)", id, spelling.DidYouMean(id, known))
		}
		some = append(some, rules[i])
	}
	return some, nil
}

// configuredRules are all rules with the severities that the configuration gives
// them here.
func (f *jailFlags) configuredRules(ctx context.Context) ([]engine.Rule, error) {
	root, err := f.projectOrNone()
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
	c, err := f.configure(facts, opening{project: root})
	if err != nil {
		return nil, err
	}
	opened, err := checker.Open(ctx, c, checker.Where{Home: facts.Home, Project: facts.ProjectRoot}, checker.Keeping{Cache: checker.CacheOf(facts)})
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	rules := opened.Rules()
	for i := range rules {
		rules[i].Severity = opened.Setting(rules[i].ID).Severity
	}
	return rules, nil
}

// completeRules offers the IDs that are not written yet, with their titles.
func (f *jailFlags) completeRules(ctx context.Context, written []string) ([]string, cobra.ShellCompDirective) {
	rules, err := f.configuredRules(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var ids []string
	for _, r := range rules {
		if !slices.Contains(written, r.ID) {
			ids = append(ids, r.ID+"\t"+r.Title)
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
