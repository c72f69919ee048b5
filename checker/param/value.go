package param

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/spelling"
)

// Problem is why a value is not accepted, and the way to it: names of properties,
// and indexes of items.
type Problem struct {
	Path    []any // string or int
	Message string
}

// Check returns what is wrong with a value, nil for nothing. What is required of
// the outermost object may still come: Missing tells.
func (s *Schema) Check(v any) []Problem {
	if kind(v) != s.Type {
		return []Problem{{nil, fmt.Sprintf("is %s, and must be %s", nouns[kind(v)], s.What())}}
	}
	if s.Enum != nil && !slices.ContainsFunc(s.Enum, func(e any) bool { return reflect.DeepEqual(e, v) }) {
		return []Problem{{nil, "is " + Text(v) + s.guess(v) + ", and must be " + s.What()}}
	}
	switch v := v.(type) {
	case int64:
		if s.Minimum != nil && v < *s.Minimum || s.Maximum != nil && v > *s.Maximum {
			return []Problem{{nil, fmt.Sprintf("is %d, and must be %s", v, s.What())}}
		}
	case []any:
		return s.items(v)
	case map[string]any:
		return s.members(v)
	}
	return nil
}

func (s *Schema) items(list []any) []Problem {
	if n := int64(len(list)); s.MinItems != nil && n < *s.MinItems || s.MaxItems != nil && n > *s.MaxItems {
		return []Problem{{nil, fmt.Sprintf("has %d items, and must be %s", n, s.What())}}
	}
	var all []Problem
	for i, v := range list {
		all = append(all, below(i, s.Items.checkAll(v))...)
	}
	return all
}

func (s *Schema) members(object map[string]any) []Problem {
	names := slices.Sorted(maps.Keys(s.Properties))
	var all []Problem
	for _, name := range slices.Sorted(maps.Keys(object)) {
		p := s.Properties[name]
		if p == nil {
			all = append(all, Problem{[]any{name}, fmt.Sprintf("there is no parameter of this name%s: write one of %s", spelling.DidYouMean(name, names), strings.Join(names, ", "))})
			continue
		}
		all = append(all, below(name, p.checkAll(object[name]))...)
	}
	return all
}

// checkAll is Check for what lies within another value, where nothing will come.
func (s *Schema) checkAll(v any) []Problem {
	all := s.Check(v)
	if object, ok := v.(map[string]any); ok && s.Type == "object" {
		for _, name := range s.Missing(object) {
			all = append(all, Problem{nil, fmt.Sprintf("lacks %s, %s", name, s.Properties[name].What())})
		}
	}
	return all
}

// Missing names what is required and not there.
func (s *Schema) Missing(object map[string]any) []string {
	var names []string
	for _, name := range slices.Sorted(slices.Values(s.Required)) {
		if _, ok := object[name]; !ok && s.Properties[name].Default == nil {
			names = append(names, name)
		}
	}
	return names
}

// Complete returns the object with the defaults of what it does not have.
func (s *Schema) Complete(object map[string]any) map[string]any {
	full := make(map[string]any, len(s.Properties))
	for name, p := range s.Properties {
		if v, ok := object[name]; ok {
			full[name] = p.fill(v)
		} else if p.Default != nil {
			full[name] = p.fill(p.Default)
		}
	}
	return full
}

// fill completes objects within a value that was checked.
func (s *Schema) fill(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return s.Complete(v)
	case []any:
		filled := make([]any, len(v))
		for i, e := range v {
			filled[i] = s.Items.fill(e)
		}
		return filled
	}
	return v
}

func below(step any, problems []Problem) []Problem {
	for i := range problems {
		problems[i].Path = append([]any{step}, problems[i].Path...)
	}
	return problems
}

func (s *Schema) guess(v any) string {
	given, ok := v.(string)
	if !ok {
		return ""
	}
	var names []string
	for _, e := range s.Enum {
		if name, ok := e.(string); ok {
			names = append(names, name)
		}
	}
	return strings.TrimSuffix(spelling.DidYouMean(given, names), "?")
}

// Example is a value that the schema accepts, if one can be told, other than null.
func (s *Schema) Example() any {
	switch {
	case s.Type == "array" && len(asList(s.Default)) == 0:
		return []any{s.Items.Example()}
	case s.Default != nil:
		return s.Default
	case s.Enum != nil:
		return s.Enum[0]
	}
	switch s.Type {
	case "boolean":
		return true
	case "integer":
		if s.Minimum != nil {
			return *s.Minimum
		}
		return int64(1)
	case "object":
		object := map[string]any{}
		for name, p := range s.Properties {
			object[name] = p.Example()
		}
		return object
	}
	return "…"
}

func asList(v any) []any {
	list, _ := v.([]any)
	return list
}

// nouns are the types in words.
var nouns = map[string]string{
	"array": "a list", "boolean": "true or false", "integer": "a whole number", "null": "null", "object": "an object", "string": "a string",
}

// What says in a clause which values are accepted, as in "a whole number from 1".
func (s *Schema) What() string {
	text := nouns[s.Type]
	if s.Enum != nil {
		choices := make([]string, len(s.Enum))
		for i, e := range s.Enum {
			choices[i] = Text(e)
		}
		return "one of " + strings.Join(choices, ", ")
	}
	bound := func(n *int64, word string) {
		if n != nil {
			text += fmt.Sprintf("%s%d", word, *n)
		}
	}
	bound(s.Minimum, " from ")
	bound(s.Maximum, " to ")
	if s.Items != nil {
		text += " whose items are each " + s.Items.What()
	}
	bound(s.MinItems, ", at least ")
	bound(s.MaxItems, ", at most ")
	return text
}

// Text writes a value as ocjail.hcl has it.
func Text(v any) string {
	doc, err := json.Marshal(v)
	if err != nil { // no value of JSON
		return fmt.Sprint(v)
	}
	return string(doc)
}

// kind is the JSON Schema type of a value.
func kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case int64:
		return "integer"
	case []any:
		return "array"
	}
	return "object"
}
