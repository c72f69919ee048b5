package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/inmate"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

const whyHelp = `Tell whether a jail reaches something, which option asked for that, and what
would close it, or open it.

PATH is a path of the host, relative to the working directory, or with ~/ for the
home. It need not exist: being able to create it counts as reaching it.
HOST:PORT is a port that the jail could connect to, as in localhost:5432 or
[::1]:22. No name is looked up, and nothing is connected to. NAME is an environment
variable. Its value is shown only of a few that hold no secret, such as PATH.

A word that is both a file here and a variable or port is an error: --as tells
which is meant, and ./NAME is always a file.

Within a jail, and without TARGET and flags, the answer is about that jail: what it
was told when it started, and what to ask the person for who started it.`

func newWhy() *cobra.Command {
	var f jailFlags
	var kind string
	c := &cobra.Command{
		Use:   "why [flags] PATH|HOST:PORT|NAME [TARGET]",
		Short: "Tell whether a jail reaches a file, a port or a variable, how, and what would close it",
		Long: described(whyHelp, targetHelp,
			`Exit status 0: reachable; 1: not reachable; 2: could not be told.`),
		Example: `  ocjail why ~/.ssh
  ocjail why .git/hooks/pre-commit
  ocjail why localhost:5432
  ocjail why GITHUB_TOKEN
  ocjail why --as path GITHUB_TOKEN
  ocjail why /run/docker.sock jail.hcl && echo "the jail is open"`,
		Args: operands(1, "PATH|HOST:PORT|NAME", "TARGET"),
		ValidArgsFunction: func(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return completeTargets(c, args, word)
		},
	}
	f.register(c)
	f.registerEvaluate(c)
	c.Flags().StringVar(&kind, "as", "", "the `KIND` of the first argument: path, env or host (default: what it looks like)")
	must(c.RegisterFlagCompletionFunc("as", cobra.FixedCompletions(subjectKinds, cobra.ShellCompDirectiveNoFileComp)))
	format := textOrJSON(c)
	known := c.PreRunE
	c.PreRunE = func(c *cobra.Command, args []string) error {
		if kind != "" && !slices.Contains(subjectKinds, kind) {
			return fmt.Errorf("unknown --as %q: write path, env or host", kind)
		}
		return known(c, args)
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		a, err := f.why(c, args, kind)
		if err != nil {
			return &statusError{brokenStatus, err}
		}
		if err := write(c.OutOrStdout(), *format, a); err != nil {
			return err
		}
		if !a.Reached() {
			return &statusError{foundStatus, nil}
		}
		return nil
	}
	return c
}

// why answers about args[0], from within the jail where this is one.
func (f *jailFlags) why(c *cobra.Command, args []string, kind string) (answer, error) {
	if args[0] == "" {
		return nil, errors.New("PATH is empty: name a file or directory of the host, a variable or HOST:PORT")
	}
	if len(args) == 1 && os.Getenv(checker.InmateVariable) == "1" && !aboutAJail(c) {
		d, err := inmate.Read()
		if err == nil {
			return askInside(args[0], kind, d)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	j, err := targets{f, c.InOrStdin(), c.ErrOrStderr()}.one(c, args[1:])
	if err != nil {
		return nil, err
	}
	return ask(args[0], kind, j)
}

// aboutAJail tells whether a flag names a jail, or says how to make one.
func aboutAJail(c *cobra.Command) bool {
	return slices.ContainsFunc([]string{"profile", "add", "project", "config", "bwrap", "evaluate"}, c.Flags().Changed)
}

// askInside answers from what the jail that we are in was told.
func askInside(word, kind string, d *inmate.Description) (answer, error) {
	if kind == "" {
		var err error
		knows := func(name string) bool { _, set := os.LookupEnv(name); return set }
		if kind, err = subjectKind(word, knows); err != nil {
			return nil, err
		}
	}
	switch kind {
	case "env":
		_, set := os.LookupEnv(word)
		return report.EnvInside(d, word, set), nil
	case "host":
		if _, _, err := splitAddress(word); err != nil {
			return nil, err
		}
		return report.HostInside(d, word), nil
	}
	cwd, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("working directory: %w", err)
	}
	p, err := hostPath(word, d.Home, cwd)
	if err != nil {
		return nil, err
	}
	return report.PathInside(d, p)
}
