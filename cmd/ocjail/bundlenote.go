package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/config"
)

// note verifies the bundle of a policy that names a file, and goes on from its
// revision: there is nothing to be fetched.
func (p *pulling) note(w io.Writer, name string) error {
	e, err := p.accept(name)
	if err != nil {
		return &statusError{brokenStatus, err}
	}
	_, err = fmt.Fprintln(w, e)
	return err
}

func (p *pulling) accept(name string) (string, error) {
	if len(p.keys) > 0 || p.token != "" {
		return "", errors.New("--key and --token-file are for a SOURCE that is fetched (oci://, https://): of a file the policy has the keys")
	}
	if err := p.misused([]string{name}); err != nil {
		return "", err
	}
	file, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	files, at, owners, err := p.policies()
	if err != nil {
		return "", err
	}
	_, in, err := p.store()
	if err != nil {
		return "", err
	}
	var rollback bundle.Revision
	if p.rollback != "" {
		rollback, err = bundle.ParseRevision(p.rollback)
	}
	if err != nil {
		return "", err
	}
	for _, policy := range policiesOf(files) {
		if policy.Bundle && policy.Remote == nil && filepath.Clean(at.File(policy.Path)) == file {
			e, err := checker.Accept(policy, at, owners, in, rollback)
			if err != nil {
				return "", err
			}
			return noted(file, e, in.Shared && e.Revision.Compare(rollback) == 0), nil
		}
	}
	return "", fmt.Errorf("no policy of yours or the organisation's names the file %s: name one of theirs, or a source to be fetched (oci://HOST/REPOSITORY:TAG, https://HOST/PATH)", file)
}

func noted(file string, e store.Entry, forAll bool) string {
	users := ""
	if forAll {
		users = " for all users, whatever they have seen before"
	}
	return fmt.Sprintf("%s: revision %s, %s, signed by %s (%s): noted%s; older ones are refused", file, e.Revision, e.Digest, e.Signer, e.Algorithm, users)
}

func policiesOf(files []*config.File) (all []*config.Policy) {
	for _, f := range files {
		for i := range f.Policies {
			all = append(all, &f.Policies[i])
		}
	}
	return all
}
