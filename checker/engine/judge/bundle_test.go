package judge_test

import (
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/engine/judge/rego"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
)

// What one bundle defines makes another find no less, as it does where both are
// folders of one layer.
func TestBundlesShareNothing(t *testing.T) {
	strict := map[string][]byte{"a.rego": []byte("package acme\n\ndeny contains \"x\" if not excused\n\nexcused if input.excused\n")}
	lax := map[string][]byte{"b.rego": []byte("package acme\n\nexcused if input.version\n"), "c.rego": []byte("package other\n\ndeny contains \"y\" if input.version\n")}
	for want, bundles := range map[int][2]string{1: {"", ""}, 2: {"sha256:1", "sha256:2"}} {
		e, err := rego.Means.Open(t.Context(), worker.Load{Sources: []worker.Source{
			{Name: "one", Layer: "user", Bundle: bundles[0], Files: strict}, {Name: "two", Layer: "user", Bundle: bundles[1], Files: lax},
		}})
		if err != nil {
			t.Fatal(err)
		}
		found, err := e.Evaluate(t.Context(), []byte(`{"version": 1}`))
		if err != nil || len(found) != want {
			t.Errorf("%q: %v, %v; want %d findings", bundles, found, err, want)
		}
	}
}
