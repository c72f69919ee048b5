// Package approval keeps what a person accepted that a jail may do, outside of the
// project and out of every jail's reach: the rule exec/host-executed-writable
// refuses a jail that reaches ocjail's state.
package approval

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/grants"
	"github.com/refnil/opencode-jail-devenv/checker/octets"
)

// Record is what one jail of a project was approved to do, or was refused for want
// of it.
type Record struct {
	Version int            `json:"version"` // 1
	Project string         `json:"project"` // its root
	Jail    string         `json:"jail"`
	Time    time.Time      `json:"time"`
	Grants  *grants.Grants `json:"grants"`
}

// recordVersion is the form that this package reads and writes.
const recordVersion = 1

// BrokenError says that what is kept of approvals can not be used, and so approves
// nothing.
type BrokenError struct {
	File string
	Err  error
	Mend string
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("the store of approvals: %s: %v: %s", e.File, e.Err, e.Mend)
}

func (e *BrokenError) Unwrap() error { return e.Err }

// Store holds the approvals of one project.
type Store struct {
	dir     string // of this project
	project string
}

// Names in a store: each record is a file named after its jail.
const (
	approvedSuffix = ".approved.json"
	waitingSuffix  = ".waiting.json"
	lockFile       = "lock"
	temporary      = ".new-"
)

// maxRecord bounds a record: that of a jail with a thousand mounts has 100 KiB.
const maxRecord = 4 << 20

// Open returns the store of a project below ocjail's state folder. Nothing is made
// or read yet.
func Open(state, project string) Store {
	return Store{dir: filepath.Join(state, "approvals", digest(project)), project: project}
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

func (s Store) file(jail, suffix string) string { return filepath.Join(s.dir, digest(jail)+suffix) }

// Approved returns what was last approved for a jail, nil for nothing. An error is a
// BrokenError.
func (s Store) Approved(jail string) (*Record, error) { return s.record(jail, approvedSuffix) }

// Waiting returns what a jail was last refused for want of an approval, nil for
// nothing.
func (s Store) Waiting(jail string) (*Record, error) { return s.record(jail, waitingSuffix) }

func (s Store) record(jail, suffix string) (*Record, error) {
	if err := s.private(); err != nil {
		return nil, err
	}
	file := s.file(jail, suffix)
	r, err := read(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case r.Project != s.project || r.Jail != jail:
		return nil, broken(file, fmt.Errorf("it is that of jail %q of %q", r.Jail, r.Project))
	}
	return r, nil
}

// Approve records that a jail may do what g says, in place of what it might before.
// What waited for it does so no longer.
func (s Store) Approve(jail string, g *grants.Grants) error {
	return s.locked(func() error {
		if err := s.write(jail, approvedSuffix, g); err != nil {
			return err
		}
		return remove(s.file(jail, waitingSuffix))
	})
}

// Wait records that a jail was refused, for a person to look at.
func (s Store) Wait(jail string, g *grants.Grants) error {
	return s.locked(func() error { return s.write(jail, waitingSuffix, g) })
}

// Dismiss forgets what waits for an approval, because somebody said no.
func (s Store) Dismiss(jail string) error {
	return s.locked(func() error { return remove(s.file(jail, waitingSuffix)) })
}

// Revoke forgets the approvals of jails, of all without any, and what waits for one,
// also where they are broken. It returns how many approvals there were.
func (s Store) Revoke(jails ...string) (n int, err error) {
	names, err := os.ReadDir(s.dir)
	if missing(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	err = s.locked(func() error {
		for _, d := range names {
			stem, _, _ := strings.Cut(d.Name(), ".")
			wanted := len(jails) == 0 || slices.ContainsFunc(jails, func(j string) bool { return digest(j) == stem })
			if d.Name() == lockFile || !wanted {
				continue
			}
			if err := remove(filepath.Join(s.dir, d.Name())); err != nil {
				return err
			}
			if strings.HasSuffix(d.Name(), approvedSuffix) {
				n++
			}
		}
		return nil
	})
	return n, err
}

// All returns the records of every project below the state folder: what is approved,
// and what waits. A broken one is in the error, beside the others.
func All(state string) (approved, waiting []Record, err error) {
	dir := filepath.Join(state, "approvals")
	if err := private(dir); err != nil {
		return nil, nil, err
	}
	projects, err := os.ReadDir(dir)
	if missing(err) {
		return nil, nil, nil
	}
	var errs []error
	for _, p := range projects {
		a, w, err := list(filepath.Join(dir, p.Name()))
		approved, waiting, errs = append(approved, a...), append(waiting, w...), append(errs, err)
	}
	order := func(a, b Record) int {
		return cmp.Or(strings.Compare(a.Project, b.Project), strings.Compare(a.Jail, b.Jail))
	}
	slices.SortFunc(approved, order)
	slices.SortFunc(waiting, order)
	return approved, waiting, errors.Join(append(errs, err)...)
}

// Records returns those of this project.
func (s Store) Records() (approved, waiting []Record, err error) {
	if err := s.private(); err != nil {
		return nil, nil, err
	}
	return list(s.dir)
}

func list(dir string) (approved, waiting []Record, err error) {
	names, err := os.ReadDir(dir)
	if missing(err) {
		return nil, nil, nil
	}
	errs := []error{err}
	if err == nil {
		errs = append(errs, private(dir))
	}
	for _, d := range names {
		into := &approved
		switch {
		case strings.HasSuffix(d.Name(), approvedSuffix):
		case strings.HasSuffix(d.Name(), waitingSuffix):
			into = &waiting
		default:
			continue
		}
		r, err := read(filepath.Join(dir, d.Name()))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		*into = append(*into, *r)
	}
	return approved, waiting, errors.Join(errs...)
}

// encode keeps names that are no text apart: an approval of one would be that of all.
func encode(r Record) ([]byte, error) {
	data, err := octets.Marshal(r)
	if err == nil && len(data) > maxRecord {
		err = fmt.Errorf("the grants of this jail are %d bytes long, more than %d: bind fewer paths", len(data), maxRecord)
	}
	return append(data, '\n'), err
}
