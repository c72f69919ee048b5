package checker

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/config"
)

// known is what the machine's store and the user's own have noted of a source; the zero
// entry is none. What the user's noted before root allowed an older revision is in
// undone, and counts no more.
type known struct {
	at                   Where
	machine, own, undone store.Entry
}

// recall reads what is known of a source. Each entry must be as much out of others'
// hands as the configuration of its layer: only root rolls others back.
func recall(source string, at Where, owners *config.Owners) (known, error) {
	k := known{at: at}
	var err error
	if k.machine, err = entryIn(systemStore, config.Organisation, source, owners); err != nil {
		return k, err
	}
	if k.own, err = entryIn(at.ownStore(), config.User, source, owners); err != nil {
		return k, err
	}
	if k.own.Source != "" && k.own.Yields(k.machine) {
		k.own, k.undone = store.Entry{}, k.own
	}
	return k, nil
}

func entryIn(s store.Store, l config.Layer, source string, owners *config.Owners) (store.Entry, error) {
	e, err := s.Find(source)
	if errors.Is(err, fs.ErrNotExist) {
		return store.Entry{}, nil
	}
	if err == nil && owners != nil {
		err = owners.Trusted(l, s.EntryFile(source))
	}
	return e, err
}

// newest is the entry with the highest revision, and where it is. The error is
// [fs.ErrNotExist] for none.
func (k known) newest() (store.Store, store.Entry, error) {
	switch {
	case k.own.Source != "" && k.own.Revision.Compare(k.machine.Revision) > 0:
		return k.at.ownStore(), k.own, nil
	case k.machine.Source != "":
		return systemStore, k.machine, nil
	}
	return store.Store{}, store.Entry{}, fs.ErrNotExist
}

// seen is the highest revision that was seen, zero for none, and whether root noted it.
func (k known) seen() (r bundle.Revision, system bool) {
	if k.machine.Source != "" && k.own.Seen.Compare(k.machine.Seen) <= 0 {
		return k.machine.Seen, true
	}
	return k.own.Seen, false
}

// RolledBack tells of the older revision of a policy's bundle that root has allowed on
// this machine, and of what counts no more since; "" where there is none.
func RolledBack(p *config.Policy, at Where, owners *config.Owners) (string, error) {
	if p.Remote == nil && !keepsCount(p) {
		return "", nil
	}
	k, err := recall(nameOf(p, at.of(*p)), at, owners)
	r := k.machine.Rollback
	if err != nil || r.ID == "" {
		return "", err
	}
	said := fmt.Sprintf("root went back to revision %s on %s", r.Revision, r.At.UTC().Format("2006-01-02"))
	if k.undone.Seen.Compare(r.Revision) > 0 {
		said += fmt.Sprintf(", so revision %s, which you had seen, does not count", k.undone.Seen)
	}
	return said, nil
}
