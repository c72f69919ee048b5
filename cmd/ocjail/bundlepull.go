package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/host"
)

// pulling is what ocjail bundle pull was asked for.
type pulling struct {
	jailFlags
	keys            []string
	rollback, token string
	system          bool
	timeout         time.Duration
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
			orders, err := p.orders(args)
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
	timeoutFlag(c, &p.timeout)
	return c
}

// order is one bundle to be fetched.
type order struct {
	source string
	keys   []string // files
	token  string   // a file, "" for none
	digest string   // that the lock names, "" for the newest
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

// orders says what is to be fetched.
func (p *pulling) orders(args []string) ([]order, error) {
	if err := p.misused(args); err != nil {
		return nil, err
	}
	if len(args) == 1 {
		return p.orderFor(args[0])
	}
	all, err := p.configured()
	if err == nil && len(all) == 0 {
		err = errors.New("no policy has a bundle to be fetched: name a SOURCE and --key FILE, or write policy \"NAME\" { source = \"oci://…\", keys = […] } into ocjail.hcl (ocjail config --help names the files)")
	}
	return all, err
}

// orderFor takes the keys of a policy where none are given. Where two policies name the
// source, a launch verifies it by the keys of each.
func (p *pulling) orderFor(source string) ([]order, error) {
	if _, err := parseSource(source); err != nil {
		return nil, err
	}
	if len(p.keys) > 0 {
		return []order{{source: source, keys: p.keys, token: p.token}}, nil
	}
	all, err := p.configured()
	if err != nil {
		return nil, err
	}
	for _, o := range all {
		if o.source == source {
			o.token = cmp.Or(p.token, o.token)
			return []order{o}, nil
		}
	}
	return nil, fmt.Errorf("no policy names %s, so its keys are not known: add --key FILE with the publisher's public key", source)
}

// configured are the bundles that the configuration has fetched.
func (p *pulling) configured() ([]order, error) {
	policies, at, owners, err := p.policies()
	if err != nil {
		return nil, err
	}
	var all []order
	for _, policy := range policies {
		if policy.Remote == nil {
			continue
		}
		o, err := orderOf(&policy, at, owners)
		if err != nil {
			return nil, fmt.Errorf("policy %q of %s: %w", policy.Name, policy.Pos, err)
		}
		all = append(all, o)
	}
	return all, nil
}

// policies are those of the user's and the organisation's files.
func (p *pulling) policies() (all []config.Policy, at checker.Where, owners *config.Owners, err error) {
	cwd, err := os.Getwd()
	if err != nil {
		return nil, at, nil, fmt.Errorf("working directory: %w", err)
	}
	facts, err := host.Gather(host.NewFS(), cwd)
	if err != nil {
		return nil, at, nil, err
	}
	files, owners, err := p.files(facts, opening{})
	if err != nil {
		return nil, at, nil, err
	}
	for _, f := range files {
		for _, policy := range f.Policies {
			if f.Lock != nil && policy.Remote != nil && policy.Locked == nil {
				return nil, at, nil, fmt.Errorf("policy %q of %s: the lock %s does not name %s: run ocjail bundle update, which adds it", policy.Name, policy.Pos, f.Lock.Path, policy.Source)
			}
			all = append(all, policy)
		}
	}
	return all, checker.Where{Home: facts.Home, Project: facts.ProjectRoot}, owners, nil
}

func orderOf(p *config.Policy, at checker.Where, owners *config.Owners) (order, error) {
	o := order{source: p.Remote.String()}
	var err error
	if o.keys, err = checker.KeyFiles(p, at, owners); err == nil && p.Remote.TokenFile != "" {
		o.token = at.File(p.Remote.TokenFile)
	}
	if p.Locked != nil {
		o.digest = p.Locked.Digest
	}
	return o, err
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
	failed := false
	for _, o := range orders {
		words := []string{
			"bundle-pull", "-build=" + worker.Identity().String(), "-store=" + in.Dir, fmt.Sprintf("-shared=%t", in.Shared), "-root=" + in.Root,
			"-rollback=" + p.rollback, "-token-file=" + o.token, "-timeout=" + p.timeout.String(),
			"-digest=" + o.digest,
		}
		for _, k := range o.keys {
			words = append(words, "-key="+k)
		}
		child := exec.CommandContext(c.Context(), program, append(words, "--", o.source)...)
		child.Args[0] = worker.Name
		child.Env = append(os.Environ(), "HOME="+home) // a timer may have none, and the Docker configuration lies there
		child.Stdout, child.Stderr = c.OutOrStdout(), c.ErrOrStderr()
		err := child.Run()
		var exit *exec.ExitError
		if err != nil && (!errors.As(err, &exit) || !exit.Exited()) {
			return &statusError{brokenStatus, fmt.Errorf("%s: %s: %w", o.source, worker.Name, err)}
		}
		failed = failed || err != nil
	}
	if failed {
		return &statusError{brokenStatus, nil} // ocjail-rules has said why
	}
	return nil
}
