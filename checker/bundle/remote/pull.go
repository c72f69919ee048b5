package remote

import (
	"context"
	"fmt"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
)

// Order says what to fetch, and where to keep it.
type Order struct {
	Source bundle.Source
	Keys   []bundle.Key // of which one must have signed it; at least one
	Store  store.Store
	// Rollback is the revision that is accepted although a newer one was seen; zero
	// for none.
	Rollback bundle.Revision
	// Digest is that of the one archive that is wanted, which a lock names; "" for the
	// newest.
	Digest string
	// RefuseAfter is the age from which no launch goes by what is kept; 0 for none.
	RefuseAfter time.Duration
}

// Pulled is what came of it.
type Pulled struct {
	store.Entry
	Unchanged bool  // the source has what was kept already
	Discarded error // what was kept and was not good any more, nil for nothing
	// Twin is the digest of another bundle of this revision, which was kept before and
	// signed by the same key; "" for none.
	Twin string
}

// Pull fetches a bundle, verifies it and keeps it. Whatever goes wrong, what was kept
// before stays, and the error says so.
func (c *Client) Pull(ctx context.Context, o Order, now time.Time) (*Pulled, error) {
	if len(o.Keys) == 0 {
		return nil, fmt.Errorf("%s: %w: name the publisher's public key with --key, or in keys of the policy", o.Source, bundle.ErrNoKeys)
	}
	k, err := recall(o)
	if err != nil {
		return nil, err
	}
	trust := bundle.Trust{Keys: o.Keys, Seen: k.seen, System: k.bySystem, Source: o.Source.String(), Now: now, Version: c.Version}
	p, err := c.replace(ctx, o, k, trust)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; %s", o.Source, err, k.stays(o, trust))
	}
	return p, nil
}

func (c *Client) replace(ctx context.Context, o Order, before kept, trust bundle.Trust) (*Pulled, error) {
	p := &Pulled{}
	mark := ""
	if before.known && o.Rollback == (bundle.Revision{}) {
		mark, p.Discarded = standing(o.Store, before.Entry, trust)
	}
	if o.Digest != "" && o.Digest != before.Digest {
		mark = "" // what is kept is another
	}
	f, err := c.Get(ctx, o.Source, Wanted{Mark: mark, Digest: o.Digest})
	if err != nil {
		return nil, err
	}
	if f.Archive == nil {
		p.Entry, p.Unchanged = before.Entry, true
		p.Fetched = trust.Now
		return p, o.Store.Renew(before.Entry, trust.Now)
	}
	b, err := open(f.Archive, trust, before, o)
	if err != nil {
		return nil, fmt.Errorf("the bundle %s is refused: %w (keys: %s)", store.DigestOf(f.Archive), err, bundle.KeyIDs(o.Keys))
	}
	p.Entry = store.Entry{
		Source: o.Source.String(), Digest: b.Digest, Revision: b.Manifest.Revision, Seen: b.Manifest.Revision,
		Signer: b.Signer, Algorithm: b.Algorithm, Fetched: trust.Now, Mark: f.Mark, Rollback: before.machine.Rollback,
	}
	if before.known && b.Digest != before.Digest && b.Signer == before.Signer && b.Manifest.Revision.Compare(before.Revision) == 0 {
		p.Twin = before.Digest
	}
	p.Unchanged = before.known && b.Digest == before.Digest && p.Discarded == nil
	return p, o.Store.Keep(f.Archive, p.Entry, o.Rollback)
}

// open opens an archive, which may be older than what was seen if the order names it. A
// user's may not be older than what root noted.
func open(archive []byte, trust bundle.Trust, before kept, o Order) (*bundle.Bundle, error) {
	if o.Rollback != (bundle.Revision{}) {
		trust.Seen, trust.System = before.machine.Seen, true
	}
	b, err := bundle.Open(archive, trust)
	if err != nil || o.Rollback == (bundle.Revision{}) || b.Manifest.Revision.Compare(o.Rollback) == 0 {
		return b, err
	}
	if b.Manifest.Revision.Compare(before.seen) < 0 {
		return nil, &bundle.RollbackError{Revision: b.Manifest.Revision, Seen: before.seen, Source: trust.Source, System: before.bySystem}
	}
	return nil, bundle.NotNamed(b.Manifest.Revision, o.Rollback)
}
