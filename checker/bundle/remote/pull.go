package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
}

// Pulled is what came of it.
type Pulled struct {
	store.Entry
	Unchanged bool  // the source has what was kept already
	Discarded error // what was kept and was not good any more, nil for nothing
}

// Pull fetches a bundle, verifies it and keeps it. Whatever goes wrong, what was kept
// before stays, and the error says so.
func (c *Client) Pull(ctx context.Context, o Order, now time.Time) (*Pulled, error) {
	if len(o.Keys) == 0 {
		return nil, fmt.Errorf("%s: %w: name the publisher's public key with --key, or in keys of the policy", o.Source, bundle.ErrNoKeys)
	}
	before, err := o.Store.Find(o.Source.String())
	known := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	trust := bundle.Trust{Keys: o.Keys, Seen: before.Seen, Source: o.Source.String(), Now: now, Version: c.Version}
	p, err := c.replace(ctx, o, before, known, trust)
	if err != nil {
		stays := "no bundle of it is kept here"
		if known {
			stays = fmt.Sprintf("revision %s (%s), of %s, signed by %.16s, stays in use", before.Revision, before.Digest, before.Fetched.UTC().Format(time.RFC3339), before.Signer)
		}
		return nil, fmt.Errorf("%s: %w; %s", o.Source, err, stays)
	}
	return p, nil
}

func (c *Client) replace(ctx context.Context, o Order, before store.Entry, known bool, trust bundle.Trust) (*Pulled, error) {
	p := &Pulled{}
	mark := ""
	if known && o.Rollback == (bundle.Revision{}) {
		mark, p.Discarded = standing(o.Store, before, trust)
	}
	if o.Digest != "" && o.Digest != before.Digest {
		mark = "" // what is kept is another
	}
	f, err := c.Get(ctx, o.Source, Wanted{Mark: mark, Digest: o.Digest})
	if err != nil {
		return nil, err
	}
	if f.Archive == nil {
		p.Entry, p.Unchanged = before, true
		p.Fetched = trust.Now
		return p, o.Store.Renew(before, trust.Now)
	}
	if o.Rollback != (bundle.Revision{}) {
		trust.Seen = bundle.Revision{}
	}
	b, err := bundle.Open(f.Archive, trust)
	if err == nil && known && b.Manifest.Revision.Compare(before.Seen) < 0 && b.Manifest.Revision.Compare(o.Rollback) != 0 {
		err = &bundle.RollbackError{Revision: b.Manifest.Revision, Seen: before.Seen, Source: trust.Source}
	}
	if err != nil {
		return nil, fmt.Errorf("the bundle %s is refused: %w (keys: %s)", store.DigestOf(f.Archive), err, bundle.KeyIDs(o.Keys))
	}
	p.Entry = store.Entry{
		Source: o.Source.String(), Digest: b.Digest, Revision: b.Manifest.Revision, Seen: b.Manifest.Revision,
		Signer: b.Signer, Algorithm: b.Algorithm, Fetched: trust.Now, Mark: f.Mark,
	}
	p.Unchanged = known && b.Digest == before.Digest && p.Discarded == nil
	return p, o.Store.Keep(f.Archive, p.Entry, o.Rollback)
}

// standing is the mark of what is kept, if that is good: only then is it no loss not to
// get it anew.
func standing(s store.Store, e store.Entry, trust bundle.Trust) (mark string, discarded error) {
	archive, err := s.Read(e)
	var gone *store.DiscardedError
	if errors.As(err, &gone) {
		return "", gone
	}
	if err == nil {
		_, err = bundle.Open(archive, trust)
	}
	if err != nil {
		return "", nil
	}
	return e.Mark, nil
}
