package mutation_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/refnil/opencode-jail-devenv/tests/mutation"
)

const sample = `package x

list := {"a", "b"}

r contains f(w) if {
	some w in input.ws
	w.n > 1
	not w.class in list
	every y in w.ys { y == of("c") }
	all := {z | some z in w.zs; z.ok}
	count(all) == 1
}

r contains sprintf("some words %s", [w]) if w := input.w
`

// Every kind of change is made, once at each place.
func TestMutations(t *testing.T) {
	m := ast.MustParseModule(sample)
	want := []string{
		"list: without it", `list: without "a" in {"a", "b"}`, `list: without "b" in {"a", "b"}`,
		"r: without it", "r: without some w in input.ws", "r: without w.n > 1", "r: negated w.n > 1", "r: gte in place of w.n > 1",
		"r: without not w.class in list", "r: negated not w.class in list",
		`r: without every y in w.ys { y == of("c") }`, `r: negated every y in w.ys { y == of("c") }`,
		`r: without y == of("c")`, `r: negated y == of("c")`, `r: another word in place of "c" in of`,
		"r: without all := {z | some z in w.zs; z.ok}", "r: without some z in w.zs", "r: without z.ok", "r: negated z.ok",
		"r: without count(all) == 1", "r: negated count(all) == 1",
		"r (2): without it", "r (2): without w := input.w",
	}
	if diff := cmp.Diff(want, mutation.Mutations(m)); diff != "" {
		t.Errorf("wanted (-), made (+):\n%s", diff)
	}
	seen := map[string]bool{m.String(): true}
	for i, what := range want {
		if text := mutation.Mutate(m, i).String(); seen[text] {
			t.Errorf("%s changes nothing, or what another does:\n%s", what, text)
		} else {
			seen[text] = true
		}
	}
}
