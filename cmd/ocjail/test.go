package main

import (
	"fmt"

	"github.com/spf13/cobra"
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
	c.RunE = func(_ *cobra.Command, folders []string) error {
		if *least < 0 || *least > 100 {
			return fmt.Errorf("--coverage %g: write a number from 0 to 100", *least)
		}
		return runRules("test", append([]string{"-format=" + *format, fmt.Sprintf("-coverage=%g", *least), "--"}, folders...)...)
	}
	return c
}
