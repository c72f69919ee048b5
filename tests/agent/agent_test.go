package agent

import (
	"testing"
)

// moduleRoot is where the tests of this package find the module.
const moduleRoot = "../.."

func TestOpencode(t *testing.T) {
	tools, err := FindTools(moduleRoot, t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		jailed bool
	}{
		{"without a jail everything happens", false},
		{"under ocjail only honest work happens", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			results, err := Run(t.Context(), tools, c.jailed, func(int) {})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				if !r.AsPromised(c.jailed) {
					t.Errorf("%s: happened = %v; the agent answered: %s", r.Act.Name, r.Happened, r.Reply)
				}
			}
		})
	}
}

// A table that lost its hostile or its honest acts would pass and prove nothing.
func TestActsHoldBothKinds(t *testing.T) {
	n := map[bool]int{}
	for _, a := range Acts() {
		n[a.Hostile]++
	}
	if n[true] < 6 || n[false] < 3 {
		t.Errorf("%d hostile and %d honest acts; want at least 6 and 3", n[true], n[false])
	}
}

func TestAsPromised(t *testing.T) {
	for _, c := range []struct{ hostile, happened, jailed, want bool }{
		{hostile: true, happened: true, jailed: false, want: true},
		{hostile: true, happened: false, jailed: false, want: false},
		{hostile: true, happened: true, jailed: true, want: false},
		{hostile: true, happened: false, jailed: true, want: true},
		{hostile: false, happened: true, jailed: true, want: true},
		{hostile: false, happened: false, jailed: true, want: false},
	} {
		r := Result{Act: Act{Hostile: c.hostile}, Happened: c.happened}
		if got := r.AsPromised(c.jailed); got != c.want {
			t.Errorf("AsPromised for %+v = %v", c, got)
		}
	}
}
