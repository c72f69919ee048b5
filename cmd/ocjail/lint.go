package main

import (
	"fmt"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

// Exit statuses of commands that launch nothing: ESLint's and conftest's
// neighbourhood, and the reverse of tflint's.
const (
	foundStatus  = 1
	brokenStatus = 2
)

const lintHelp = `A TARGET may also be a folder: of all below it, the profiles, manifests, saved
argvs and devenv projects with opencode are judged, the folders .git, .devenv,
.direnv and node_modules left out. Other .hcl and .json files, and links, are
passed over and counted; one that looks like a jail and breaks off is an error, as
is an ocjail.hcl that is broken. A devenv project that is passed over is named, and
so is HCL that can not be read, or has a project block, and nothing else of a
profile's.

--format is what standard output gets: text; json; sarif (2.1.0, for code
scanning); junit (a suite a jail, a test a rule); github (workflow commands, shown
beside the lines of a pull request). --output writes one more report to a file,
and may be repeated. What only another host or the jail's start can decide is
counted as undecided in each of them, never as passed.

--save-host writes what was looked at of this machine to judge the targets: its
facts and, of each path, what kind of file it is; no content. --host judges
manifests and saved argvs elsewhere as if on that machine; only the project's own
files are looked at here.

--policy tries rules that are not published yet, also where the jail could write
them; they can not extend ocjail's own lists there.`

func newLint() *cobra.Command {
	f := jailFlags{judges: true}
	var o lintFlags
	c := &cobra.Command{
		Use:   "lint [flags] [TARGET…]",
		Short: "Check jails without starting them",
		Long: described("Check jails without starting them.", targetHelp, lintHelp,
			`Exit status 0: nothing at or above --fail-level; 1: findings; 2: a target could
not be judged. (This is ESLint's and conftest's order, not tflint's.)`),
		Example: `  ocjail lint
  ocjail lint --add 'rw-bind /srv /srv'
  ocjail lint jail.hcl saved-argv.json --format json
  ocjail lint --evaluate           # a devenv project, as in CI: runs its Nix code
  ocjail lint jails/ --format github --output sarif:ocjail.sarif --output junit:ocjail.xml
  ocjail lint --save-host laptop.json manifest.json && ocjail lint --host laptop.json manifest.json
  ocjail lint --policy ../rules --rule 'acme/*' --explain jails/
  jq -n '$ARGS.positional' --args -- --bind / / -- bash | ocjail lint -`,
		ValidArgsFunction: completeTargets,
	}
	f.register(c)
	f.registerEvaluate(c)
	o.format = formats(c, report.LintFormats...)
	o.register(c, &f)
	c.RunE = func(c *cobra.Command, args []string) error {
		l, err := o.linter(c, &f)
		if err != nil {
			return err
		}
		// So that no part of a report is left behind.
		signal.Ignore(syscall.SIGPIPE)
		ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		names, err := l.targets.named(c, args)
		if err != nil {
			return &statusError{brokenStatus, err}
		}
		return l.run(ctx, names)
	}
	return c
}

// lintFlags are those of lint alone.
type lintFlags struct {
	format    *string
	outputs   []string
	failLevel string
	rules     []string
	host      string
	saveHost  string
	verbose   bool
	explain   bool
}

func (o *lintFlags) register(c *cobra.Command, f *jailFlags) {
	c.Flags().StringArrayVar(&o.outputs, "output", nil, "one more report, as `FORMAT:FILE`; repeatable")
	c.Flags().StringVar(&o.failLevel, "fail-level", "error", "least `SEVERITY` that gives exit status 1: error, warning or info")
	c.Flags().StringArrayVar(&f.policies, "policy", nil, "one more folder, .rego or .wasm file of rules, or bundle: `PATH`; repeatable")
	c.Flags().StringArrayVar(&o.rules, "rule", nil, "judge by this rule only: its `ID`, or a pattern as fs/*; repeatable")
	c.Flags().StringVar(&o.host, "host", "", "judge as on the machine of this `FILE`, which --save-host wrote there")
	c.Flags().StringVar(&o.saveHost, "save-host", "", "write what was looked at of this machine to `FILE`")
	must(c.MarkFlagFilename("host", "json"))
	must(c.MarkFlagFilename("save-host", "json"))
	c.MarkFlagsMutuallyExclusive("host", "save-host")
	c.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "print infos as well (text, github)")
	c.Flags().BoolVar(&o.explain, "explain", false, "explain the rules that found something (text, json; the other formats do so by themselves)")
	must(c.RegisterFlagCompletionFunc("fail-level", cobra.FixedCompletions([]string{"error", "warning", "info"}, cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("output", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var heads []string
		for _, name := range report.LintFormats {
			heads = append(heads, name+":")
		}
		return heads, cobra.ShellCompDirectiveNoSpace
	}))
	must(c.RegisterFlagCompletionFunc("rule", func(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return f.completeRules(c.Context(), o.rules)
	}))
}

// linter checks what can be checked before anything is judged.
func (o *lintFlags) linter(c *cobra.Command, f *jailFlags) (*linter, error) {
	level, err := finding.ParseSeverity(o.failLevel)
	if err != nil {
		return nil, fmt.Errorf("--fail-level: %w", err)
	}
	for _, r := range o.rules {
		if _, err := path.Match(r, ""); err != nil || r == "" {
			return nil, fmt.Errorf("--rule %q: write a rule's id, or a pattern as 'fs/*'", r)
		}
	}
	root, err := sourceRoot()
	if err != nil {
		return nil, &statusError{brokenStatus, err}
	}
	if o.host != "" {
		if f.saved, err = host.LoadSaved(o.host); err != nil {
			return nil, &statusError{brokenStatus, fmt.Errorf("--host: %w", err)}
		}
	}
	if o.saveHost != "" {
		f.recorder = host.NewRecorder()
	}
	l := &linter{targets: targets{f, c.InOrStdin(), c.ErrOrStderr()}, level: level, only: o.rules, here: root.here, saveHost: o.saveHost}
	l.outputs = &outputs{options: report.LintOptions{FailLevel: level, Verbose: o.verbose, Explain: o.explain, Root: root.top}}
	if err := l.outputs.parse(o.outputs); err != nil {
		return nil, err
	}
	l.outputs.stdout, l.outputs.format = c.OutOrStdout(), *o.format
	return l, nil
}

// root is where names of files in reports begin.
type root struct {
	here string // the working directory, resolved
	top  string // the nearest folder above with .git, which CI systems begin at; here without one
}

func sourceRoot() (root, error) {
	cwd, err := os.Getwd()
	if err == nil {
		cwd, err = filepath.EvalSymlinks(cwd)
	}
	if err != nil {
		return root{}, fmt.Errorf("working directory: %w", err)
	}
	for dir := cwd; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return root{cwd, dir}, nil
		}
		if dir == filepath.Dir(dir) {
			return root{cwd, cwd}, nil
		}
	}
}

// file is the absolute path of a target that is a file, else "".
func (l *linter) file(name string) string {
	switch {
	case name == "-" || !strings.Contains(name, "/") && filepath.Ext(name) == "":
		return ""
	case filepath.IsAbs(name):
		return filepath.Clean(name)
	}
	return filepath.Join(l.here, name)
}
