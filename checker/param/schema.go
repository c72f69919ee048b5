// Package param describes what a rule can be told by the configuration: a part of
// JSON Schema, draft 2020-12, that is small enough to be known whole.
package param

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/spelling"
)

// Schema is what values are accepted. Values are those of JSON, with whole numbers
// as int64: rules know no others.
type Schema struct {
	Type        string             `json:"type"` // one of Types
	Description string             `json:"description,omitempty"`
	Default     any                `json:"default,omitempty"` // nil for none
	Enum        []any              `json:"enum,omitempty"`
	Minimum     *int64             `json:"minimum,omitempty"`
	Maximum     *int64             `json:"maximum,omitempty"`
	MinItems    *int64             `json:"minItems,omitempty"`
	MaxItems    *int64             `json:"maxItems,omitempty"`
	Items       *Schema            `json:"items,omitempty"`
	Properties  map[string]*Schema `json:"properties,omitempty"` // no others are accepted
	Required    []string           `json:"required,omitempty"`
}

// Types are the values of "type".
var Types = []string{"array", "boolean", "integer", "object", "string"}

// Bounds of a schema.
const (
	maxDepth = 8
	maxBytes = 64 << 10
)

var keywords = []string{
	"type", "description", "default", "enum", "minimum", "maximum", "minItems", "maxItems", "items", "properties", "required", "additionalProperties",
}

// Parse reads the schema of a rule's parameters, an object. Whatever it does not
// know is an error, and so is a parameter that is neither required nor has a
// default: a rule would read nothing, and find nothing.
func Parse(doc []byte) (*Schema, error) {
	if len(doc) > maxBytes {
		return nil, fmt.Errorf("is larger than %d KiB", maxBytes>>10)
	}
	v, err := decode(doc)
	if err != nil {
		return nil, err
	}
	s, err := read(v, maxDepth)
	if err != nil {
		return nil, err
	}
	if s.Type != "object" || len(s.Properties) == 0 {
		return nil, errors.New(`its type is "object", with properties: one for each parameter`)
	}
	return s, s.complete("")
}

// UnmarshalJSON implements [json.Unmarshaler].
func (s *Schema) UnmarshalJSON(doc []byte) error {
	parsed, err := Parse(doc)
	if err == nil {
		*s = *parsed
	}
	return err
}

// decode reads one JSON value, of whole numbers.
func decode(doc []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return whole(v)
}

// whole makes int64 of numbers.
func whole(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case json.Number:
		n, err := v.Int64()
		if err != nil {
			return nil, fmt.Errorf("%s is no whole number of 64 bits", v)
		}
		return n, nil
	case []any:
		for i := range v {
			if v[i], err = whole(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k := range v {
			if v[k], err = whole(v[k]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

func read(v any, depth int) (*Schema, error) {
	object, ok := v.(map[string]any)
	if !ok || depth == 0 {
		return nil, fmt.Errorf("a schema is an object, at most %d deep", maxDepth)
	}
	s := &Schema{}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if err := s.keyword(key, object[key], depth); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	if !slices.Contains(Types, s.Type) {
		return nil, fmt.Errorf("type %q%s: write one of %s", s.Type, spelling.DidYouMean(s.Type, Types), strings.Join(Types, ", "))
	}
	return s, s.consistent()
}

func (s *Schema) keyword(key string, v any, depth int) error {
	switch key {
	case "type":
		return into(&s.Type, v)
	case "description":
		return into(&s.Description, v)
	case "default":
		s.Default = v
		return nil
	case "enum":
		return into(&s.Enum, v)
	case "minimum":
		return number(&s.Minimum, v)
	case "maximum":
		return number(&s.Maximum, v)
	case "minItems":
		return number(&s.MinItems, v)
	case "maxItems":
		return number(&s.MaxItems, v)
	case "items":
		var err error
		s.Items, err = read(v, depth-1)
		return err
	case "properties":
		return s.properties(v, depth)
	case "required":
		return s.required(v)
	case "additionalProperties":
		if v != false {
			return errors.New("only false is known: every parameter is named")
		}
		return nil
	}
	return fmt.Errorf("unknown keyword%s: write %s", spelling.DidYouMean(key, keywords), strings.Join(keywords, ", "))
}

func into[T any](to *T, v any) error {
	t, ok := v.(T)
	if !ok {
		return fmt.Errorf("is %s, and must be %s", nouns[kind(v)], nouns[kind(*to)])
	}
	*to = t
	return nil
}

func number(to **int64, v any) error {
	*to = new(int64)
	return into(*to, v)
}

func (s *Schema) properties(v any, depth int) error {
	var object map[string]any
	if err := into(&object, v); err != nil {
		return err
	}
	s.Properties = make(map[string]*Schema, len(object))
	for _, name := range slices.Sorted(maps.Keys(object)) {
		p, err := read(object[name], depth-1)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		s.Properties[name] = p
	}
	return nil
}

func (s *Schema) required(v any) error {
	var list []any
	if err := into(&list, v); err != nil {
		return err
	}
	for _, e := range list {
		name, ok := e.(string)
		if !ok {
			return fmt.Errorf("holds %s, and must hold strings", nouns[kind(e)])
		}
		s.Required = append(s.Required, name)
	}
	return nil
}

// consistent refuses keywords that say nothing for the type, and a default that
// the schema itself refuses.
func (s *Schema) consistent() error {
	for keyword, said := range map[string]struct {
		is bool
		of string
	}{
		"items": {s.Items != nil, "array"}, "minItems": {s.MinItems != nil, "array"}, "maxItems": {s.MaxItems != nil, "array"},
		"properties": {s.Properties != nil, "object"}, "required": {s.Required != nil, "object"},
		"minimum": {s.Minimum != nil, "integer"}, "maximum": {s.Maximum != nil, "integer"},
	} {
		if said.is && said.of != s.Type {
			return fmt.Errorf("%s is for a type of %q, not %q", keyword, said.of, s.Type)
		}
	}
	if s.Type == "array" && s.Items == nil {
		return errors.New("an array needs items, the schema of each")
	}
	for _, name := range s.Required {
		if s.Properties[name] == nil {
			return fmt.Errorf("required: %q is none of the properties%s", name, spelling.DidYouMean(name, slices.Sorted(maps.Keys(s.Properties))))
		}
	}
	if s.Default != nil {
		if p := s.checkAll(s.Default); p != nil {
			return fmt.Errorf("default: %s", p[0].Message)
		}
	}
	return nil
}

// complete makes sure that a rule finds a value wherever it looks.
func (s *Schema) complete(at string) error {
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		if p.Default == nil && !slices.Contains(s.Required, name) {
			return fmt.Errorf("%s%s: is neither required nor has a default: a rule that reads it would find nothing", at, name)
		}
		if err := p.complete(at + name + "."); err != nil {
			return err
		}
	}
	if s.Items != nil {
		return s.Items.complete(at + "items.")
	}
	return nil
}
