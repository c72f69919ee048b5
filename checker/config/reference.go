package config

import (
	"reflect"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// Field is an argument or a block of ocjail.hcl.
type Field struct {
	Name     string
	Kind     string  // "block", "string", "bool", "object" or "list of strings"
	Label    string  // what a block's label is, or ""
	Many     bool    // the block may stand more than once
	Required bool    // within its block
	Doc      string  // sentences
	Fields   []Field // of a block
}

// Reference describes the language, as the decoder knows it.
func Reference() []Field {
	fields, _ := describe(reflect.TypeFor[rawConfig]())
	return fields
}

func describe(t reflect.Type) (fields []Field, label string) {
	for i := range t.NumField() {
		name, kind, _ := strings.Cut(t.Field(i).Tag.Get("hcl"), ",")
		f := Field{Name: name, Doc: t.Field(i).Tag.Get("doc"), Required: kind == ""}
		switch kind {
		case "label":
			label = name
			continue
		case "block":
			f.Kind = "block"
			f.Many = t.Field(i).Type.Kind() == reflect.Slice
			f.Fields, f.Label = describe(t.Field(i).Type.Elem())
		case "", "optional":
			f.Kind = kindOf(t.Field(i).Type)
		default: // where something stands
			continue
		}
		fields = append(fields, f)
	}
	return fields, label
}

func kindOf(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[hclfile.Literal]() {
		return "object"
	}
	if t.Kind() == reflect.Slice {
		return "list of strings"
	}
	return t.Kind().String()
}
