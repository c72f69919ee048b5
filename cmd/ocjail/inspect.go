package main

import (
	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker/report"
)

func newInspect() *cobra.Command {
	var f jailFlags
	c := &cobra.Command{
		Use:   "inspect [flags] [TARGET]",
		Short: "Show what a jail sees and may write",
		Long: described(`Show what a jail sees and may write: its mounts as a tree, where each comes from,
what ocjail adds to protect the host, and the environment, namespaces, session,
sockets and watched paths. No value of a variable is shown but of those that are
no secret, such as HOME and PATH. Nothing is started and no rule is asked.`, targetHelp,
			`Exit status 0, or 2 when the jail could not be modelled.`),
		Example: `  ocjail inspect
  ocjail inspect --add 'readonly ~/notes'
  ocjail inspect --format json | jq '.mounts[] | select(.access == "rw").path'`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeTargets,
	}
	f.register(c)
	f.registerEvaluate(c)
	format := textOrJSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		j, err := targets{&f, c.InOrStdin(), c.ErrOrStderr()}.one(c, args)
		if err != nil {
			return &statusError{brokenStatus, err}
		}
		v, err := report.NewView(j)
		if err != nil {
			return &statusError{brokenStatus, err}
		}
		return write(c.OutOrStdout(), *format, v)
	}
	return c
}
