package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker/report"
)

func newWhy() *cobra.Command {
	var f jailFlags
	c := &cobra.Command{
		Use:   "why [flags] PATH [TARGET]",
		Short: "Tell whether a jail reaches a path of the host, how, and what would close it",
		Long: described(`Tell whether a jail reaches PATH, a path of the host (relative to the working
directory, or with ~/ for the home): through which mounts, with what access,
which option asked for them, and what would close each way. PATH need not exist:
being able to create it counts as reaching it.`, targetHelp,
			`Exit status 0: reachable; 1: not reachable; 2: could not be told.`),
		Example: `  ocjail why ~/.ssh
  ocjail why .git/hooks/pre-commit
  ocjail why /run/docker.sock jail.hcl && echo "the jail is open"`,
		Args: cobra.RangeArgs(1, 2),
		ValidArgsFunction: func(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return completeTargets(c, args, word)
		},
	}
	f.register(c)
	f.registerEvaluate(c)
	format := textOrJSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		w, err := explain(c, targets{&f, c.InOrStdin(), c.ErrOrStderr()}, args)
		if err != nil {
			return &statusError{brokenStatus, err}
		}
		if err := write(c.OutOrStdout(), *format, w); err != nil {
			return err
		}
		if !w.Reachable {
			return &statusError{foundStatus, nil}
		}
		return nil
	}
	return c
}

func explain(c *cobra.Command, t targets, args []string) (*report.Why, error) {
	j, err := t.one(c, args[1:])
	if err != nil {
		return nil, err
	}
	p, err := hostPath(args[0], j.Facts.HomeReal, j.Cwd)
	if err != nil {
		return nil, err
	}
	return report.NewWhy(j, p)
}

// hostPath makes a path as a person types it absolute. It does not clean it:
// ".." after a symbolic link leads elsewhere than its text says.
func hostPath(p, home, cwd string) (string, error) {
	switch {
	case p == "":
		return "", fmt.Errorf("PATH is empty: name a file or directory of the host")
	case p == "~" || strings.HasPrefix(p, "~/"):
		return home + p[1:], nil
	case strings.HasPrefix(p, "~"):
		return "", fmt.Errorf("%s: other users' homes are not looked up: write the path out", p)
	case filepath.IsAbs(p):
		return p, nil
	}
	return cwd + string(os.PathSeparator) + p, nil
}
