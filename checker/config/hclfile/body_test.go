package hclfile

import (
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// everything has each kind of field that the program's structs have.
type everything struct {
	Needed      string            `hcl:"needed"`
	NeededRange hcl.Range         `hcl:"needed,attr_value_range"`
	Yes         bool              `hcl:"yes,optional"`
	Words       []string          `hcl:"words,optional"`
	WordsAt     hcl.Range         `hcl:"words,attr_range"`
	Maybe       *[]string         `hcl:"maybe,optional"`
	Map         map[string]string `hcl:"map,optional"`
	Many        []labelled        `hcl:"many,block"`
	One         *inner            `hcl:"one,block"`
	Must        inner             `hcl:"must,block"`
}

type labelled struct {
	Name      string    `hcl:"name,label"`
	NameRange hcl.Range `hcl:"name,label_range"`
	Access    *string   `hcl:"access,optional"`
	At        hcl.Range `hcl:",def_range"`
}

type inner struct {
	Value string `hcl:"value"`
}

func TestDecodeBodyAsGohcl(t *testing.T) {
	const must = "must {\n  value = \"v\"\n}\n"
	for _, src := range []string{
		must + `needed = "x"`,
		must + "needed = \"x\"\nyes = true\nwords = [\"a\", \"b\"]\nmaybe = []\nmap = { a = \"b\" }\nmany \"x\" {\n  access = \"rw\"\n}\nmany \"y\" {}\none {\n  value = \"w\"\n}\n",
		must, `needed = "x"`, must + "needed = \"x\"\nmore = 1", must + "needed = \"x\"\nmore {}", must + "needed = []", must + "needed = true", must + "needed = \"x\"\nyes = \"maybe\"",
		must + "needed = \"x\"\nwords = \"a\"", must + "needed = \"x\"\nwords = [[]]", must + must + "needed = \"x\"", must + "needed = \"x\"\none {}", must + "needed = \"x\"\nmany {}",
		must + "needed = \"x\"\nmany \"a\" \"b\" {}", must + "needed = \"x\"\nmany \"a\" {\n  x = 1\n}", must + "needed = \"x\"\none {\n value = \"a\"\n}\none {\n value = \"b\"\n}", "",
		must + "needed = \"x\"\nmap = { a = [] }", must + "needed = \"x\"\nmany = \"x\"", must + "needed {}",
	} {
		file, diags := hclsyntax.ParseConfig([]byte(src), "x.hcl", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		var got, want everything
		gotDiags := fromHCL("x.hcl", decodeBody(file.Body, reflect.ValueOf(&got).Elem()))
		wantDiags := fromHCL("x.hcl", gohcl.DecodeBody(file.Body, nil, &want))
		for _, d := range []Diagnostics{gotDiags, wantDiags} { // gohcl goes through maps
			slices.SortFunc(d, func(a, b Diagnostic) int { return a.Pos.Line*1000 + a.Pos.Column - b.Pos.Line*1000 - b.Pos.Column })
		}
		if diff := cmp.Diff(wantDiags, gotDiags); diff != "" {
			t.Errorf("%s\ngohcl's errors (-), ours (+):\n%s", src, diff)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(everything{})); len(gotDiags) == 0 && diff != "" {
			t.Errorf("%s\ngohcl (-), ours (+):\n%s", src, diff)
		}
	}
}
