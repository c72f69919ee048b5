package store_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
)

func claim(t *testing.T, s store.Store, now time.Time) *os.File {
	t.Helper()
	f, err := s.Claim(now, time.Hour)
	check(t, err)
	return f
}

func TestClaim(t *testing.T) {
	s := store.Store{Dir: filepath.Join(t.TempDir(), "state", "ocjail", "bundles")}
	if _, _, err := s.LastRefresh(); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	now := time.Now()
	first := claim(t, s, now)
	if first == nil || claim(t, s, now.Add(2*time.Hour)) != nil {
		t.Fatal("one runs")
	}
	check(t, first.Close())
	if claim(t, s, now.Add(59*time.Minute)) != nil {
		t.Error("one began less than an hour ago")
	}
	began, last, err := s.LastRefresh()
	if err != nil || began.Unix() != now.Unix() || len(last.Sources) != 0 {
		t.Error(began, last, err)
	}
	for text, at := range map[string]time.Time{"": now, "nonsense": now, now.Add(time.Minute).Format(time.RFC3339): now, now.Add(-time.Hour).Format(time.RFC3339): now} {
		check(t, os.WriteFile(filepath.Join(s.Dir, "refresh"), []byte(text), 0o600))
		f := claim(t, s, at)
		if f == nil {
			t.Errorf("%q holds refreshes up", text)
			continue
		}
		check(t, f.Close())
	}
	want := store.Refresh{Began: now.UTC(), Ended: now.UTC(), Sources: []store.Refreshed{{Source: source, Error: "connection refused"}, {Source: source, Revision: revision(t, "7")}}}
	check(t, s.Report(want))
	_, last, err = s.LastRefresh()
	if err != nil || len(last.Sources) != 2 || last.Sources[0] != want.Sources[0] || last.Sources[1] != want.Sources[1] {
		t.Error(last, err)
	}
}

// Of many launches at once one has it done, and a process that is killed lets go.
func TestOneClaims(t *testing.T) {
	s := store.Store{Dir: t.TempDir()}
	var claimed atomic.Int32
	var held atomic.Pointer[os.File]
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			f, err := s.Claim(time.Now(), time.Hour)
			if err != nil {
				t.Error(err)
			}
			if f != nil {
				claimed.Add(1)
				held.Store(f)
			}
		})
	}
	all.Wait()
	if claimed.Load() != 1 {
		t.Fatalf("%d claimed it", claimed.Load())
	}
	sleeper := exec.Command("sleep", "600")
	sleeper.ExtraFiles = []*os.File{held.Load()}
	check(t, sleeper.Start())
	check(t, held.Load().Close())
	if claim(t, s, time.Now().Add(2*time.Hour)) != nil {
		t.Error("the process that has it runs")
	}
	check(t, sleeper.Process.Kill())
	_ = sleeper.Wait() // it was killed
	f := claim(t, s, time.Now().Add(2*time.Hour))
	if f == nil {
		t.Fatal("it is held by nobody")
	}
	check(t, f.Close())
}
