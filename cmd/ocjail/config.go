package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

func newConfig() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Show or check the configuration",
		Long: `Show or check the configuration: ` + config.OrganisationFile + ` (the organisation's),
~/.config/ocjail/ocjail.hcl and --config FILE (yours), and ocjail.hcl at
the project's root. The most trusted file that is there may loosen ocjail's
defaults; the others only tighten, the project's in any case.`,
		Example: `  ocjail config show
  ocjail config check
  ocjail config check --layer project ocjail.hcl`,
	}
	c.AddCommand(newConfigShow(), newConfigCheck())
	return c
}

func newConfigShow() *cobra.Command {
	f := jailFlags{judges: true}
	c := &cobra.Command{
		Use:   "show [flags]",
		Short: "Print what holds after all files, and who said so",
		Long: `Print what holds after all configuration files, where each value was written, and
what was ignored because the file is not trusted with it.

Exit status 0, or 2 when a file is broken.`,
		Example: `  ocjail config show
  ocjail config show --format json | jq '.rules'`,
		Args: operands(0),
	}
	f.registerConfig(c)
	f.registerProject(c)
	format := textOrJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		m, rules, err := f.configured()
		if err != nil {
			return &statusError{brokenStatus, err}
		}
		return write(c.OutOrStdout(), *format, report.NewConfig(m.config, rules))
	}
	return c
}

// configured reads all that is configured here, and has the rules agree with it.
func (f *jailFlags) configured() (*machine, *checker.Checker, error) {
	m, err := f.openForLint(config.Options{})
	if err != nil {
		return nil, nil, err
	}
	rules, err := m.rules()
	return m, rules, err
}

func newConfigCheck() *cobra.Command {
	f := jailFlags{judges: true}
	var layer string
	c := &cobra.Command{
		Use:   "check [flags] [FILE…]",
		Short: "Check configuration files",
		Long: `Check the text of configuration files: names, values, rules' ids, and that the
rules which they name can be loaded. Without a FILE, check those that hold here
together, and that none asks for more than it is trusted with.

Exit status 0: nothing to mend; 1: something does not count, which a file is not
trusted with or which is a waiver that has expired; 2: a file is broken.`,
		Example: `  ocjail config check
  ocjail config check /etc/ocjail/ocjail.hcl
  ocjail config check --layer organisation ./ocjail.hcl`,
		ValidArgsFunction: cobra.FixedCompletions([]string{"hcl"}, cobra.ShellCompDirectiveFilterFileExt),
	}
	f.registerConfig(c)
	f.registerProject(c)
	c.Flags().StringVar(&layer, "layer", "", "`LAYER` of the FILEs: organisation, user or project (default: organisation of "+config.OrganisationFile+", user of others)")
	must(c.RegisterFlagCompletionFunc("layer", cobra.FixedCompletions([]string{"organisation", "user", "project"}, cobra.ShellCompDirectiveNoFileComp)))
	c.RunE = func(c *cobra.Command, files []string) error {
		var problems []error
		var err error
		checked := files
		if len(files) > 0 {
			problems, err = checkFiles(c, layer, files)
		} else {
			var m *machine
			var rules *checker.Checker
			if m, rules, err = f.configured(); err == nil {
				problems, checked = problemsOf(rules), filesOf(m.config)
			}
		}
		if err != nil {
			return &statusError{brokenStatus, err}
		}
		return tellChecked(c.OutOrStdout(), checked, problems)
	}
	return c
}

// tellChecked says what there is to mend, or that there is nothing.
func tellChecked(out io.Writer, files []string, problems []error) error {
	for _, p := range problems {
		complain(out, p)
	}
	if len(problems) > 0 {
		return &statusError{foundStatus, nil}
	}
	if len(files) == 0 {
		files = []string{"there is no file, and ocjail's own settings hold"}
	}
	for _, f := range files {
		if _, err := fmt.Fprintf(out, "%s: nothing to mend\n", hclfile.Escape(f)); err != nil {
			return err
		}
	}
	return nil
}

// filesOf are the files that make up a configuration.
func filesOf(c *config.Config) []string {
	var names []string
	for _, f := range c.Files {
		if f.Path != "" {
			names = append(names, f.Path)
		}
	}
	return names
}

// problemsOf are the statements that do not count, whatever the jail.
func problemsOf(rules *checker.Checker) []error {
	var all []error
	for _, i := range rules.Ignored() {
		all = append(all, fmt.Errorf("%s: %s", i.Message, i.Remedy))
	}
	for _, w := range rules.WaiverProblems(time.Now()) {
		all = append(all, fmt.Errorf("%s: %s: %s", w.Pos, w.Message, w.Remedy))
	}
	return all
}

// openAlone opens the rules of one file.
func openAlone(ctx context.Context, f *config.File, at checker.Where) (*checker.Checker, error) {
	files, err := checker.OpenBundles([]*config.File{f}, at, nil)
	if err != nil {
		return nil, err
	}
	return checker.Open(ctx, config.Merge(files...), at, checker.Keeping{})
}

// layerOf is that of a file, where none was named.
func layerOf(file string) config.Layer {
	if at, err := filepath.Abs(file); err == nil && at == config.OrganisationFile {
		return config.Organisation
	}
	return config.User
}

// checkFiles checks files by themselves, each as one of that layer, or where none was
// named of that of its place.
func checkFiles(c *cobra.Command, layer string, names []string) ([]error, error) {
	of := layerOf
	if c.Flags().Changed("layer") {
		l, err := config.ParseLayer(layer)
		if err != nil {
			return nil, fmt.Errorf("--layer: %w", err)
		}
		of = func(string) config.Layer { return l }
	}
	home, err := host.Home(host.NewFS())
	if err != nil {
		return nil, err
	}
	var problems, errs []error
	for _, name := range names {
		f, err := config.LoadUntrusted(of(name), name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		rules, err := openAlone(c.Context(), f, checker.Where{Home: home, Project: filepath.Dir(name)})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		problems = append(problems, problemsOf(rules)...)
	}
	return problems, errors.Join(errs...)
}
