package param_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/param"
)

const schema = `{
  "type": "object",
  "additionalProperties": false,
  "required": ["owner"],
  "properties": {
    "owner": {"type": "string"},
    "limit": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
    "strict": {"type": "boolean", "default": false},
    "mode": {"type": "string", "enum": ["strict", "lax"], "default": "lax"},
    "ports": {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2, "default": [1]},
    "hosts": {"type": "array", "default": [], "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "port": {"type": "integer", "default": 22}}}}
  }
}`

func parse(t *testing.T, doc string) *param.Schema {
	t.Helper()
	s, err := param.Parse([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCheck(t *testing.T) {
	s := parse(t, schema)
	for name, tc := range map[string]struct {
		value any
		want  string
	}{
		"good":          {map[string]any{"owner": "me", "limit": int64(9), "strict": true, "mode": "strict", "ports": []any{int64(80)}}, ""},
		"nothing":       {map[string]any{}, ""}, // Missing tells
		"no object":     {[]any{}, "[]: is a list, and must be an object"},
		"other name":    {map[string]any{"limits": int64(1)}, `[limits]: there is no parameter of this name, did you mean "limit"?: write one of hosts, limit, mode, owner, ports, strict`},
		"other type":    {map[string]any{"limit": "3"}, "[limit]: is a string, and must be a whole number from 1 to 9"},
		"null":          {map[string]any{"limit": nil}, "[limit]: is null, "},
		"too small":     {map[string]any{"limit": int64(0)}, "[limit]: is 0, and must be a whole number from 1 to 9"},
		"too large":     {map[string]any{"limit": int64(10)}, "[limit]: is 10, "},
		"other choice":  {map[string]any{"mode": "strikt"}, `[mode]: is "strikt", did you mean "strict", and must be one of "strict", "lax"`},
		"far choice":    {map[string]any{"mode": "whatever"}, `[mode]: is "whatever", and must be`},
		"too few":       {map[string]any{"ports": []any{}}, "[ports]: has 0 items, and must be a list whose items are each a whole number, at least 1, at most 2"},
		"too many":      {map[string]any{"ports": []any{int64(1), int64(2), int64(3)}}, "[ports]: has 3 items"},
		"an item":       {map[string]any{"ports": []any{int64(1), true}}, "[ports 1]: is true or false, and must be a whole number"},
		"lacks":         {map[string]any{"hosts": []any{map[string]any{}}}, "[hosts 0]: lacks name, a string"},
		"within a list": {map[string]any{"hosts": []any{map[string]any{"name": "a", "prt": int64(1)}}}, `[hosts 0 prt]: there is no parameter of this name, did you mean "port"?`},
	} {
		var lines []string
		for _, p := range s.Check(tc.value) {
			lines = append(lines, fmt.Sprintf("%v: %s", p.Path, p.Message))
		}
		if got := strings.Join(lines, "\n"); (got == "") != (tc.want == "") || !strings.HasPrefix(got, tc.want) {
			t.Errorf("%s: %s\nwant %s", name, got, tc.want)
		}
	}
}

func TestComplete(t *testing.T) {
	s := parse(t, schema)
	if diff := cmp.Diff([]string{"owner"}, s.Missing(nil)); diff != "" {
		t.Error(diff)
	}
	got := s.Complete(map[string]any{"owner": "me", "hosts": []any{map[string]any{"name": "a"}}})
	want := map[string]any{
		"owner": "me", "limit": int64(3), "strict": false, "mode": "lax", "ports": []any{int64(1)},
		"hosts": []any{map[string]any{"name": "a", "port": int64(22)}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if s.Missing(want) != nil || s.Check(got) != nil {
		t.Errorf("what was completed is not complete: %v", s.Check(got))
	}
}

// What a schema writes of itself, it reads: so it gets into the compiled pack.
func TestRoundTrip(t *testing.T) {
	s := parse(t, schema)
	doc, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var again param.Schema
	if err := json.Unmarshal(doc, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, &again); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefuses(t *testing.T) {
	of := func(p string) string { return `{"type": "object", "properties": {"p": ` + p + `}}` }
	for name, tc := range map[string]struct{ doc, want string }{
		"no JSON":             {"{", "unexpected EOF"},
		"two values":          {of(`{"type": "string", "default": ""}`) + "{}", "more than one value"},
		"no object":           {`{"type": "string"}`, `its type is "object", with properties`},
		"no properties":       {`{"type": "object"}`, `its type is "object", with properties`},
		"no schema":           {of(`3`), "properties: p: a schema is an object"},
		"misspelt keyword":    {of(`{"type": "integer", "minmum": 1}`), `p: minmum: unknown keyword, did you mean "minimum"?`},
		"keyword of others":   {of(`{"type": "string", "pattern": "x"}`), "p: pattern: unknown keyword: write type, "},
		"misspelt type":       {of(`{"type": "int"}`), `p: type "int": write one of array, `},
		"no type":             {of(`{}`), `p: type "": write`},
		"two types":           {of(`{"type": ["string", "null"]}`), "p: type: is a list, and must be a string"},
		"fraction":            {of(`{"type": "integer", "default": 1.5}`), "1.5 is no whole number"},
		"huge":                {of(`{"type": "integer", "default": 1e99}`), "1e99 is no whole number"},
		"default of no type":  {of(`{"type": "integer", "default": "3"}`), "p: default: is a string"},
		"default too large":   {of(`{"type": "integer", "maximum": 2, "default": 3}`), "p: default: is 3"},
		"default lacks":       {of(`{"type": "object", "required": ["q"], "properties": {"q": {"type": "string"}}, "default": {}}`), "p: default: lacks q"},
		"neither":             {of(`{"type": "integer"}`), "p: is neither required nor has a default"},
		"neither, within":     {of(`{"type": "object", "properties": {"q": {"type": "string"}}, "default": {}}`), "p.q: is neither"},
		"neither, in items":   {of(`{"type": "array", "items": {"type": "object", "properties": {"q": {"type": "string"}}}, "default": []}`), "p.items.q: is neither"},
		"no items":            {of(`{"type": "array", "default": []}`), "p: an array needs items"},
		"out of place":        {of(`{"type": "string", "minimum": 1, "default": ""}`), `p: minimum is for a type of "integer", not "string"`},
		"requires another":    {`{"type": "object", "required": ["q"], "properties": {"p": {"type": "string", "default": ""}}}`, `required: "q" is none of the properties, did you mean "p"?`},
		"required by no name": {`{"type": "object", "required": [1]}`, "required: holds a whole number, and must hold strings"},
		"more than named":     {`{"type": "object", "additionalProperties": true}`, "additionalProperties: only false"},
		"deep":                {strings.Repeat(`{"type": "array", "items": `, 40) + "{}" + strings.Repeat("}", 40), "at most 8 deep"},
		"large":               {of(`{"type": "string", "default": "` + strings.Repeat("x", 1<<16) + `"}`), "is larger than 64 KiB"},
	} {
		if _, err := param.Parse([]byte(tc.doc)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %.300v, want one with %q", name, err, tc.want)
		}
	}
}

// An example is a value that the schema accepts.
func TestExample(t *testing.T) {
	s := parse(t, schema)
	for name, p := range s.Properties {
		if problems := p.Check(p.Example()); problems != nil {
			t.Errorf("%s = %s: %v", name, param.Text(p.Example()), problems)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(schema)
	f.Add(`{"type": "object", "properties": {"p": {"type": "array", "items": {"type": "boolean"}, "default": [true]}}}`)
	f.Fuzz(func(t *testing.T, doc string) {
		s, err := param.Parse([]byte(doc))
		if err != nil {
			return
		}
		if given := s.Complete(nil); s.Missing(nil) == nil && s.Check(given) != nil {
			t.Errorf("%s\nits own defaults %s: %v", doc, param.Text(given), s.Check(given))
		}
	})
}
