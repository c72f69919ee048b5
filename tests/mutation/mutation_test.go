package mutation_test

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/refnil/opencode-jail-devenv/tests/mutation"
)

// TestMutants expects a test of the pack to fail for every mutant that is not
// listed as equivalent.
func TestMutants(t *testing.T) {
	lab, err := mutation.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	only := os.Getenv("OCJAIL_TEST_MUTANTS")
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	counts := map[mutation.Outcome]int{}
	var survivors []string
	for _, file := range lab.Files() {
		if !strings.Contains(file, only) {
			continue
		}
		for i, what := range lab.Mutations(file) {
			wg.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				outcome, err := lab.Try(t.Context(), file, i)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Errorf("%s: %s: %v", file, what, err)
				}
				counts[outcome]++
				if outcome == mutation.Survived {
					survivors = append(survivors, file+": "+what)
				}
			})
		}
	}
	wg.Wait()
	slices.Sort(survivors)
	t.Logf("%d killed, %d survived, %d do not compile", counts[mutation.Killed], len(survivors), counts[mutation.Invalid])
	for _, s := range survivors {
		if mutation.Equivalent[s] == "" {
			t.Errorf("no test fails for %s", s)
		}
	}
	for s := range mutation.Equivalent {
		if only == "" && !slices.Contains(survivors, s) {
			t.Errorf("listed as equivalent, and is killed or no more: %s", s)
		}
	}
}
