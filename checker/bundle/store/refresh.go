package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
)

// Order is one bundle to be fetched again.
type Order struct {
	Source string   `json:"source"`
	Digest string   `json:"digest,omitempty"` // of the archive that a lock names, "" for the newest
	Keys   []string `json:"keys"`             // files
	Token  string   `json:"token,omitempty"`  // a file
}

// ClaimDescriptor is what the process that refreshes is handed the claim as.
const ClaimDescriptor = 3

// Refresh is what came of fetching in the background, which nobody watches.
type Refresh struct {
	Began   time.Time   `json:"began"`
	Ended   time.Time   `json:"ended"`
	Sources []Refreshed `json:"sources"`
}

// Refreshed is what came of one source: a revision, or an error.
type Refreshed struct {
	Source   string          `json:"source"`
	Revision bundle.Revision `json:"revision,omitzero"`
	Error    string          `json:"error,omitempty"`
}

// claimFile has the time at which the last refresh began, and is locked while it
// runs; reportFile has what came of it.
const (
	claimFile  = "refresh"
	reportFile = "refresh.json"
)

// Claim lets the caller refresh what is kept, unless that began less than a while ago,
// or is under way: then it returns nil. Nobody else can claim it before the file is
// closed, here and in whichever process it was handed to; a killed one's is.
func (s Store) Claim(now time.Time, every time.Duration) (*os.File, error) {
	if err := s.make(); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(s.Dir, claimFile), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	due, err := claim(f, now, every)
	if err != nil || !due {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func claim(f *os.File, now time.Time, every time.Duration) (due bool, err error) {
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxEntry))
	if err != nil {
		return false, err
	}
	// Whatever else is there was never a time: a clock that was wrong holds nothing up.
	if last, err := time.Parse(time.RFC3339, string(text)); err == nil && !last.After(now) && now.Sub(last) < every {
		return false, nil
	}
	if err := f.Truncate(0); err != nil {
		return false, err
	}
	_, err = f.WriteAt([]byte(now.UTC().Format(time.RFC3339)), 0)
	return err == nil, err
}

// Report notes what came of a refresh, in place of what came of the one before.
func (s Store) Report(r Refresh) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return s.write(filepath.Join(s.Dir, reportFile), append(text, '\n'))
}

// LastRefresh is when the last refresh began, and what came of the last that ended.
// The error is [fs.ErrNotExist] for none.
func (s Store) LastRefresh() (began time.Time, r Refresh, err error) {
	file := filepath.Join(s.Dir, claimFile)
	text, err := readMost(file, maxEntry)
	if err == nil {
		began, err = time.Parse(time.RFC3339, string(text))
	}
	if err != nil {
		return began, r, err
	}
	file = filepath.Join(s.Dir, reportFile)
	if text, err = readMost(file, bundle.MaxArchive); err == nil {
		err = json.Unmarshal(text, &r)
	}
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("%s: %w: remove it", file, err)
	}
	return began, r, err
}
