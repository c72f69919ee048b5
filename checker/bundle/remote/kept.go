package remote

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
)

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

// stays tells by what launches go on, or why none does.
func (k kept) stays(o Order, trust bundle.Trust) string {
	e, in := k.Entry, o.Store
	if !k.known || k.machine.Revision.Compare(e.Revision) > 0 {
		e, in = k.machine, store.Machine(o.Store.Root)
	}
	if e.Source == "" {
		return "no bundle of it is kept here"
	}
	what := fmt.Sprintf("revision %s (%s), of %s, signed by %.16s, ", e.Revision, e.Digest, e.Fetched.UTC().Format(time.RFC3339), e.Signer)
	if err := k.starts(e, in, o, trust); err != nil {
		return what + "is kept here, and nothing starts by it: " + err.Error()
	}
	return what + "stays in use"
}

// starts is nil if a launch goes by an entry.
func (k kept) starts(e store.Entry, in store.Store, o Order, trust bundle.Trust) error {
	const day = 24 * time.Hour
	switch old := trust.Now.Sub(e.Fetched); {
	case o.Digest != "" && o.Digest != e.Digest:
		return fmt.Errorf("the lock holds launches to %s", o.Digest)
	case o.RefuseAfter != 0 && old > o.RefuseAfter:
		return fmt.Errorf("it was fetched %d days ago, and %d are allowed", old/day, o.RefuseAfter/day)
	}
	archive, err := in.Read(e)
	if err != nil {
		return err
	}
	trust.Seen, trust.System = k.seen, k.bySystem
	_, err = bundle.Open(archive, trust)
	return err
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
