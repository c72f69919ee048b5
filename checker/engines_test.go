//go:build linux

package checker

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/opa"
	"github.com/refnil/opencode-jail-devenv/checker/engine/wasm"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker/workertest"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// A verdict that needs OPA is asked for twice. That the pack has none must not be lost
// between: the second answer alone would let the jail start.
func TestPackFailsWhileOthersAreAskedAgain(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := workertest.Build(filepath.Dir(self)); err != nil {
		t.Fatal(err)
	}
	rule := "package halves\ndeny contains sprintf(\"%v\", [input.version / 2]) if input.phase == \"lint\"" // no whole number
	text := fstest.MapFS{"a.rego": {Data: []byte(rule)}}
	built, err := opa.Build(t.Context(), engine.Source{Name: "acme", FS: text})
	if err != nil {
		t.Fatal(err)
	}
	module, err := wasm.Describe(built.Code, wasm.About{Rules: built.Rules, Reads: built.Reads, Data: built.Data, Needs: built.Needs})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		limit time.Duration // of the pack's
		want  string
	}{{time.Minute, ""}, {time.Nanosecond, "time limit"}} {
		e, err := startEngines(time.Minute, []engine.Source{{Name: "acme", FS: fstest.MapFS{"a.wasm": {Data: module}}}}, Keeping{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(e.close)
		if err := e.open(t.Context()); err != nil {
			t.Fatal(err)
		}
		e.limit = c.limit
		doc, err := e.begin(t.Context(), anyInput())
		if err != nil {
			t.Fatal(err)
		}
		found, err := e.judge(t.Context(), doc)
		of := func(rule string) bool {
			return slices.ContainsFunc(found, func(f finding.Finding) bool { return f.Rule == rule })
		}
		if c.want == "" && (err != nil || !of("halves/deny") || !of("session/outlives")) {
			t.Errorf("in %v: %v, %v; want findings of the module and of the pack", c.limit, found, err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("in %v: %v, %v; want an error of the %s", c.limit, found, err, c.want)
		}
	}
}

// anyInput is of a jail with nothing in it.
func anyInput() *Input {
	in := &Input{Version: InputVersion, Phase: string(Lint), Now: "2026-01-01T00:00:00Z"}
	in.Params = map[string]map[string]any{}
	return in
}
