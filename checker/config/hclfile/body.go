package hclfile

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/gocty"
)

// decodeBody does for the structs of this program what gohcl.DecodeBody does, with
// the same tags: an attribute has none or "optional"; block, label, attr_range,
// attr_value_range, label_range and def_range are understood. gohcl itself links
// a writer of HCL and go-cmp, whose set-up takes half of that of all of ocjail at
// each start. A test holds this to it.
func decodeBody(body hcl.Body, into reflect.Value) hcl.Diagnostics {
	fields := fieldsOf(into.Type())
	content, diags := body.Content(schemaOf(fields))
	if content == nil {
		return diags
	}
	blocks := content.Blocks.ByType()
	for _, f := range fields {
		v := into.Field(f.index)
		attr := content.Attributes[f.name]
		switch {
		case f.kind == "block":
			diags = append(diags, decodeBlocks(body, f.name, blocks[f.name], v)...)
		case attr == nil:
		case f.isAttribute():
			diags = append(diags, decodeExpression(attr.Expr, v)...)
		case f.kind == "attr_range":
			v.Set(reflect.ValueOf(attr.Range))
		case f.kind == "attr_value_range":
			v.Set(reflect.ValueOf(attr.Expr.Range()))
		}
	}
	return diags
}

// field is one of a struct with its tag `hcl:"name,kind"`.
type field struct {
	index      int
	name, kind string
	typ        reflect.Type
}

func (f field) isAttribute() bool { return f.kind == "" || f.kind == "optional" }

func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		if tag := t.Field(i).Tag.Get("hcl"); tag != "" {
			name, kind, _ := strings.Cut(tag, ",")
			fields = append(fields, field{i, name, kind, t.Field(i).Type})
		}
	}
	return fields
}

// Names are those of the arguments and blocks of a struct that Decode fills.
func Names(of reflect.Type) []string {
	var names []string
	for _, f := range fieldsOf(of) {
		if f.isAttribute() || f.kind == "block" {
			names = append(names, f.name)
		}
	}
	return names
}

func schemaOf(fields []field) *hcl.BodySchema {
	s := &hcl.BodySchema{}
	for _, f := range fields {
		switch {
		case f.isAttribute():
			s.Attributes = append(s.Attributes, hcl.AttributeSchema{Name: f.name, Required: f.kind == "" && f.typ.Kind() != reflect.Pointer})
		case f.kind == "block":
			t := f.typ
			if t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
				t = t.Elem()
			}
			header := hcl.BlockHeaderSchema{Type: f.name}
			for _, inner := range fieldsOf(t) {
				if inner.kind == "label" {
					header.LabelNames = append(header.LabelNames, inner.name)
				}
			}
			s.Blocks = append(s.Blocks, header)
		}
	}
	return s
}

// decodeBlocks fills a slice, a pointer for a block that may be left out, or a
// struct for one that may not.
func decodeBlocks(body hcl.Body, name string, blocks []*hcl.Block, v reflect.Value) (diags hcl.Diagnostics) {
	if v.Kind() == reflect.Slice {
		for _, b := range blocks {
			e := reflect.New(v.Type().Elem()).Elem()
			diags = append(diags, decodeBlock(b, e)...)
			v.Set(reflect.Append(v, e))
		}
		return diags
	}
	switch {
	case len(blocks) > 1:
		return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Duplicate block", Subject: &blocks[1].DefRange,
			Detail: fmt.Sprintf("Only one %s block is allowed. Another was defined at %s.", name, blocks[0].DefRange)}}
	case len(blocks) == 1:
		if v.Kind() == reflect.Pointer {
			v.Set(reflect.New(v.Type().Elem()))
			v = v.Elem()
		}
		return decodeBlock(blocks[0], v)
	case v.Kind() != reflect.Pointer:
		return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Missing block", Subject: body.MissingItemRange().Ptr(),
			Detail: fmt.Sprintf("A %s block is required.", name)}}
	}
	return nil
}

func decodeBlock(b *hcl.Block, into reflect.Value) hcl.Diagnostics {
	diags := decodeBody(b.Body, into)
	label := -1
	for _, f := range fieldsOf(into.Type()) {
		v := into.Field(f.index)
		switch f.kind {
		case "label":
			label++
			v.SetString(b.Labels[label])
		case "label_range": // stands behind its label
			v.Set(reflect.ValueOf(b.LabelRanges[label]))
		case "def_range":
			v.Set(reflect.ValueOf(b.DefRange))
		}
	}
	return diags
}

func decodeExpression(e hcl.Expression, into reflect.Value) hcl.Diagnostics {
	if into.Type() == reflect.TypeFor[*Literal]() {
		l, diags := literal(e)
		into.Set(reflect.ValueOf(&l))
		return diags
	}
	value, diags := e.Value(nil)
	if holdsNumber(value) {
		return append(diags, wrong(e.Range(), "%s", hints[hclsyntax.TokenNumberLit])...)
	}
	t, err := gocty.ImpliedType(into.Addr().Interface())
	if err == nil {
		if value, err = convert.Convert(value, t); err == nil {
			err = gocty.FromCtyValue(value, into.Addr().Interface())
		}
	}
	if err != nil {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Unsuitable value type",
			Detail: fmt.Sprintf("Unsuitable value: %s", err), Subject: e.StartRange().Ptr(), Context: e.Range().Ptr()})
	}
	return diags
}

// holdsNumber tells whether a value is or holds a number, which all but Literals
// have in quotes.
func holdsNumber(v cty.Value) bool {
	found := false
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) { // this function returns no error
		found = found || v.Type() == cty.Number
		return true, nil
	})
	return found
}
