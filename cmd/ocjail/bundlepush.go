package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/host"
)

func newBundlePush() *cobra.Command {
	var n network
	c := &cobra.Command{
		Use:   "push [flags] BUNDLE oci://HOST/REPOSITORY:TAG",
		Short: "Push a signed bundle to an OCI registry",
		Long: described(`Push a signed bundle to a registry, as an artifact that OPA can pull as well
(https://www.openpolicyagent.org/docs/management-bundles#oci). A web server that has
the file does as well: its address is then the source.`, howSourcesAreReached, `Exit status 0, or 2 when it could not be pushed.`),
		Example: `  ocjail bundle push acme.tar.gz oci://ghcr.io/acme/policy:stable
  ocjail bundle push acme.tar.gz oci://127.0.0.1:5000/acme/policy:42`,
		Args:              operands(2, "BUNDLE", "oci://HOST/REPOSITORY:TAG"),
		ValidArgsFunction: completeFirst(completeBundles),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := bundle.ParseSource(args[1]) // the error does not print what may be a password
			switch {
			case err != nil:
				err = fmt.Errorf("a bundle is pushed to oci://HOST/REPOSITORY:TAG: %w", err)
			case s.Tag == "":
				err = fmt.Errorf("%s: a bundle is pushed to oci://HOST/REPOSITORY:TAG", s)
			default:
				err = isFile(args[0])
			}
			if err != nil {
				return &statusError{brokenStatus, err}
			}
			home, err := host.Home(host.NewFS())
			if err != nil {
				return &statusError{brokenStatus, err}
			}
			env, err := n.environment(home)
			if err != nil {
				return &statusError{brokenStatus, err}
			}
			return runRulesIn(env, "bundle-push", append(n.words(), "--", args[0], args[1])...)
		},
	}
	n.register(c)
	return c
}

// parseSource does not print what may be a password.
func parseSource(s string) (bundle.Source, error) {
	source, err := bundle.ParseSource(s)
	if err != nil {
		err = fmt.Errorf("the source: %w", err)
	}
	return source, err
}
