package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/refnil/opencode-jail-devenv/checker/engine/plan"
)

// place is a value in a document, and how to replace it.
type place struct {
	field   string // its key, or that of its list
	value   any
	replace func(any)
	drop    func() // nil where it can not be left out
}

// places lists all values below v, which is the field's.
func places(field string, v any) []place {
	var all []place
	switch v := v.(type) {
	case map[string]any:
		for _, k := range sortedKeys(v) {
			all = append(all, place{k, v[k], func(to any) { v[k] = to }, func() { delete(v, k) }})
			all = append(all, places(k, v[k])...)
		}
	case []any:
		for i := range v {
			all = append(all, place{field, v[i], func(to any) { v[i] = to }, nil})
			all = append(all, places(field, v[i])...)
		}
	}
	return all
}

func sortedKeys(m map[string]any) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// mutate changes some values of a document: into others of the same field, which
// mostly keeps to the schema; or if wild into any other, into what rules look for,
// and into what they never expect.
func mutate(r *rapid.T, doc any, wild bool) {
	odd := []any{nil, true, false, 0, 1, -1, 4, "", "rw", "ro", "none", "/", "/home/u", "/home/u/p/.git", "/etc", "/dev/sda", "/run/docker.sock", "/mnt/x",
		"host-executed", "secret", "socket", "device", "create", "alias", "LD_PRELOAD", "x.", []any{}, map[string]any{}, []any{"root", "home"}}
	for i := range rapid.IntRange(1, 8).Draw(r, "mutations") {
		all := places("", doc)
		if len(all) == 0 {
			return
		}
		p := rapid.SampledFrom(all).Draw(r, fmt.Sprint("place ", i))
		how := rapid.IntRange(0, 1).Draw(r, fmt.Sprint("how ", i))
		if wild {
			how += rapid.IntRange(0, 3).Draw(r, fmt.Sprint("how wild ", i))
		}
		switch how {
		case 0:
			others := slices.DeleteFunc(slices.Clone(all), func(o place) bool { return o.field != p.field })
			p.replace(copyOf(rapid.SampledFrom(others).Draw(r, fmt.Sprint("other ", i)).value))
		case 1:
			if list, ok := p.value.([]any); ok && len(list) > 0 {
				p.replace(append(list, copyOf(rapid.SampledFrom(list).Draw(r, fmt.Sprint("again ", i)))))
			}
			if yes, ok := p.value.(bool); ok {
				p.replace(!yes)
			}
		case 2:
			p.replace(copyOf(rapid.SampledFrom(all).Draw(r, fmt.Sprint("other ", i)).value))
		case 3:
			p.replace(copyOf(rapid.SampledFrom(odd).Draw(r, fmt.Sprint("odd ", i)))) // else one list may be put into itself
		case 4:
			if p.drop != nil {
				p.drop()
			}
		}
	}
}

func copyOf(v any) any {
	doc, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	var again any
	if err := json.Unmarshal(doc, &again); err != nil {
		panic(err)
	}
	return again
}

// Documents that no jail makes are judged alike too, or by neither.
func TestParityOnMutations(t *testing.T) {
	both := openBoth(t)
	bases := []string{string(golden(t)), string(golden(t))}
	for doc := range testInputs(t) {
		bases = append(bases, doc)
	}
	slices.Sort(bases)
	verdicts, found, valid := 0, 0, 0
	rapid.Check(t, func(r *rapid.T) {
		var doc any
		if err := json.Unmarshal([]byte(rapid.SampledFrom(bases).Draw(r, "base")), &doc); err != nil {
			r.Fatal(err)
		}
		wild := rapid.Bool().Draw(r, "wild")
		mutate(r, doc, wild)
		input, err := json.Marshal(doc)
		if err != nil {
			r.Fatal(err)
		}
		diff, n := both.differ(t.Context(), input)
		if diff != "" {
			r.Fatalf("%s:\nOPA (-), plan (+):\n%s", input, diff)
		}
		if n > 0 {
			verdicts++
		}
		if both.schema.Validate(decoded(input)) == nil {
			valid++
		}
		found += n
	})
	t.Logf("%d verdicts with %d findings; %d documents keep to the schema", verdicts, found, valid)
	if verdicts < 20 || valid < 10 {
		t.Errorf("only %d of the documents had findings, and only %d keep to the schema", verdicts, valid)
	}
}

// FuzzParity takes any bytes. What the plan refuses, OPA may judge.
func FuzzParity(f *testing.F) {
	both := openBoth(f)
	f.Add(golden(f))
	f.Add([]byte(`{"version": 1}`))
	f.Add([]byte(strings.Replace(string(golden(f)), `"covers": []`, `"covers": ["root"]`, 1)))
	f.Fuzz(func(t *testing.T, input []byte) {
		if _, err := both.plan.Evaluate(t.Context(), input); errors.Is(err, plan.ErrUnsupported) {
			return
		}
		if diff, _ := both.differ(t.Context(), input); diff != "" {
			t.Errorf("OPA (-), plan (+):\n%s", diff)
		}
	})
}
