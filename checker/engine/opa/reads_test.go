package opa_test

import (
	"encoding/json"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/opa"
	"github.com/refnil/opencode-jail-devenv/policy"
)

func TestReads(t *testing.T) {
	for name, c := range map[string]struct {
		rego string
		want []string
	}{
		"nothing":        {`deny contains "no"`, []string{}},
		"one":            {`deny contains "no" if input.phase == "lint"`, []string{"phase"}},
		"brackets":       {`deny contains "no" if input["phase"] == "lint"`, []string{"phase"}},
		"two":            {`deny contains "no" if { some m in input.jail.mounts; m.source == input.host.home }`, []string{"host", "jail"}},
		"in an operand":  {`deny contains "no" if data.list[_] == input.phase`, []string{"phase"}},
		"in a reference": {`deny contains "no" if input.jail.env[input.host.user]`, []string{"host", "jail"}},
		"by a helper":    {`deny contains "no" if helped` + "\nhelped if late(1)\nlate(x) if input.now > x", []string{"now"}},
		"else":           {"deny contains \"no\" if a == 1\na := 2 if input.phase == \"x\" else := 1 if input.agent.known", []string{"agent", "phase"}},
		"else's helper":  {"deny contains \"no\" if a == 1\na := 2 if input.phase == \"x\" else := 1 if late\nlate if input.now", []string{"now", "phase"}},
		"any package":    {"deny contains \"no\" if { some n; data.other[n] == 1 }", []string{"now"}},
		"default":        {"deny contains \"no\" if f(1)\ndefault f(_) := false\nf(x) if g(x)\ng(x) if input.agent.known == x", []string{"agent"}},
		"some in head":   {"deny contains f(input.phase) if 1 == 1\nf(x) := input.host", []string{"host", "phase"}},
		"of a library":   {`deny contains "no" if count(data.ocjail.lib.watched.secrets) > 9`, []string{"watched"}},
		"a comprehension": {
			`deny contains "no" if count([p | some w in input.watched; p := w.path; input.phase == "lint"]) > 1`, []string{"phase", "watched"},
		},
		"every":      {`deny contains "no" if every w in input.watched { w.access == input.phase }`, []string{"phase", "watched"}},
		"another's":  {"deny contains \"no\"\nunused if input.now", []string{}},
		"all":        {`deny contains "no" if count(input) == 1`, nil},
		"any":        {`deny contains "no" if { some k; input[k] == 1 }`, nil},
		"a variable": {`deny contains "no" if { x := input; x.phase == "lint" }`, nil},
		"walked":     {`deny contains "no" if { walk(input, [_, v]); v == 1 }`, nil},
		"in another": {`deny contains "no" if { k := "now"; input[k] == 1 }`, nil},
		"with":       {"deny contains \"no\" if helped with input as {\"phase\": 1}\nhelped if input.phase", nil},
		"some in":    {`deny contains "no" if { some k, v in input; v == k }`, nil},
		"by name":    {`deny contains "no" if object.get(input, "now", 1) == 1`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			files := fstest.MapFS{"main.rego": {Data: []byte("package main\n" + c.rego)}, "other.rego": {Data: []byte("package other\nx := 1 if input.now")}, "data/list.json": {Data: []byte(`["lint"]`)}}
			e, err := opa.New(t.Context(), opa.Options{WithoutPack: true}, engine.EmbeddedPack(), engine.Source{Name: "x", FS: files})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, e.Reads()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Only of rules that surely read no list is that said.
func TestReadsData(t *testing.T) {
	for name, c := range map[string]struct {
		rego string
		want bool
	}{
		"nothing":             {`deny contains "no" if input.phase == "lint"`, false},
		"a list":              {`deny contains "no" if input.phase in data.list`, true},
		"below a list":        {`deny contains "no" if data.list[0] == input.phase`, true},
		"a rule":              {`deny contains "no" if data.other.x == 1`, false},
		"within a rule":       {`deny contains "no" if data.other.y.list == 1`, false},
		"a package":           {`deny contains "no" if count(data.other) == 1`, true},
		"a package's any":     {`deny contains "no" if { some n; data.other[n] == 1 }`, true},
		"any of a package":    {`deny contains "no" if data.other[input.phase]`, true},
		"beside a rule":       {`deny contains "no" if not data.other.list`, true},
		"as a reference":      {`deny contains "no" if data.other.y[data.list[0]]`, true},
		"by a helper":         {"deny contains \"no\" if a(1)\na(x) if b[x]\nb contains x if some x in data.list", true},
		"by else":             {"deny contains \"no\" if a == 1\na := 2 if input.now else := data.list[0]", true},
		"by a default":        {"deny contains \"no\" if a[0] == 1\ndefault a := [x | x := data.list[_]]", true},
		"in a comprehension":  {`deny contains "no" if count({x | some x in data.list}) == 1`, true},
		"in every":            {`deny contains "no" if every x in input.watched { x.path in data.list }`, true},
		"another's":           {"deny contains \"no\"\nunused if data.list", false},
		"with":                {"deny contains \"no\" if helped with data.list as [1]\nhelped if input.phase", true},
		"a library without":   {`deny contains "no" if data.ocjail.lib.paths.under("/a", "/b")`, false},
		"one of ocjail's":     {`deny contains "no" if "/dev/null" in data.ocjail.tolerated.devices`, true},
		"a name in a package": {`deny contains "no" if data.other[input.phase]`, true},
	} {
		t.Run(name, func(t *testing.T) {
			files := fstest.MapFS{"main.rego": {Data: []byte("package main\n" + c.rego)}, "other.rego": {Data: []byte("package other\nx := 1 if input.now\ny := {\"list\": 1}")}, "data/list.json": {Data: []byte(`["lint"]`)}, "data/other/list.json": {Data: []byte(`[1]`)}}
			e, err := opa.New(t.Context(), opa.Options{WithoutPack: true}, engine.EmbeddedPack(), engine.Source{Name: "x", FS: files})
			if err != nil {
				t.Fatal(err)
			}
			if got := e.ReadsData(); got != c.want {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestInputPartsAreTheSchemas(t *testing.T) {
	doc, err := policy.Files.ReadFile("schema/input.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct{ Properties map[string]any }
	if err := json.Unmarshal(doc, &schema); err != nil {
		t.Fatal(err)
	}
	var parts []string
	for name := range schema.Properties {
		parts = append(parts, name)
	}
	slices.Sort(parts)
	if diff := cmp.Diff(parts, engine.InputParts); diff != "" {
		t.Error(diff)
	}
}
