//go:build linux && !nojail

package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/approval"
	"github.com/refnil/opencode-jail-devenv/checker/grants"
	"github.com/refnil/opencode-jail-devenv/checker/host"
)

// errNoApproval is for names that have nothing to be revoked.
var errNoApproval = errors.New("nothing is approved or waits")

// forget revokes the approvals of the named jails, of all without a name. A name
// that has none may be misspelt, and what was meant stays approved: that is an error.
func (f *approveFlags) forget(facts *host.Facts, names []string) error {
	store := approval.Open(facts.StateDir, facts.ProjectRoot)
	if len(names) == 0 {
		n, err := store.Revoke()
		return errors.Join(err, say(f.out, fmt.Sprintf("Revoked %d.", n)))
	}
	// What can not be read is revoked too, so that it is no reason to stop.
	approved, waiting, broken := store.Records()
	known := jailsOf(approved, waiting)
	var total int
	var errs []error
	for _, name := range names {
		keys, err := approvalKeys(facts, name)
		if err != nil {
			return err
		}
		n, err := store.Revoke(keys...)
		total += n
		waited := slices.ContainsFunc(keys, func(key string) bool { return slices.Contains(known, key) })
		if err == nil && n == 0 && !waited {
			err = errors.Join(noApproval(facts.ProjectRoot, name, known), broken)
		}
		errs = append(errs, err)
	}
	return errors.Join(append(errs, say(f.out, fmt.Sprintf("Revoked %d.", total)))...)
}

func noApproval(project, name string, known []string) error {
	mend := "of this project there is nothing to revoke"
	if len(known) > 0 {
		mend = "name one of " + strings.Join(known, ", ")
	}
	return fmt.Errorf("%w for a jail %q of %s: %s (ocjail approve --list)", errNoApproval, name, project, mend)
}

// jailsOf are the names of jails, in order.
func jailsOf(records ...[]approval.Record) (names []string) {
	for _, r := range slices.Concat(records...) {
		names = append(names, r.Jail)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// approvalKeys are what a jail that is named so may be kept as: by that name, or if
// it names a file, as the profile that lies there, which may be gone.
func approvalKeys(facts *host.Facts, name string) ([]string, error) {
	if filepath.Base(name) == name && filepath.Ext(name) == "" {
		return []string{name}, nil
	}
	file, err := filepath.Abs(name)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", name, err)
	}
	var g grants.Grants
	g.Locate(grants.PlacesOf(facts))
	return []string{name, g.PathName(file)}, nil
}
