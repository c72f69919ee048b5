package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker/report"
	"github.com/refnil/opencode-jail-devenv/checker/ruletest"
)

func newTest() *cobra.Command {
	c := &cobra.Command{
		Use:   "test [flags] [PATH…]",
		Short: "Run the tests of rules, and tell how much of the rules they cover",
		Long: `Run the tests of the rules in the folders PATH with OPA's tester, and tell which
lines of the rules they cover; without PATH, those of the embedded rule pack.

A test is a rule named test_… in a file NAME_test.rego (see
https://www.openpolicyagent.org/docs/policy-testing). Tests and rules may use the
pack's library (data.ocjail.lib) and tests its fixtures (data.ocjail.fixtures): a
jail that breaks no rule, and what to change in it. Rules must be such as a launch
accepts, and what they read of the input must be in its schema.

Exit status 0: all tests pass; 1: some fail, or cover less than --coverage; 2: no
tests, or the rules can not be read.`,
		Example: `  ocjail test                         # the embedded pack
  ocjail test rules/ --coverage 95
  ocjail test rules/ --format json | jq -r '.coverage.files[] | select(.percent < 100).name'`,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
	}
	format := textOrJSON(c)
	least := c.Flags().Float64("coverage", 0, "least coverage, in `PERCENT` of lines")
	must(c.RegisterFlagCompletionFunc("coverage", cobra.NoFileCompletions))
	c.RunE = func(c *cobra.Command, folders []string) error {
		if *least < 0 || *least > 100 {
			return fmt.Errorf("--coverage %g: write a number from 0 to 100", *least)
		}
		suite, err := ruletest.Load(c.Context(), folders...)
		if err != nil {
			return &statusError{brokenStatus, err}
		}
		r, err := ruletest.Run(c.Context(), suite)
		if err != nil {
			return &statusError{brokenStatus, err}
		}
		if err := write(c.OutOrStdout(), *format, tested{r}); err != nil {
			return err
		}
		switch {
		case r.Failed > 0:
			return &statusError{foundStatus, nil}
		case r.Coverage.Percent < *least:
			return &statusError{foundStatus, fmt.Errorf("the tests cover %.1f %% of the rules, less than %g %%", r.Coverage.Percent, *least)}
		}
		return nil
	}
	return c
}

// tested is a report of tests as a document.
type tested struct{ *ruletest.Report }

func (t tested) Text(w io.Writer, _ report.Style) error { return t.Report.Text(w) }
