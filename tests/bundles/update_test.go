package bundles

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle/bundletest"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/decision"
)

// locked is what the lock names, which must be whole.
func (l *laptop) locked() config.Locked {
	l.t.Helper()
	file := filepath.Join(l.home, ".config/ocjail/ocjail.lock")
	text, err := os.ReadFile(file)
	check(l.t, err)
	lock, err := config.ParseLock(file, text)
	check(l.t, err)
	if len(lock.Bundles) != 1 || lock.Bundles[0].Source != l.source {
		l.t.Fatalf("%s", text)
	}
	return lock.Bundles[0]
}

// Whatever an update meets, it says so as a pull does, and what was locked stays: the
// lock, the bundle, and what launches go by.
func TestBadUpdates(t *testing.T) {
	var now bad
	l := newLaptop(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		if now.answer != nil {
			now.answer(w, r)
			return
		}
		_, _ = w.Write(now.archive) // who asks may be gone
	}))
	good := published(t, l.key, "7")
	now.archive = good
	l.do("bundle", "update").says(t, 0, "ocjail.lock: written, the first one")
	before := l.locked()
	key := l.key.Public().ID[:16]
	for name, b := range badPulls(t, l, bundletest.NewKey(t, "other")) {
		if b.full {
			continue // an update fills other disks as well: see bundle_update.txtar
		}
		t.Run(name, func(t *testing.T) {
			now = b
			want := append(slices.Clone(b.want), "failed", `policy "acme" of `, l.source+": ")
			if b.answer == nil {
				want = append(want, "the bundle "+store.DigestOf(b.archive)+" is refused: ", "(keys: "+key+")")
			}
			for _, more := range [][]string{nil, {"--check"}} {
				o := l.do(slices.Concat([]string{"bundle", "update"}, more, b.words)...)
				o.says(t, 2, want...)
				o.says(t, 2, "stays", "revision 7, "+store.DigestOf(good)+", signed by "+key)
			}
			if after := l.locked(); after.Digest != before.Digest {
				t.Errorf("the lock names %s", after.Digest)
			}
			if got := l.kept(); got.Digest != store.DigestOf(good) {
				t.Errorf("revision %s is kept", got.Manifest.Revision)
			}
			l.do(jail(true, "true")...).says(t, 126, "by revision 7 no jail")
			l.do(jail(false, "echo", "inside")...).says(t, 0, "inside")
		})
	}
	now = bad{archive: published(t, l.key, "8")}
	l.do("bundle", "update", "--check").says(t, 1, "revision 8, ")
	l.do("bundle", "update").says(t, 0, "ocjail.lock: moved")
	l.do(jail(true, "true")...).says(t, 126, "by revision 8 no jail")
}

// An update that is killed wherever it is leaves a lock that is whole, and launches that
// go by what it names.
func TestKilledUpdates(t *testing.T) {
	kills := count(t, "OCJAIL_TEST_KILLS", 30)
	var archive atomic.Pointer[[]byte]
	l := newLaptop(t, serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(*archive.Load()) }))
	publish := func(revision int) {
		a := resigned(t, l, revision)
		archive.Store(&a)
	}
	publish(1)
	l.do("bundle", "update").says(t, 0, "ocjail.lock: written, the first one")
	publish(2)
	began := time.Now()
	l.do("bundle", "update").says(t, 0, "ocjail.lock: moved")
	takes := time.Since(began)
	last, moved := l.locked().Revision, 0
	for n := range kills {
		publish(n + 3)
		c := l.command("bundle", "update")
		c.Env = append(c.Env, "TMPDIR="+t.TempDir()) // what one that is killed leaves there
		check(t, c.Start())
		time.Sleep(takes/2 + time.Duration(rand.Int64N(int64(takes)*3/4)))
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // it may have ended
		_ = c.Wait()
		is := l.locked().Revision
		if is.Compare(last) < 0 {
			t.Fatalf("revision %s after %s", is, last)
		}
		if is.String() == fmt.Sprint(n+3) {
			moved++
		}
		last = is
		l.do(jail(false, "echo", "inside")...).says(t, 0, "inside")
		if used := l.decisions(); !slices.ContainsFunc(used[len(used)-1].Bundles, func(b decision.Bundle) bool { return b.Revision == is.String() }) {
			t.Fatalf("the lock names revision %s: %+v", is, used[len(used)-1])
		}
	}
	t.Logf("%d of %d updates had moved the lock", moved, kills)
	l.do("bundle", "update").says(t, 0, "ocjail.lock: ")
	if is := l.locked().Revision; is.String() != fmt.Sprint(kills+2) {
		t.Errorf("the lock names revision %s in the end", is)
	}
}
