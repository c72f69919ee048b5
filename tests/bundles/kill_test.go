package bundles

import (
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
)

// A pull that is killed wherever it is leaves what was there before, or what it was
// about to keep, and nobody after it waits for a lock.
func TestKilledPulls(t *testing.T) {
	kills := count(t, "OCJAIL_TEST_KILLS", 30)
	revision := atomic.Int64{}
	archives := make([][]byte, kills+2)
	l := newLaptop(t, serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(archives[revision.Load()]) }))
	first := published(t, l.key, "1")
	archives[1] = first
	revision.Store(1)
	began := time.Now()
	l.do("bundle", "pull").says(t, 0, "revision 1, ", "fetched")
	takes := time.Since(began)
	newer := 0
	var last bundle.Revision
	for n := range kills {
		archives[n+2] = resigned(t, l, n+2)
		revision.Store(int64(n + 2))
		c := l.command("bundle", "pull")
		check(t, c.Start())
		time.Sleep(time.Duration(rand.Int64N(int64(takes) * 5 / 4)))
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // it may have ended
		_ = c.Wait()
		b := l.kept()
		if b.Manifest.Revision.Compare(last) < 0 {
			t.Fatalf("revision %s after %s", b.Manifest.Revision, last)
		}
		last = b.Manifest.Revision
		if last.String() == strconv.Itoa(n+2) {
			newer++
		}
		if n%10 == 9 {
			l.do("bundle", "pull").says(t, 0, "revision "+strconv.Itoa(n+2)+", ")
			l.do(jail(false, "echo", "inside")...).says(t, 0, "inside")
			last = l.kept().Manifest.Revision
		}
	}
	t.Logf("%d of %d pulls had kept the newer one", newer, kills)

	// What they left half-written goes, once it is old.
	old := time.Now().Add(-2 * time.Hour)
	halves := func() (all []string) {
		for _, dir := range []string{"sources", "archives"} {
			files, err := os.ReadDir(filepath.Join(l.store().Dir, dir))
			check(t, err)
			for _, f := range files {
				if strings.HasPrefix(f.Name(), ".") {
					all = append(all, filepath.Join(l.store().Dir, dir, f.Name()))
				}
			}
		}
		return all
	}
	t.Logf("%d files left half-written", len(halves()))
	for _, f := range append(halves(), filepath.Join(l.store().Dir, "archives", ".half")) {
		check(t, os.WriteFile(f, []byte("half"), 0o600), os.Chtimes(f, old, old))
	}
	archives[kills+1] = resigned(t, l, 1000)
	l.do("bundle", "pull").says(t, 0, "revision 1000, ", "fetched")
	if left := halves(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
