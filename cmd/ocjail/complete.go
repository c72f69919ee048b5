package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// completeFirst completes the first operand alone.
func completeFirst(first cobra.CompletionFunc) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return first(c, args, word)
	}
}

// completeSources offers the bundles that the configuration names, by their sources or
// as the files that they are.
func (p *pulling) completeSources(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	files, at, _, err := p.policies()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var all []string
	for _, policy := range policiesOf(files) {
		switch {
		case policy.Remote != nil:
			all = append(all, policy.Remote.String()+"\tpolicy "+policy.Name)
		case policy.Bundle:
			all = append(all, at.File(policy.Path)+"\tpolicy "+policy.Name)
		}
	}
	return all, cobra.ShellCompDirectiveNoFileComp
}

// describePlainly takes the marks from what completion shows of flags, as help does.
func describePlainly(c *cobra.Command) {
	plain := func(f *pflag.Flag) { _, f.Usage = pflag.UnquoteUsage(f) }
	c.Flags().VisitAll(plain)
	c.PersistentFlags().VisitAll(plain)
	for _, sub := range c.Commands() {
		describePlainly(sub)
	}
}
