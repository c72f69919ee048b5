package bundles

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/decision"
)

const revisions = 20

var saysRevision = regexp.MustCompile(`by revision ([0-9]+) no jail`)

// A hundred launches and ten pulls at once, of a bundle that is published anew all the
// time, and now and then arrives in part: each launch goes by one revision, whole and
// verified, and each pull keeps a bundle or says why not.
func TestManyLaunchesAndPulls(t *testing.T) {
	launches, pulls := count(t, "OCJAIL_TEST_LAUNCHES", 100), count(t, "OCJAIL_TEST_PULLS", 10)
	var archives [revisions + 1][]byte
	var asked atomic.Int64
	l := newLaptop(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		n := int(asked.Add(1))
		archive := archives[min(1+n/2, revisions)]
		if n%7 == 0 {
			archive = archive[:len(archive)/2]
		}
		_, _ = w.Write(archive) // who asks may be gone
	}))
	digests := map[string]string{}
	for i := 1; i <= revisions; i++ {
		archives[i] = published(t, l.key, strconv.Itoa(i))
		digests[strconv.Itoa(i)] = store.DigestOf(archives[i])
	}
	l.do("bundle", "pull").says(t, 0, "revision 1, "+digests["1"], "fetched")

	var over atomic.Bool
	var pulling, launching sync.WaitGroup
	for range pulls {
		pulling.Go(func() {
			for !over.Load() {
				o, err := ran(l.command("bundle", "pull"))
				if err != nil || o.status != 0 && !(o.status == 2 && (strings.Contains(o.said, "was seen here before") || strings.Contains(o.said, "no archive that can be read"))) {
					t.Errorf("a pull: %+v, %v", o, err)
				}
			}
		})
	}
	var mu sync.Mutex
	var denied []string // the revisions that the refusals name
	for n := range launches {
		launching.Go(func() {
			network := n%2 == 0
			o, err := ran(l.command(jail(network, "echo", "inside")...))
			said := saysRevision.FindStringSubmatch(o.said)
			switch {
			case err == nil && !network && o.status == 0 && o.said == "inside\n":
			case err == nil && network && o.status == 126 && said != nil:
				mu.Lock()
				denied = append(denied, said[1])
				mu.Unlock()
			default:
				t.Errorf("a launch, with the network %t: %+v, %v", network, o, err)
			}
		})
	}
	launching.Wait()
	over.Store(true)
	pulling.Wait()

	decided := l.decisions()
	if len(decided) < launches { // more where a file changed under one, which was tried again
		t.Errorf("%d decisions on %d launches", len(decided), launches)
	}
	var logged []string
	for _, d := range decided {
		if len(d.Bundles) != 1 || digests[d.Bundles[0].Revision] != d.Bundles[0].Digest || d.Bundles[0].Key != l.key.Public().ID {
			t.Errorf("a launch went by %+v", d.Bundles)
			continue
		}
		if d.Verdict == decision.Deny {
			logged = append(logged, d.Bundles[0].Revision)
		}
	}
	slices.Sort(denied)
	slices.Sort(logged)
	if !slices.Equal(denied, logged) {
		t.Errorf("refused by revisions\n%v, and logged were\n%v", denied, logged)
	}
	t.Logf("%d requests; refused by %v", asked.Load(), slices.Compact(denied))
	l.kept()
}
