package checker

import (
	"errors"
	"fmt"
	"io/fs"
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

// seen is the highest revision of a policy's file that was seen here, zero for none.
func seen(p *config.Policy, at Where, owners *config.Owners) (bundle.Revision, error) {
	if owners == nil || !keepsCount(p) || pinned(p, at, owners) {
		return bundle.Revision{}, nil
	}
	_, _, highest, err := newest(at.File(p.Path), at, owners)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return highest, err
}

// Remember notes the revisions of the bundles that files name and are signed files of
// this machine: no older one is opened from then on. They have been opened. The error
// says that this can not be told later, or that a newer one was seen meanwhile.
func Remember(files []*config.File, at Where, owners *config.Owners) error {
	own := store.User(at.Home)
	for _, f := range files {
		for i := range f.Policies {
			p := &f.Policies[i]
			if p.Opened == nil || !keepsCount(p) || pinned(p, at, owners) {
				continue
			}
			e := EntryOf(p.Opened, at.File(p.Path), time.Now())
			before, err := own.Find(e.Source)
			if err == nil && e.Revision.Compare(before.Seen) == 0 {
				continue
			}
			if err = own.Note(e, bundle.Revision{}); err != nil {
				return fmt.Errorf("policy %q of %s: %w", p.Name, p.Pos, err)
			}
		}
	}
	return nil
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
	if rollback != (bundle.Revision{}) {
		trust.Seen = bundle.Revision{}
	}
	b, err := bundle.Open(archive, trust)
	if err != nil {
		return fail(fmt.Errorf("%s: %w (keys: %s)", store.DigestOf(archive), err, bundle.KeyIDs(trust.Keys)))
	}
	e := EntryOf(b, at.File(p.Path), trust.Now)
	if !in.Shared {
		noted, err := store.System().Find(e.Source)
		if err == nil && e.Revision.Compare(noted.Seen) < 0 {
			return fail(fmt.Errorf("its revision is %s, and root noted %s for this machine: allow it as root, with --system", e.Revision, noted.Seen))
		}
	}
	if err := in.Note(e, rollback); err != nil {
		return fail(err)
	}
	return e, nil
}
