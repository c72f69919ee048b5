package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

// pulling is what ocjail bundle pull was asked for.
type pulling struct {
	jailFlags
	keys            []string
	rollback, token string
	system          bool
	network         network
}

func newBundlePull() *cobra.Command {
	var p pulling
	c := &cobra.Command{
		Use:   "pull [flags] [SOURCE]",
		Short: "Fetch bundles, verify them and keep them for launches",
		Long: described(`Fetch a bundle from a registry (oci://) or a web server (https://), verify it by the
keys, and keep it; without a SOURCE, all those that your and the organisation's
ocjail.hcl name. A launch and a lint use what is kept and never wait for a network, so
have a timer run this. Whatever goes wrong here, what was kept before stays in use.`,
			`Where a lock lies beside the configuration file (ocjail.lock), exactly the bundle that it
names is fetched: ocjail bundle update moves it.`,
			`Without --key the keys are those of the policy that names SOURCE; with it neither a
configuration nor a lock is asked. A revision below
one that was seen is refused, unless --allow-rollback names it; SOURCE can be the file
of a policy then, which is not fetched. What is fetched is kept
in ~/.local/state/ocjail/bundles, or with --system for all users of this machine in
/var/lib/ocjail/bundles; of both the newer one counts. What root allows with --system
--allow-rollback holds for all users, whatever they have seen before; behind it no
user's word goes.`, howSourcesAreReached,
			`Exit status 0, or 2 when a bundle could not be had.`),
		Example: `  ocjail bundle pull
  sudo ocjail bundle pull --system
  ocjail bundle pull oci://ghcr.io/acme/policy:stable --key acme.pem
  ocjail bundle pull https://policy.acme.example/acme.tar.gz --allow-rollback 41
  sudo ocjail bundle pull --system --allow-rollback 41 /etc/ocjail/acme.tar.gz`,
		Args: operands(0, "SOURCE"),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && !bundle.IsSource(args[0]) {
				return p.note(c.OutOrStdout(), args[0])
			}
			orders, err := p.orders(c, args)
			if err != nil {
				return &statusError{brokenStatus, err}
			}
			return p.run(c, orders)
		},
		ValidArgsFunction: completeFirst(p.completeSources),
	}
	p.registerConfig(c)
	c.Flags().StringArrayVar(&p.keys, "key", nil, "a public key's `FILE` that SOURCE may be signed by; more than once for several")
	must(c.MarkFlagFilename("key"))
	c.Flags().StringVar(&p.rollback, "allow-rollback", "", "take this `REVISION` of SOURCE although a newer one was seen")
	must(c.RegisterFlagCompletionFunc("allow-rollback", cobra.NoFileCompletions))
	c.Flags().StringVar(&p.token, "token-file", "", "the `FILE` of a bearer token for an https:// SOURCE")
	must(c.MarkFlagFilename("token-file"))
	c.Flags().BoolVar(&p.system, "system", false, "keep it for all users of this machine, as root")
	p.network.register(c)
	return c
}

// misused tells what of the flags makes no sense.
func (p *pulling) misused(args []string) error {
	if len(args) == 0 && (len(p.keys) > 0 || p.rollback != "" || p.token != "") {
		return errors.New("--key, --allow-rollback and --token-file are for one SOURCE: name it")
	}
	if p.rollback != "" {
		if _, err := bundle.ParseRevision(p.rollback); err != nil {
			return fmt.Errorf("--allow-rollback: %w", err)
		}
	}
	if p.system && os.Geteuid() != 0 {
		return fmt.Errorf("--system keeps bundles in %s, which is root's: run it as root, or leave it out", store.System().Dir)
	}
	return nil
}

// store is where to keep what is known of bundles.
func (p *pulling) store() (home string, in store.Store, err error) {
	if home, err = host.Home(host.NewFS()); err != nil {
		return "", in, err
	}
	if p.system {
		return home, store.System(), nil
	}
	return home, store.User(filepath.Clean(home)), nil
}

// run has ocjail-rules, which can speak to networks, fetch one bundle after the other.
// One that fails keeps no other from being fetched.
func (p *pulling) run(c *cobra.Command, orders []order) error {
	program, err := worker.Program()
	if err != nil {
		return &statusError{brokenStatus, err}
	}
	home, in, err := p.store()
	if err != nil {
		return &statusError{brokenStatus, err}
	}
	env, err := p.network.environment(home)
	if err != nil {
		return &statusError{brokenStatus, err}
	}
	failed := false
	for _, o := range orders {
		fetched, err := p.fetch(c, program, env, in, o)
		if err != nil {
			return &statusError{brokenStatus, err}
		}
		if why := o.problem(fetched); why != nil {
			if err := report.Error(c.ErrOrStderr(), why); err != nil {
				return err
			}
		}
		failed = failed || !fetched || o.unusable() != nil
	}
	if failed {
		return &statusError{brokenStatus, nil} // what failed has said why
	}
	return nil
}

// fetch has one bundle fetched. That it was not, ocjail-rules says.
func (p *pulling) fetch(c *cobra.Command, program string, env []string, in store.Store, o order) (fetched bool, err error) {
	if o.failed != nil {
		return false, nil
	}
	words := []string{
		"bundle-pull", "-build=" + worker.Identity().String(), "-store=" + in.Dir, fmt.Sprintf("-shared=%t", in.Shared), "-root=" + in.Root,
		"-rollback=" + p.rollback, "-token-file=" + o.token,
		"-digest=" + o.digest, "-refuse-after=" + o.refuseAfter.String(),
	}
	words = append(words, p.network.words()...)
	for _, k := range o.keys {
		words = append(words, "-key="+k)
	}
	child := exec.CommandContext(c.Context(), program, append(words, "--", o.source)...)
	child.Args[0] = worker.Name
	child.Env = env
	child.Stdout, child.Stderr = c.OutOrStdout(), c.ErrOrStderr()
	err = child.Run()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || !exit.Exited()) {
		return false, fmt.Errorf("%s: %s: %w", o.source, worker.Name, err)
	}
	return err == nil, nil
}
