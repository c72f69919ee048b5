package engine

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/engine/plan"
	"github.com/refnil/opencode-jail-devenv/policy"
)

func TestOpenPackRefuses(t *testing.T) {
	noRules, err := plan.Load([]byte(policy.Plan))
	if err != nil {
		t.Fatal(err)
	}
	noRules.Meta = RulesValue(nil)
	oneRule := *noRules
	oneRule.Meta = plan.NewArray(plan.NewArray(plan.String("fs/x")))
	for _, tc := range []struct {
		name, want string
		compiled   string
		limit      time.Duration
	}{
		{"nothing", "not a plan", "", 0},
		{"another file", "not a plan", "package ocjail.rules", 0},
		{"half of it", "broken", policy.Plan[:len(policy.Plan)/2], 0},
		{"no rule", "no rule", string(noRules.Encode()), 0},
		{"broken rule", "rule 0", string(oneRule.Encode()), 0},
		{"negative limit", "must be positive", policy.Plan, -1},
	} {
		if _, err := openPack(func() (*plan.Program, error) { return plan.Open(tc.compiled) }, tc.limit, nil); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one with %q", tc.name, err, tc.want)
		}
	}
}

func TestPackRefusesInput(t *testing.T) {
	p, err := OpenPack(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []string{``, `{`, `null`, `[]`, `{}`, `{"version": 2}`, `{"version": "1"}`, `{"version": 1} {}`, `{"version": 1.0}`, `{"version": 1, "x": 0.5}`} {
		if fs, err := p.Evaluate(t.Context(), []byte(in)); err == nil {
			t.Errorf("%s: accepted: %+v", in, fs)
		}
	}
}

func TestPackStops(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tc := range []struct {
		ctx   context.Context
		limit time.Duration
		want  string
	}{
		{cancelled, 0, "canceled"},
		{t.Context(), 1, "time limit of 1ns"},
	} {
		p, err := OpenPack(tc.limit)
		if err != nil {
			t.Fatal(err)
		}
		if fs, err := p.Evaluate(tc.ctx, []byte(`{"version": 1}`)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v, error %v, want one with %q", fs, err, tc.want)
		}
	}
}

// A list that came out empty would find nothing, quickly and quietly.
func TestPackHasItsLists(t *testing.T) {
	p, err := plan.Load([]byte(policy.Plan))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range [][]string{{"secrets", "root_only"}, {"devices", "dangerous"}, {"environment", "names"}, {"sockets", "display"}, {"agent", "directories"}} {
		v := plan.Get(p.Data, plan.String("ocjail"))
		for _, key := range path {
			v = plan.Get(v, plan.String(key))
		}
		if elems, _ := plan.Elements(v); len(elems) == 0 {
			t.Errorf("data.ocjail.%s is empty in the compiled pack", strings.Join(path, "."))
		}
	}
	if plan.Get(plan.Get(p.Data, plan.String("ocjail")), plan.String("watched")) != nil {
		t.Error("data.ocjail.watched, which no rule reads, is in the compiled pack")
	}
}

// Steps do not depend on the machine: a rule that goes through mounts times paths
// shows here.
func TestPackSteps(t *testing.T) {
	p, err := OpenPack(0)
	if err != nil {
		t.Fatal(err)
	}
	text := usualInput(t)
	input, err := plan.ParseJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	_, steps, err := p.program.Run(t.Context(), input)
	t.Logf("%d steps for %d bytes", steps, len(text))
	if err != nil || steps > 60_000 {
		t.Errorf("%d steps, more than 60,000 (%v): which rule grew?", steps, err)
	}
}

// usualInput has as many mounts and watched paths as the Nix module's jail.
func usualInput(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("../../policy/schema/testdata/input.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	jail := doc["jail"].(map[string]any)
	jail["mounts"] = repeat(jail["mounts"].([]any), 50)
	doc["watched"] = repeat(doc["watched"].([]any), 250)
	if text, err = json.Marshal(doc); err != nil {
		t.Fatal(err)
	}
	return text
}

func BenchmarkPack(b *testing.B) {
	text := usualInput(b)
	p, err := OpenPack(0)
	if err != nil {
		b.Fatal(err)
	}
	input, err := plan.ParseJSON(text)
	if err != nil {
		b.Fatal(err)
	}
	for _, step := range []struct {
		name string
		f    func() error
	}{
		{"load", func() error { _, err := OpenPack(0); return err }},
		{"parse", func() error { _, err := plan.ParseJSON(text); return err }},
		{"run", func() error { _, _, err := p.program.Run(b.Context(), input); return err }},
		{"all", func() error { _, err := p.Evaluate(b.Context(), text); return err }},
	} {
		b.Run(step.name, func(b *testing.B) {
			for b.Loop() {
				if err := step.f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func repeat(list []any, n int) []any {
	var long []any
	for i := range n {
		long = append(long, list[i%len(list)])
	}
	return long
}
