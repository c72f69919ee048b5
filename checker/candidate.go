package checker

import (
	"fmt"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/release"
)

// Verify verifies an archive as the bundle of a policy at a time: as at a launch, but
// for the lock, which only says what it may not be older than. Of a policy that names a
// file it reads that one.
func Verify(p *config.Policy, archive []byte, now time.Time, at Where, owners *config.Owners) (*bundle.Bundle, []byte, error) {
	at = at.of(*p)
	trust := bundle.Trust{Now: now, Version: release.Version, Unsigned: p.Keys == nil && p.Remote == nil, Source: hclfile.Escape(nameOf(p, at))}
	var err error
	if trust.Keys, err = Keys(p, at, owners); err != nil {
		return nil, nil, err
	}
	if p.Remote == nil {
		archive, err = local(p, at, owners, &trust)
	} else {
		var k known
		k, err = recall(p.Remote.String(), at, owners)
		trust.Seen, trust.System = k.seen()
	}
	if err != nil {
		return nil, nil, err
	}
	b, err := bundle.Open(archive, trust)
	if err != nil {
		err = fmt.Errorf("the bundle %s is refused: %w", store.DigestOf(archive), err)
		if len(trust.Keys) > 0 {
			err = fmt.Errorf("%w (keys: %s)", err, bundle.KeyIDs(trust.Keys))
		}
		return nil, nil, err
	}
	if l := p.Locked; l != nil && b.Manifest.Revision.Compare(l.Revision) < 0 {
		return nil, nil, fmt.Errorf("the bundle %s is refused: its revision is %s, and %s names %s: have a newer one published, or if the older one is meant, restore the lock that named it or delete this entry", b.Digest, b.Manifest.Revision, l.Pos, l.Revision)
	}
	return b, archive, nil
}

// Kept is the archive that was fetched for a policy, whether or not a launch would still
// take it; nil for none.
func Kept(p *config.Policy, at Where, owners *config.Owners) []byte {
	k, err := recall(p.Remote.String(), at, owners)
	if err != nil {
		return nil
	}
	in, e, err := k.newest()
	if err != nil {
		return nil
	}
	if l := p.Locked; l != nil {
		e.Digest = l.Digest
	}
	for _, s := range append([]store.Store{in}, at.stores()...) {
		if archive, err := s.Read(e); err == nil {
			return archive
		}
	}
	return nil
}

// LastCounted is now, or when an archive of a bundle that has expired still counted.
func LastCounted(archive []byte, now time.Time) time.Time {
	b, _, err := bundle.Inspect(archive)
	if err == nil && !b.Manifest.Expires.IsZero() && !now.Before(b.Manifest.Expires) {
		return b.Manifest.Expires.Add(-time.Second)
	}
	return now
}
