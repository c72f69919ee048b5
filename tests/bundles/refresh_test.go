package bundles

import (
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Many launches by a bundle that is due have it fetched once, though they end before that
// does: they are gone when the server answers.
func TestOneRefresh(t *testing.T) {
	launches := count(t, "OCJAIL_TEST_LAUNCHES", 30)
	var archive []byte
	var asked atomic.Int64
	ended := make(chan struct{})
	l := newLaptop(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) > 1 { // the first is the pull's
			<-ended
		}
		_, _ = w.Write(archive) // who asks may be gone
	}))
	l.configure("  refresh = \"background\"\n")
	archive = published(t, l.key, "7")
	l.do("bundle", "pull").says(t, 0, "revision 7, ")
	e, err := l.store().Find(l.source)
	check(t, err, l.store().Renew(e, time.Now().Add(-48*time.Hour)))
	newer := published(t, l.key, "8")
	archive = newer
	var all sync.WaitGroup
	for range min(launches, 30) {
		all.Go(func() {
			o, err := ran(l.command(jail(false, "echo", "inside")...))
			if err != nil || o.status != 0 || o.said != "inside\n" {
				t.Errorf("%+v, %v", o, err)
			}
		})
	}
	all.Wait()
	if got := l.kept().Manifest.Revision.String(); got != "7" {
		t.Errorf("revision %s was there before the server sent it", got)
	}
	close(ended)
	report := filepath.Join(l.store().Dir, "refresh.json")
	for range 6000 { // a minute, if nothing comes
		if _, err := os.Stat(report); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if got := l.kept().Manifest.Revision.String(); got != "8" || asked.Load() != 2 {
		t.Errorf("revision %s, asked %d times", got, asked.Load())
	}
	l.do(jail(true, "true")...).says(t, 126, "by revision 8 no jail")
}
