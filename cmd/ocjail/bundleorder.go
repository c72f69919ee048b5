package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/host"
)

// order is one bundle to be fetched.
type order struct {
	source      string
	keys        []string      // files
	token       string        // a file, "" for none
	digest      string        // that the lock names, "" for the newest
	refuseAfter time.Duration // the age from which nothing starts by it, 0 for none
	failed      error         // why it can not be fetched, nil when it can
	// opens opens what is kept as a launch does; nil where no policy names the source.
	opens func() error
}

// unusable is why no launch goes by what is kept, nil where one does.
func (o order) unusable() error {
	if o.opens == nil {
		return nil
	}
	return o.opens()
}

// problem is what there is to say of a bundle when ocjail-rules has said its part.
func (o order) problem(fetched bool) error {
	why := o.unusable()
	switch {
	case o.failed != nil && why == nil:
		return fmt.Errorf("%w; %s was not asked, and what is kept of it stays in use", o.failed, o.source)
	case o.failed != nil:
		return fmt.Errorf("%w; %s was not asked, and nothing starts before that is mended", o.failed, o.source)
	case fetched && why != nil:
		return fmt.Errorf("%s: nothing starts by it: %w", o.source, why)
	}
	return nil // ocjail-rules has said what is kept
}

// orders says what is to be fetched.
func (p *pulling) orders(c *cobra.Command, args []string) ([]order, error) {
	if err := p.misused(args); err != nil {
		return nil, err
	}
	if len(args) == 1 {
		return p.orderFor(args[0])
	}
	all, files, err := p.configured()
	if err == nil && len(all) == 0 && files == 0 {
		err = errors.New("no policy has a bundle to be fetched: name a SOURCE and --key FILE, or write policy \"NAME\" { source = \"oci://…\", keys = […] } into ocjail.hcl (ocjail config --help names the files)")
	}
	if err == nil && len(all) == 0 {
		_, err = fmt.Fprintln(c.OutOrStdout(), "nothing is to be fetched: the bundles that policies name are files of this machine")
	}
	return all, err
}

// orderFor takes the keys of a policy where none are given. Where two policies name the
// source, a launch verifies it by the keys of each.
func (p *pulling) orderFor(source string) ([]order, error) {
	s, err := parseSource(source)
	if err != nil {
		return nil, err
	}
	if p.token != "" {
		if s.Scheme == "oci" {
			return nil, fmt.Errorf("--token-file is for https://: a registry's credentials are in the Docker configuration: run docker login %s", s.Host)
		}
		if err := p.tokenIn(p.token); err != nil {
			return nil, fmt.Errorf("--token-file: %w: write the bearer token there as one line, or name another file", err)
		}
	}
	if len(p.keys) > 0 {
		return []order{{source: source, keys: p.keys, token: p.token}}, nil
	}
	all, _, err := p.configured()
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

// configured are the bundles that the configuration has fetched, and how many are files.
func (p *pulling) configured() (all []order, ofFiles int, err error) {
	files, at, owners, err := p.policies()
	if err != nil {
		return nil, 0, err
	}
	for _, f := range files {
		for i := range f.Policies {
			switch policy := &f.Policies[i]; {
			case policy.Remote != nil:
				all = append(all, p.orderOf(f, policy, at, owners))
			case policy.Bundle:
				ofFiles++
			}
		}
	}
	return all, ofFiles, nil
}

// policies are those of the user's and the organisation's files.
func (p *pulling) policies() (files []*config.File, at checker.Where, owners *config.Owners, err error) {
	cwd, err := os.Getwd()
	if err != nil {
		return nil, at, nil, fmt.Errorf("working directory: %w", err)
	}
	facts, err := host.Gather(host.NewFS(), cwd)
	if err != nil {
		return nil, at, nil, err
	}
	files, owners, err = p.files(facts, opening{})
	return files, checker.Where{Home: facts.Home, Project: facts.ProjectRoot}, owners, err
}

// orderOf is what a policy has fetched. What is wrong with one policy keeps no other
// from being fetched.
func (p *pulling) orderOf(f *config.File, policy *config.Policy, at checker.Where, owners *config.Owners) order {
	o := order{source: policy.Remote.String(), refuseAfter: policy.Remote.RefuseAfter}
	o.opens = func() error {
		one := *f
		one.Policies = []config.Policy{*policy}
		_, err := checker.OpenBundles([]*config.File{&one}, at, owners)
		return err
	}
	var err error
	o.keys, err = checker.KeyFiles(policy, at, owners)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("%w: have the publisher's public key put there, or correct keys", err)
	case err != nil:
	case f.Lock != nil && policy.Locked == nil:
		err = fmt.Errorf("the lock %s does not name %s: run ocjail bundle update, which adds it", hclfile.Escape(f.Lock.Path), hclfile.Escape(policy.Source))
	case policy.Locked != nil:
		o.digest = policy.Locked.Digest
	}
	if file := policy.Remote.TokenFile; file != "" {
		o.token = at.File(file)
		if err == nil {
			if err = p.tokenIn(o.token); err != nil {
				err = fmt.Errorf("token_file: %w: write the bearer token there as one line, or correct token_file", err)
			}
		}
	}
	if err != nil {
		o.failed = fmt.Errorf("policy %q of %s: %w", policy.Name, policy.Pos, err)
	}
	return o
}

// tokenIn looks at the file of a bearer token, and warns of one of the user's that
// everybody can read. What it holds ocjail-rules looks at.
func (p *pulling) tokenIn(file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if ok && int(owner.Uid) == os.Getuid() && info.Mode().Perm()&0o007 != 0 && !p.system {
		_, err = fmt.Fprintf(p.warn(), "ocjail: warning: the token in %s can be read by others (mode %04o): run chmod 600 on it, and have another made if somebody did\n", strings.TrimSpace(hclfile.Escape(file)), info.Mode().Perm())
	}
	return err
}
