package spelling_test

import (
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/spelling"
)

func TestDidYouMean(t *testing.T) {
	commands := []string{"bundle", "diff", "init", "inspect", "lint", "log", "run"}
	for given, want := range map[string]string{
		"lint":     `, did you mean "lint"?`,
		"lnt":      `, did you mean "lint"?`,
		"lnit":     `, did you mean "init" or "lint"?`, // a letter that is another, or two that changed places
		"lins":     `, did you mean "lint"?`,           // init is two edits away
		"ri\u00f1": `, did you mean "run"?`,
		"ilnt":     `, did you mean "lint"?`,
		"litn":     `, did you mean "lint"?`,
		"linrt":    `, did you mean "lint"?`,
		"x":        "",
		"":         "",
		"build":    "",
	} {
		if got := spelling.DidYouMean(given, commands); got != want {
			t.Errorf("%q: got %q, want %q", given, got, want)
		}
	}
	if got := spelling.DidYouMean(strings.Repeat("l", 1<<20), commands); got != "" { // at once
		t.Errorf("got %q", got)
	}
	if got, want := spelling.DidYouMean("a", []string{"b", "c", "d", "e"}), `, did you mean "b" or "c" or "d"?`; got != want {
		t.Errorf("got %q, want %q: a few are enough", got, want)
	}
}
