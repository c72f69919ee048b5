package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
)

// Rollback is root's word that an older revision of a source is meant, on the whole
// machine. It stands in the machine's store, which is root's. What users noted before it
// counts no more: their entries name another, or none. The zero value is none.
type Rollback struct {
	Revision bundle.Revision `json:"revision"` // that was allowed
	At       time.Time       `json:"at"`
	// ID tells it from all others. A time would not: clocks are set, and folders are
	// restored from backups.
	ID string `json:"id"`
}

func (r Rollback) valid() bool {
	return (r.ID == "") == (r.Revision == bundle.Revision{})
}

// Yields tells whether an entry of a user's counts no more, for root has allowed an older
// revision since; machine is the entry of the same source in the machine's store, zero
// for none.
func (e Entry) Yields(machine Entry) bool {
	return machine.Rollback.ID != "" && machine.Rollback.ID != e.Rollback.ID
}

// Machine returns the entry of a source in the machine's store, zero for none. Whether
// root wrote it a launch looks at, whenever it goes by it.
func (s Store) Machine(source string) (Entry, error) {
	if s.Root == "" {
		return Entry{}, nil
	}
	e, err := Machine(s.Root).Find(source)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return e, err
}

// errRolledBack refuses what was looked at before root allowed an older one.
var errRolledBack = errors.New("root has allowed another revision of it meanwhile")

// admits refuses what is older than what was seen, and completes the entry. A user's was
// made by what the machine's store said then, and is refused if that says another thing
// by now. The lock is held.
func (s Store) admits(e *Entry, rollback bundle.Revision) (before Entry, known bool, err error) {
	machine, err := s.Machine(e.Source)
	if err != nil {
		return before, false, err
	}
	if machine.Rollback.ID != e.Rollback.ID && !s.Shared {
		return before, false, fmt.Errorf("%s: %w (%s): try again", e.Source, errRolledBack, machine.Rollback.Revision)
	}
	before, err = s.Find(e.Source)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return before, false, err
	}
	known = err == nil
	allowed := rollback != (bundle.Revision{}) && e.Revision.Compare(rollback) == 0
	if known && !allowed && !before.Yields(machine) && e.Revision.Compare(before.Seen) < 0 {
		return before, false, &bundle.RollbackError{Revision: e.Revision, Seen: before.Seen, Source: e.Source, System: s.Shared}
	}
	if s.Shared {
		e.Rollback = before.Rollback
		if allowed {
			e.Rollback = Rollback{Revision: e.Revision, At: time.Now().UTC(), ID: rand.Text()}
		}
	}
	return before, known, nil
}
