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
	k, err := recall(o)
	if err != nil {
		return nil, err
	}
	trust := bundle.Trust{Keys: o.Keys, Seen: k.seen, System: k.bySystem, Source: o.Source.String(), Now: now, Version: c.Version}
	p, err := c.replace(ctx, o, k, trust)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; %s", o.Source, err, k.stays())
	}
	return p, nil
}

// kept is what is known of a source.
type kept struct {
	store.Entry             // of the store that is filled, if known
	known       bool        // and no rollback of root's has made it count no more
	machine     store.Entry // zero for none
	seen        bundle.Revision
	bySystem    bool // root noted seen, and no user's word goes behind it
}

func recall(o Order) (k kept, err error) {
	if k.machine, err = o.Store.Machine(o.Source.String()); err != nil {
		return k, err
	}
	e, err := o.Store.Find(o.Source.String())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if err == nil && !e.Yields(k.machine) {
		k.Entry, k.known = e, true
	}
	k.seen, k.bySystem = k.Seen, o.Store.Shared
	if k.machine.Seen.Compare(k.seen) > 0 {
		k.seen, k.bySystem = k.machine.Seen, true
	}
	return k, nil
}

// stays tells by what launches go on.
func (k kept) stays() string {
	e := k.Entry
	if !k.known || k.machine.Revision.Compare(e.Revision) > 0 {
		e = k.machine
	}
	if e.Source == "" {
		return "no bundle of it is kept here"
	}
	return fmt.Sprintf("revision %s (%s), of %s, signed by %.16s, stays in use", e.Revision, e.Digest, e.Fetched.UTC().Format(time.RFC3339), e.Signer)
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
	if err == nil && b.Manifest.Revision.Compare(before.seen) < 0 && b.Manifest.Revision.Compare(o.Rollback) != 0 {
		err = &bundle.RollbackError{Revision: b.Manifest.Revision, Seen: before.seen, Source: trust.Source, System: before.bySystem}
	}
	return b, err
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
