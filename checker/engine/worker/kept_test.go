//go:build linux

package worker_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/cache"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// keeper judges with a cache of its own.
type keeper struct {
	t     *testing.T
	place cache.Place
	limit time.Duration
	// occasion is the launch's; began whether it took a process before the input was
	// known.
	occasion []string
	began    bool
	judging  string // the program that was started last
	notes    []string
}

func newKeeper(t *testing.T) *keeper {
	t.Helper()
	install(t, "")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &keeper{t: t, place: cache.Place{Cache: filepath.Join(dir, "ocjail"), Home: dir}, limit: 2 * time.Second}
}

// judge is what a launch does. Started tells whether it took a process.
func (k *keeper) judge(rules []engine.File, input string) (found []finding.Finding, started bool, err error) {
	k.t.Helper()
	c, err := cache.Open(k.place)
	if err != nil {
		k.t.Fatal(err)
	}
	defer c.Close()
	k.notes = nil
	w, err := worker.Start(worker.Options{TimeLimit: k.limit, Cache: c, Occasion: k.occasion, Note: func(n string) { k.notes = append(k.notes, n) }}, rules)
	if err != nil {
		k.t.Fatal(err)
	}
	defer w.Close()
	k.began = w.Started()
	if err := w.Open(k.t.Context()); err != nil {
		k.t.Fatal(err)
	}
	found, err = w.Evaluate(k.t.Context(), []byte(input))
	k.judging = w.Judging()
	return found, w.Started(), err
}

func (k *keeper) verdicts() []string {
	k.t.Helper()
	names, err := filepath.Glob(filepath.Join(k.place.Dir(), "verdict-*"))
	if err != nil {
		k.t.Fatal(err)
	}
	return names
}

const (
	phaseRule = "package main\ndeny contains msg if { msg := sprintf(\"%s %v\", [input.phase, data.acme.names]) }"
	names     = `["a"]`
	lint      = `{"version": 1, "phase": "lint", "now": "2026-01-01T00:00:00Z"}`
)

