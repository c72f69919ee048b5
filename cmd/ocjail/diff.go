package main

import (
	"bytes"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/grants"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

func newDiff() *cobra.Command {
	f := jailFlags{declared: true}
	c := &cobra.Command{
		Use:   "diff [flags] A B",
		Short: "Show what a jail may do that another may not",
		Long: described(`Show what jail B may do that jail A may not ("+"), and the other way round ("-"):
paths, network, namespaces, variables, and so on. What only changes the order of
options, the place of a mount in the jail or the hash of a store path is no
difference. What a jail takes only where it exists (optional mounts, variables
passed by name) counts as if it did. Paths are named by home and project, so that two
machines agree.`,
			`A and B are TARGETs as 'ocjail lint' takes them, or files of a revision that git
knows, as git writes them: HEAD~1:jail.hcl. With --profile FILE a revision alone
will do; a file or an embedded profile of that name comes first. A revision's
devenv.nix is not evaluated: diff the manifests that two shells made.`,
			`Exit status 0: B is not wider; 1: B is wider, or what it may do can not be told
before it starts; 2: a jail could not be modelled.`),
		Example: `  ocjail diff opencode jail.hcl
  ocjail diff HEAD~1:jail.hcl jail.hcl
  ocjail diff --profile jail.hcl HEAD~1 HEAD
  ocjail diff old-manifest.json new-manifest.json --format markdown`,
		Args:              operands(2, "A", "B"),
		ValidArgsFunction: completeTargets,
	}
	f.registerHost(c)
	f.registerProject(c)
	c.Flags().StringVar(&f.profile, "profile", "", "the profile's `FILE` that a revision is asked for")
	must(c.MarkFlagFilename("profile", "hcl"))
	format := formats(c, "text", "json", "markdown")
	c.RunE = func(c *cobra.Command, args []string) error {
		d, err := f.diff(c, args[0], args[1])
		if err != nil {
			return &statusError{brokenStatus, err}
		}
		if err := write(c.OutOrStdout(), *format, report.NewDifference(args[0], args[1], d)); err != nil {
			return err
		}
		if len(d.Wider) > 0 {
			return &statusError{foundStatus, nil}
		}
		return nil
	}
	return c
}

func (f *jailFlags) diff(c *cobra.Command, a, b string) (grants.Difference, error) {
	t := targets{f, c.InOrStdin(), c.ErrOrStderr()}
	var sides [2]*grants.Grants
	var texts [2][]byte
	for i, name := range []string{a, b} {
		found, text, err := t.findRevised(c.Context(), name)
		if err != nil {
			return grants.Difference{}, about(name, err)
		}
		found.declare()
		j, err := found.jail()
		if err != nil {
			return grants.Difference{}, about(name, err)
		}
		sides[i], texts[i] = found.grants(j), text
	}
	if texts[0] != nil && bytes.Equal(texts[0], texts[1]) {
		sides[0].Undecided, sides[1].Undecided = nil, nil // whatever it is, it is the same
	}
	return grants.Compare(sides[0], sides[1]), nil
}

// lookUpDeclared gives each variable a value. What is no file here is none for
// those that name one.
func lookUpDeclared(name string) (string, bool) {
	if value, ok := os.LookupEnv(name); ok {
		return value, true
	}
	return "/nonexistent", true
}

// declare has what is bound only where it exists taken to exist: on another machine,
// or tomorrow, it may.
func (found target) declare() {
	for i := range found.request.Sandbox.Options {
		o := &found.request.Sandbox.Options[i]
		if name, optional := strings.CutSuffix(o.Name, "bind-try"); optional {
			o.Name = name + "bind"
		}
	}
}

// grants is what j, which is not started, grants. What only a start can tell is
// undecided.
func (found target) grants(j *checker.Jail) *grants.Grants {
	g := grants.Of(j)
	for _, o := range found.open {
		if o.Severity != finding.Info {
			g.Undecided = append(g.Undecided, o.Message)
		}
	}
	return g
}
