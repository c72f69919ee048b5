package hclfile

import (
	"fmt"
	"math/big"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Literal is a value whose shape the language does not say: strings, booleans,
// whole numbers, lists and objects, and where each stands.
type Literal struct {
	Pos Pos
	// Value is a string, a bool, an int64, an []any or a map[string]any.
	Value  any
	list   []Literal
	object map[string]Literal
}

// At returns the part that a path of keys and indexes leads to, or the last on the
// way that is there.
func (l Literal) At(path ...any) Literal {
	for _, step := range path {
		switch step := step.(type) {
		case int:
			if step >= len(l.list) {
				return l
			}
			l = l.list[step]
		case string:
			part, ok := l.object[step]
			if !ok {
				return l
			}
			l = part
		}
	}
	return l
}

// literal reads an expression, which literalsOnly let pass.
func literal(e hcl.Expression) (Literal, hcl.Diagnostics) {
	l := Literal{Pos: Start(e.Range())}
	if pairs, diags := hcl.ExprMap(e); !diags.HasErrors() {
		return literalObject(l, pairs)
	}
	if items, diags := hcl.ExprList(e); !diags.HasErrors() {
		list := make([]any, 0, len(items))
		for _, item := range items {
			part, diags := literal(item)
			if diags.HasErrors() {
				return l, diags
			}
			l.list, list = append(l.list, part), append(list, part.Value)
		}
		l.Value = list
		return l, nil
	}
	v, diags := e.Value(nil)
	if diags.HasErrors() {
		return l, diags
	}
	switch v.Type() {
	case cty.String:
		l.Value = v.AsString()
	case cty.Bool:
		l.Value = v.True()
	case cty.Number:
		n, accuracy := v.AsBigFloat().Int64()
		if accuracy != big.Exact { // literalsOnly allows none
			return l, wrong(e.Range(), "write a whole number")
		}
		l.Value = n
	default:
		return l, wrong(e.Range(), "write a string, true, false, a whole number, a list or an object")
	}
	return l, nil
}

func literalObject(l Literal, pairs []hcl.KeyValuePair) (Literal, hcl.Diagnostics) {
	l.object = make(map[string]Literal, len(pairs))
	object := make(map[string]any, len(pairs))
	for _, p := range pairs {
		key, diags := p.Key.Value(nil)
		if diags.HasErrors() {
			return l, diags
		}
		if key.Type() != cty.String {
			return l, wrong(p.Key.Range(), "write a name, or a string, as the key")
		}
		name := key.AsString()
		if before, ok := l.object[name]; ok {
			return l, wrong(p.Key.Range(), "this key is written already, at %s", before.Pos)
		}
		part, diags := literal(p.Value)
		if diags.HasErrors() {
			return l, diags
		}
		object[name] = part.Value
		part.Pos = Start(p.Key.Range())
		l.object[name] = part
	}
	l.Value = object
	return l, nil
}

func wrong(at hcl.Range, format string, args ...any) hcl.Diagnostics {
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: fmt.Sprintf(format, args...), Subject: &at}}
}
