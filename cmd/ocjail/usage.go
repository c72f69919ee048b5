package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/refnil/opencode-jail-devenv/checker/spelling"
)

// operands says which ones a command takes, by the names in its usage, of which the
// first least must be there; one that ends in … can be there again. What is missing, the flags among it, is named, where cobra
// counts.
func operands(least int, names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		var missing []string
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Annotations[cobra.BashCompOneRequiredFlag] != nil && !f.Changed {
				name, usage := pflag.UnquoteUsage(f)
				missing = append(missing, fmt.Sprintf("--%s %s (%s)", f.Name, name, usage))
			}
		})
		for i := len(args); i < least; i++ {
			missing = append(missing, names[i])
		}
		more := len(args) > len(names) && (names == nil || !strings.HasSuffix(names[len(names)-1], "…"))
		switch {
		case missing != nil:
			return fmt.Errorf("%s lacks %s", c.CommandPath(), strings.Join(missing, " and "))
		case more && names == nil:
			return fmt.Errorf("%s takes no %q", c.CommandPath(), args[0])
		case more:
			return fmt.Errorf("%s takes no more than %s, and not %q", c.CommandPath(), strings.Join(names, " "), args[len(names)])
		}
		return nil
	}
}

// isParent has a command that is only there for those below it show its help, and
// tell of one that is misspelt.
func isParent(c *cobra.Command) {
	c.Args = unknownCommand
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
}

// unknownCommand stands in for cobra's message, which takes four lines.
func unknownCommand(parent *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range parent.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	of := ""
	if parent.HasParent() {
		of = fmt.Sprintf(" of %s", parent.CommandPath())
	}
	return fmt.Errorf("unknown command %q%s%s", args[0], of, spelling.DidYouMean(args[0], names))
}

// newHelp is cobra's, and tells of a command that is misspelt.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND…]",
		Short:   "Help about any command",
		Long:    "Help about any command: what its --help says.",
		Example: "  ocjail help run\n  ocjail help bundle pull",
		ValidArgsFunction: func(c *cobra.Command, words []string, _ string) ([]string, cobra.ShellCompDirective) {
			about, rest, err := c.Root().Find(words)
			if err != nil || len(rest) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []string
			for _, below := range about.Commands() {
				if below.IsAvailableCommand() {
					names = append(names, cobra.CompletionWithDesc(below.Name(), below.Short))
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, words []string) error {
			about, rest, err := c.Root().Find(words)
			if err == nil {
				err = unknownCommand(about, rest)
			}
			if err != nil {
				return &statusError{brokenStatus, err}
			}
			about.InitDefaultHelpFlag()
			about.InitDefaultVersionFlag()
			return about.Help()
		},
	}
}

// kinds says how values of flags are written, by pflag's names of their types.
var kinds = map[string]string{
	"int": "a whole number", "float64": "a number", "duration": "a time, as in 30s or 5m", "bool": "true or false",
}

// flagError says how a flag's value is written, and not which function could not read
// it, and which flag somebody meant.
func flagError(c *cobra.Command, err error) error {
	var none *pflag.NotExistError
	if errors.As(err, &none) && none.GetSpecifiedShortnames() == "" {
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
		return fmt.Errorf("%w%s", err, spelling.DidYouMean("--"+none.GetSpecifiedName(), names))
	}
	var wrong *pflag.InvalidValueError
	if !errors.As(err, &wrong) {
		return err
	}
	f := wrong.GetFlag()
	kind, ok := kinds[f.Value.Type()]
	if !ok {
		return err
	}
	return fmt.Errorf("--%s %q: write %s", f.Name, wrong.GetValue(), kind)
}
