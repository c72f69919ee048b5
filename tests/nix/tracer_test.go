package nix

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// traced is what tracer.nix shows of a fold.
type traced struct {
	Text, Annotated string
	Never           []string
	Cmd             []piece
	Entries         []entry
}

type entry struct{ ID, Phase, Combinator string }

func tracer(t *testing.T, attr string, v any, extra ...string) error {
	t.Helper()
	setUp(t)
	args := append([]string{filepath.Join(root, "tests/nix/tracer.nix"), "--argstr", "lib", chosen.lib,
		"--argstr", "jailNix", chosen.jailNix, "--eval", "--strict", "--json", "-A", attr}, extra...)
	out, err := run(evalLimit, "nix-instantiate", args...)
	if err != nil {
		return err
	}
	return json.Unmarshal(out, v)
}

func mustTrace(t *testing.T, attr string, v any) {
	t.Helper()
	if err := tracer(t, attr, v); err != nil {
		t.Fatal(err)
	}
}

// The fold writes jail.nix's own wrapper, byte for byte, for a list with every
// combinator that this jail.nix has.
func TestTracerWritesTheSameText(t *testing.T) {
	var uncovered []string
	if mustTrace(t, "uncovered", &uncovered); len(uncovered) > 0 {
		t.Errorf("tests/nix/tracer.nix has no use of the combinators %v", uncovered)
	}
	var every traced
	var real string
	mustTrace(t, "every", &every)
	mustTrace(t, "real", &real)
	if !strings.HasSuffix(strings.TrimRight(real, "\n"), strings.TrimRight(every.Text, "\n")) {
		t.Errorf("jail.nix's wrapper and the fold differ: (-real +fold)\n%s", cmp.Diff(real, every.Text))
	}
	var base struct{ Traced, Real string }
	mustTrace(t, "basePermissions", &base)
	if !strings.HasSuffix(strings.TrimRight(base.Real, "\n"), strings.TrimRight(base.Traced, "\n")) {
		t.Errorf("the base permissions differ: (-real +fold)\n%s", cmp.Diff(base.Real, base.Traced))
	}
	// Origins are additions and nothing else.
	stripped := regexp.MustCompile(`\nRUNTIME_ARGS\+=\(--ocjail-origin [^\n]*\)|( --ocjail-origin ('[^']*'|\S+))`).ReplaceAllString(every.Annotated, "")
	if diff := cmp.Diff(strings.Fields(real), strings.Fields(stripped)); diff != "" {
		t.Errorf("without origins the wrapper is another: (-real +stripped)\n%s", diff)
	}
}

// Each option of the argv comes behind the ID of the element that made it.
func TestEachPieceHasItsOrigin(t *testing.T) {
	var every traced
	mustTrace(t, "every", &every)
	for _, c := range []struct{ text, combinator, child string }{
		{" --bind ~/.cargo/registry ~/.cargo/registry", "rw-bind", ""},
		{" --ro-bind ~/'docs and more' ~/'docs and more'", "readonly", ""},
		{" --tmpfs /t", "compose", "/1/0"},
		{" --bind /a '/b c'", "compose", "/1/1"},
		{" --tmpfs /late", "defer", ""},
		{" --setenv LATE late", "defer", ""},
		{" --setenv A d", "set-env", ""},
		{" --dir /foo", "", ""},
		// A function of the user's own beside combinators leaves no cut to trust.
		{" --dir /early --tmpfs /late2", "compose", ""},
	} {
		i := slices.IndexFunc(every.Cmd, func(p piece) bool { return strings.HasPrefix(p.Text, c.text) })
		if i < 0 {
			t.Errorf("%s is no piece of cmd", c.text)
			continue
		}
		id, child, _ := strings.Cut(every.Cmd[i].ID, "/")
		if child != strings.TrimPrefix(c.child, "/") {
			t.Errorf("%s comes from %s, want the child %s", c.text, every.Cmd[i].ID, c.child)
		}
		e := slices.IndexFunc(every.Entries, func(e entry) bool { return e.ID == id && e.Phase == "apply" })
		if e < 0 || every.Entries[e].Combinator != c.combinator {
			t.Errorf("%s comes from %s, want %s", c.text, id, c.combinator)
		}
	}
	// An option that two elements write in halves is not cut in two.
	if !strings.Contains(every.Annotated, " --bind /one /two --dir /d") {
		t.Error("an origin stands between an option and its argument")
	}
}

func TestReset(t *testing.T) {
	var r traced
	mustTrace(t, "reset", &r)
	var deferred []string
	for _, e := range r.Entries {
		if e.Phase == "deferred" {
			deferred = append(deferred, e.ID)
		}
	}
	if diff := cmp.Diff([]string{"list[5]", "list[6]"}, deferred); diff != "" {
		t.Errorf("deferred: (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"list[6]"}, r.Never); diff != "" {
		t.Errorf("never applied: (-want +got)\n%s", diff)
	}
	if strings.Contains(r.Text, "LOST") || strings.Contains(r.Text, "--proc") || !strings.Contains(r.Text, "--setenv KEPT 1") {
		t.Errorf("not what reset leaves:\n%s", r.Text)
	}
}

// A jail.nix that is not what the tracer expects is an error with its version.
func TestUnexpectedJailNix(t *testing.T) {
	for name, want := range map[string]string{
		"otherText": "another wrapper", "noState": "state", "moreBase": "1 base permissions instead of 3",
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			err := tracer(t, "drift."+name, &got)
			if err == nil {
				t.Fatalf("accepted: %s", got)
			}
			for _, w := range []string{want, "jail.nix 1.2.3", "jail-nix input"} {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("the error does not say %q:\n%v", w, err)
				}
			}
		})
	}
}

// stats are what nix counts while it evaluates.
type stats struct {
	Calls   int     `json:"nrFunctionCalls"`
	Thunks  int     `json:"nrThunks"`
	Seconds float64 `json:"cpuTime"`
}

func count(t *testing.T, combinators int) (s stats) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "stats.json")
	t.Setenv("NIX_SHOW_STATS", "1")
	t.Setenv("NIX_SHOW_STATS_PATH", file)
	var n int
	if err := tracer(t, "many", &n, "--arg", "count", strconv.Itoa(combinators)); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &s); err != nil || s.Calls == 0 || s.Thunks == 0 {
		t.Fatalf("%v in %s", err, b)
	}
	return s
}

// What a combinator costs is bounded, and does not grow with their number but
// for the text, which is compared as a whole after each. nix makes some millions
// of calls a second, so that 200 add less than one.
func TestEvaluationCost(t *testing.T) {
	none, some, more := count(t, 0), count(t, 200), count(t, 400)
	calls, thunks := some.Calls-none.Calls, some.Thunks-none.Thunks
	t.Logf("200 combinators add %d function calls, %d thunks, %.2f s of processor time", calls, thunks, some.Seconds-none.Seconds)
	if calls > 200*1000 || thunks > 200*2000 {
		t.Errorf("200 combinators add %d function calls and %d thunks, more than 1,000 and 2,000 each", calls, thunks)
	}
	if again := more.Calls - some.Calls; again > calls*5/4 {
		t.Errorf("200 more add %d function calls, the first 200 added %d: that is not linear", again, calls)
	}
}