func TestKnownVerdictTakesNoProcess(t *testing.T) {
	k := newKeeper(t)
	rules := files(t, "main.rego", phaseRule, "data/acme/names.json", names)
	want, started, err := k.judge(rules, lint)
	if err != nil || !started || len(want) != 1 || want[0].Message != `lint ["a"]` {
		t.Fatalf("%v %v %v", want, started, err)
	}
	found, started, err := k.judge(rules, strings.Replace(lint, "2026", "2027", 1))
	if diff := cmp.Diff(want, found); err != nil || started || diff != "" {
		t.Errorf("started: %v, %v\n%s", started, err, diff)
	}
	for name, c := range map[string]struct {
		rules []engine.File
		input string
		limit time.Duration
		want  string
	}{
		"another input": {rules, strings.Replace(lint, "lint", "launch", 1), k.limit, `launch ["a"]`},
		"another list":  {files(t, "main.rego", phaseRule, "data/acme/names.json", `["b"]`), lint, k.limit, `lint ["b"]`},
		"another rule":  {files(t, "main.rego", phaseRule+"\n", "data/acme/names.json", names), lint, k.limit, `lint ["a"]`},
		"another limit": {rules, lint, time.Second, `lint ["a"]`},
	} {
		k.limit = c.limit
		found, started, err := k.judge(c.rules, c.input)
		if err != nil || !started || len(found) != 1 || found[0].Message != c.want {
			t.Errorf("%s: %v, started: %v, %v", name, found, started, err)
		}
		k.limit = 2 * time.Second
	}
	if err := os.Chtimes(real, time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, started, err := k.judge(rules, lint); err != nil || !started {
		t.Errorf("another program: started: %v, %v", started, err)
	}
}

// The process starts beside other work where the last launch of its kind needed one.
func TestForetellsByTheLastLaunch(t *testing.T) {
	k := newKeeper(t)
	k.occasion = []string{"run", "~/a"}
	rules := files(t, "main.rego", phaseRule, "data/acme/names.json", names)
	launch := strings.Replace(lint, "lint", "launch", 1)
	for n, c := range []struct {
		input, want    string
		began, started bool
	}{
		{lint, `lint ["a"]`, true, true}, // nothing is known of the rules
		{lint, `lint ["a"]`, true, true}, // in vain
		{lint, `lint ["a"]`, false, false},
		{launch, `launch ["a"]`, false, true}, // late
		{launch, `launch ["a"]`, true, true},
		{launch, `launch ["a"]`, false, false},
		{lint, `lint ["a"]`, false, false},
	} {
		found, started, err := k.judge(rules, c.input)
		if err != nil || len(found) != 1 || found[0].Message != c.want {
			t.Fatalf("launch %d: %v, %v", n, found, err)
		}
		if k.began != c.began || started != c.started {
			t.Errorf("launch %d: began %v, want %v; started %v, want %v", n, k.began, c.began, started, c.started)
		}
	}
	k.occasion = []string{"run", "~/b"}
	if _, _, err := k.judge(rules, lint); err != nil || !k.began {
		t.Errorf("another occasion: began %v, %v", k.began, err)
	}
}

// Who forges what is foretold gains no more than time.
func TestForetellingDecidesNothing(t *testing.T) {
	k := newKeeper(t)
	k.occasion = []string{"run"}
	rules := files(t, "main.rego", phaseRule, "data/acme/names.json", names)
	for range 2 {
		if _, _, err := k.judge(rules, lint); err != nil {
			t.Fatal(err)
		}
	}
	forged, err := filepath.Glob(filepath.Join(k.place.Dir(), "occasion-*"))
	if err != nil || len(forged) != 1 {
		t.Fatal(forged, err)
	}
	if err := os.WriteFile(forged[0], []byte("true"+strings.Repeat("\x00", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	found, _, err := k.judge(rules, strings.Replace(lint, "lint", "launch", 1))
	if err != nil || !k.began || len(found) != 1 || found[0].Message != `launch ["a"]` {
		t.Errorf("%v, began %v, %v", found, k.began, err)
	}
	if len(k.notes) != 1 || !strings.Contains(k.notes[0], "occasion-") {
		t.Errorf("notes: %q", k.notes)
	}
}

// What the agent could gain by is a verdict that finds nothing.
func TestBelievesNoVerdictOfOthers(t *testing.T) {
	k := newKeeper(t)
	rules := files(t, "main.rego", "package main\ndeny contains \"no\" if input.phase == \"lint\"")
	if found, _, err := k.judge(rules, strings.Replace(lint, "lint", "launch", 1)); err != nil || len(found) > 0 {
		t.Fatal(found, err)
	}
	harmless := k.verdicts()[0]
	if found, _, err := k.judge(rules, lint); err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	i := slices.IndexFunc(k.verdicts(), func(name string) bool { return name != harmless })
	harmful := k.verdicts()[i]
	empty, err := os.ReadFile(harmless)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"another input's": string(empty), "made up": `{"findings":[]}` + strings.Repeat("\x00", 32), "empty": ""} {
		if err := os.WriteFile(harmful, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		found, started, err := k.judge(rules, lint)
		if err != nil || !started || len(found) != 1 || len(k.notes) != 1 || !strings.Contains(k.notes[0], filepath.Base(harmful)) {
			t.Errorf("%s: %v, started: %v, %v, %v", name, found, started, k.notes, err)
		}
		if _, started, err := k.judge(rules, lint); started || err != nil || len(k.notes) > 0 {
			t.Errorf("%s: not kept again: %v %v", name, k.notes, err)
		}
	}
}

func TestKeepsNoVerdict(t *testing.T) {
	for name, c := range map[string]struct{ rule, fails string }{
		"of the time":      {rule: "deny contains \"late\" if input.now > \"2027\""},
		"of all the input": {rule: "deny contains \"odd\" if count(input) == 17"},
		"of any of it":     {rule: "deny contains \"odd\" if { some k; input[k] == 17 }"},
		"that is an error": {"deny contains x if x := 1 / (count(input.phase) - 4)", "divide by zero"},
		"that took long":   {"deny contains x if { some x in numbers.range(1, 3000000); some y in numbers.range(1, 1000); x * y == count(input.phase) - 100 }", "time limit"},
		"that is no set":   {"deny := input.phase", "must be a set"},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKeeper(t)
			if strings.Contains(name, "long") {
				k.limit = 200 * time.Millisecond
			}
			rules := files(t, "main.rego", "package main\n"+c.rule)
			for range 2 {
				if _, started, err := k.judge(rules, lint); !started || (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
					t.Errorf("started: %v, %v", started, err)
				}
			}
			if names := k.verdicts(); len(names) > 0 {
				t.Errorf("kept: %v", names)
			}
		})
	}
}

// A rule gets what it says it reads, and so its verdict can hang on nothing else.
func TestRulesSeeWhatTheyRead(t *testing.T) {
	k := newKeeper(t)
	rules := files(t, "main.rego", "package main\ndeny contains input.phase")
	for _, input := range []string{lint, `{"now": 1, "phase": "lint", "version": 1, "jail": {}}`} {
		if _, _, err := k.judge(rules, input); err != nil {
			t.Fatal(err)
		}
	}
	if names := k.verdicts(); len(names) != 1 {
		t.Errorf("%d verdicts", len(names))
	}
}
