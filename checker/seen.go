package checker

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/release"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// keepsCount tells whether the revisions of a policy's file are kept count of. Who may
// write a bundle that nobody signs can give it any revision.
func keepsCount(p *config.Policy) bool { return p.Bundle && p.Remote == nil && p.Keys != nil }

// nixStore holds what never changes (Nix manual, "Nix Store").
var nixStore = "/nix/store"

// pinned tells whether a bundle is a file of the Nix store's, to which only those lead
// that the configuration is trusted to as well. It is the one that they built: whether
// that is older than another is their choice, as when they switch to an earlier
// generation, and nobody in between had a say in it.
func pinned(p *config.Policy, at Where, owners *config.Owners) bool {
	file := at.File(p.Path)
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return false // reading it says why
	}
	_, stored := sandbox.Below(nixStore, real)
	return stored && owners.Trusted(p.Layer, file) == nil
}

// seen is the highest revision of a policy's file that was seen here, zero for none, and
// whether root noted that.
func seen(p *config.Policy, at Where, owners *config.Owners) (r bundle.Revision, system bool, err error) {
	if owners == nil || !keepsCount(p) || pinned(p, at, owners) {
		return bundle.Revision{}, false, nil
	}
	k, err := recall(at.File(p.Path), at, owners)
	r, system = k.seen()
	return r, system, err
}

// Remember notes the revisions of the bundles that files name and are signed files of
// this machine: no older one is opened from then on. They have been opened. The error
// says that this can not be told later, or that a newer one was seen meanwhile.
func Remember(files []*config.File, at Where, owners *config.Owners) error {
	for _, f := range files {
		for i := range f.Policies {
			p := &f.Policies[i]
			if p.Opened == nil || !keepsCount(p) || pinned(p, at, owners) {
				continue
			}
			if err := at.remember(p, owners); err != nil {
				return fmt.Errorf("policy %q of %s: %w", p.Name, p.Pos, err)
			}
		}
	}
	return nil
}

func (at Where) remember(p *config.Policy, owners *config.Owners) error {
	e := EntryOf(p.Opened, at.File(p.Path), time.Now())
	k, err := recall(e.Source, at, owners)
	if err != nil || e.Revision.Compare(k.own.Seen) == 0 {
		return err
	}
	e.Rollback = k.machine.Rollback
	return at.ownStore().Note(e, bundle.Revision{})
}

// EntryOf is what there is to note of an open bundle.
func EntryOf(b *bundle.Bundle, source string, now time.Time) store.Entry {
	return store.Entry{Source: source, Digest: b.Digest, Revision: b.Manifest.Revision, Signer: b.Signer, Algorithm: b.Algorithm, Fetched: now}
}

// Accept verifies the bundle of a policy's file and goes on from its revision. That may
// be older than one that was seen if it is rollback, zero for none, but not behind what
// root noted for this machine, unless in is that store.
func Accept(p *config.Policy, at Where, owners *config.Owners, in store.Store, rollback bundle.Revision) (store.Entry, error) {
	name := hclfile.Escape(at.File(p.Path))
	fail := func(err error) (store.Entry, error) {
		return store.Entry{}, fmt.Errorf("policy %q of %s: the bundle %s: %w", p.Name, p.Pos, name, err)
	}
	if !keepsCount(p) {
		return fail(errors.New("no signature is demanded of it, so its revision says nothing: name the publisher's key in keys"))
	}
	trust := bundle.Trust{Now: time.Now(), Version: release.Version, Source: name}
	var err error
	if trust.Keys, err = Keys(p, at, owners); err != nil {
		return fail(err)
	}
	archive, err := local(p, at, owners, &trust)
	if err != nil {
		return fail(err)
	}
	k, err := recall(at.File(p.Path), at, owners)
	if err != nil {
		return fail(err)
	}
	switch {
	case rollback == (bundle.Revision{}):
	case in.Shared:
		trust.Seen = bundle.Revision{}
	default:
		trust.Seen, trust.System = k.machine.Seen, true
	}
	b, err := bundle.Open(archive, trust)
	if err != nil {
		return fail(fmt.Errorf("%s: %w (keys: %s)", store.DigestOf(archive), err, bundle.KeyIDs(trust.Keys)))
	}
	e := EntryOf(b, at.File(p.Path), trust.Now)
	highest, _ := k.seen()
	if in.Shared {
		highest = k.machine.Seen
	} else {
		e.Rollback = k.machine.Rollback
	}
	if rollback != (bundle.Revision{}) && e.Revision.Compare(rollback) != 0 && e.Revision.Compare(highest) >= 0 {
		return fail(bundle.NotNamed(e.Revision, rollback))
	}
	if err := in.Note(e, rollback); err != nil {
		return fail(err)
	}
	return e, nil
}
