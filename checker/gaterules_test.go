package checker_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/engine"
)

func TestRulesAreDescribed(t *testing.T) {
	c, err := checker.Open(t.Context(), config.Default(), checker.Where{}, checker.Keeping{})
	if err != nil {
		t.Fatal(err)
	}
	rules := c.Rules()
	if !slices.IsSortedFunc(rules, func(a, b engine.Rule) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("not in order")
	}
	gates := 0
	for _, r := range rules {
		if strings.HasPrefix(r.ID, "gate/") {
			gates++
		}
		if r.Severity == "" || r.Title == "" || r.Description == "" || r.Remedy == "" || !strings.HasPrefix(r.URL, "https://") {
			t.Errorf("%s: incomplete: %+v", r.ID, r)
		}
	}
	if gates != 7 {
		t.Errorf("%d rules gate/…", gates)
	}
}

// A finding that no rule language makes has its rule's title and source too.
func TestGateFindingsAreDescribed(t *testing.T) {
	dir := repository(t)
	j, err := resolve(t, dir, "--bind", "DIR", "DIR", "--tmpfs", "DIR/new")
	if err != nil {
		t.Fatal(err)
	}
	c, err := checker.Open(t.Context(), config.Default(), checker.Where{}, checker.Keeping{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Check(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		if f.Rule == "gate/host-effect" {
			if f.Title == "" || f.URL == "" || f.Severity != "error" || f.Remedy == "" {
				t.Errorf("%+v", f)
			}
			return
		}
	}
	t.Errorf("no finding of gate/host-effect: %+v", r.Findings)
}
