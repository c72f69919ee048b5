package policy_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/policy"
)

func inputSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := fs.ReadFile(policy.Files, "schema/input.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("input.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("input.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validate(t *testing.T, text []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return inputSchema(t).Validate(doc)
}

func golden(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("schema/testdata/input.json")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestSchemaAcceptsGolden(t *testing.T) {
	if err := validate(t, golden(t)); err != nil {
		t.Error(err)
	}
}

// The schema and the Go structs name the same fields: the golden document has
// them all (but for strays, which a clean jail has none of), decodes without an
// unknown one and comes back as it was.
func TestSchemaIsTheStructs(t *testing.T) {
	text := bytes.Replace(golden(t), []byte(`"git_stray": []`), []byte(`"git_stray": [{"file": "/home/u/p/.git", "target": "/srv/x"}]`), 1)
	if err := validate(t, text); err != nil || bytes.Equal(text, golden(t)) {
		t.Fatalf("with a stray: %v", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var in checker.Input
	if err := d.Decode(&in); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var want, got any
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(again, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("golden document (-) and what the structs make of it (+):\n%s", diff)
	}
}

func TestSchemaRefuses(t *testing.T) {
	for _, tc := range []struct{ name, old, new string }{
		{"unknown field", `"phase": "launch"`, `"phase": "launch", "more": 1`},
		{"unknown field of a mount", `"op": "proc"`, `"op": "proc", "more": 1`},
		{"missing field", `"hostname": "jail",`, ``},
		{"unknown phase", `"launch"`, `"later"`},
		{"unknown access", `"access": "rw"`, `"access": "write"`},
		{"unknown class", `"class": "secret"`, `"class": "secrets"`},
		{"other version", `"version": 1`, `"version": 2`},
		{"null list", `"add": []`, `"add": null`},
		{"null mount index as text", `"via": null`, `"via": "none"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := strings.Replace(string(golden(t)), tc.old, tc.new, 1)
			if text == string(golden(t)) {
				t.Fatalf("the golden document has no %s", tc.old)
			}
			if validate(t, []byte(text)) == nil {
				t.Error("accepted")
			}
		})
	}
}

// The tests' clean jail tells each rule what it is told when nobody configures it.
func TestFixturesHaveTheDefaults(t *testing.T) {
	pack, err := engine.OpenPack(0)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]any{}
	for _, r := range pack.Rules() {
		if r.Params != nil {
			want[r.ID] = r.Params.Complete(nil)
		}
	}
	var got any
	for _, r := range modules(t)["lib/fixtures_test.rego"].Rules {
		if r.Head.Name == "clean" {
			got, err = ast.JSON(r.Head.Value.Value.(ast.Object).Get(ast.StringTerm("params")).Value)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	doc, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	fixture, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(doc), string(fixture)); diff != "" || len(want) == 0 {
		t.Errorf("defaults (-), fixtures (+):\n%s", diff)
	}
}
