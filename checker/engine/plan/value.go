package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Value is a Rego value: Null, Bool, Int, String, *Array, *Object or *Set. The
// nil Value is "undefined", which is no value. Numbers are whole and fit 64 bits,
// for the policy input and the pack hold no others; any other number is an error
// where it would come up.
type Value interface {
	// rank orders values of different types, as OPA's ast.Compare does.
	rank() int
}

type (
	// Null is JSON's null.
	Null struct{}
	// Bool is true or false.
	Bool bool
	// Int is a number.
	Int int64
	// String is text in UTF-8.
	String string
	// Array is a list.
	Array struct{ elems []Value }
	// Set has its elements in order, no two of them equal.
	Set struct{ elems []Value }
	// Object has its keys in order, no two of them equal. The order is kept at
	// every change, so reading changes nothing and needs no lock; a look-up is a
	// binary search.
	Object struct{ keys, values []Value }
)

func (Null) rank() int    { return 0 }
func (Bool) rank() int    { return 1 }
func (Int) rank() int     { return 2 }
func (String) rank() int  { return 3 }
func (*Array) rank() int  { return 4 }
func (*Object) rank() int { return 5 }
func (*Set) rank() int    { return 6 }

// typeNames are those of Rego's type_name, by rank.
var typeNames = [...]string{"null", "boolean", "number", "string", "array", "object", "set"}

// typeName is Rego's word for the type of v.
func typeName(v Value) string {
	if v == nil {
		return "undefined"
	}
	return typeNames[v.rank()]
}

// compare orders values as OPA does: by type, then numbers by size, text by
// bytes, collections element by element and then by length.
func compare(a, b Value) int {
	if c := cmp.Compare(a.rank(), b.rank()); c != 0 {
		return c
	}
	switch a := a.(type) {
	case Bool:
		if a == b.(Bool) {
			return 0
		} else if b.(Bool) {
			return -1
		}
		return 1
	case Int:
		return cmp.Compare(a, b.(Int))
	case String:
		return strings.Compare(string(a), string(b.(String)))
	case *Array:
		return slices.CompareFunc(a.elems, b.(*Array).elems, compare)
	case *Set:
		return slices.CompareFunc(a.elems, b.(*Set).elems, compare)
	case *Object:
		return a.compare(b.(*Object))
	}
	return 0 // Null
}

func (o *Object) compare(other *Object) int {
	for i := range min(len(o.keys), len(other.keys)) {
		if c := cmp.Or(compare(o.keys[i], other.keys[i]), compare(o.values[i], other.values[i])); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(o.keys), len(other.keys))
}

// equal is compare(a, b) == 0, quicker where the types tell.
func equal(a, b Value) bool {
	if x, ok := a.(String); ok {
		y, ok := b.(String)
		return ok && x == y
	}
	return compare(a, b) == 0
}

// search finds v in sorted values.
func search(sorted []Value, v Value) (int, bool) {
	text, ok := v.(String)
	if !ok {
		return slices.BinarySearchFunc(sorted, v, compare)
	}
	low, high := 0, len(sorted)
	for low < high {
		middle := (low + high) / 2
		c := cmp.Compare(sorted[middle].rank(), text.rank())
		if c == 0 {
			c = strings.Compare(string(sorted[middle].(String)), string(text))
		}
		switch {
		case c == 0:
			return middle, true
		case c < 0:
			low = middle + 1
		default:
			high = middle
		}
	}
	return low, false
}

// newSet returns the set of the values, which it takes over.
func newSet(values []Value) *Set {
	slices.SortFunc(values, compare)
	return &Set{slices.CompactFunc(values, equal)}
}

func (s *Set) has(v Value) bool {
	_, ok := search(s.elems, v)
	return ok
}

func (s *Set) add(v Value) {
	if i, ok := search(s.elems, v); !ok {
		s.elems = slices.Insert(s.elems, i, v)
	}
}

// get returns nil for an absent key.
func (o *Object) get(key Value) Value {
	if i, ok := search(o.keys, key); ok {
		return o.values[i]
	}
	return nil
}

// set adds the key or replaces its value.
func (o *Object) set(key, value Value) {
	i, ok := search(o.keys, key)
	if ok {
		o.values[i] = value
		return
	}
	o.keys = slices.Insert(o.keys, i, key)
	o.values = slices.Insert(o.values, i, value)
}

// get is a reference such as a[b]: the value of a key, the element at an index,
// the element of a set itself; nil where there is none.
func get(from, key Value) Value {
	switch from := from.(type) {
	case *Object:
		return from.get(key)
	case *Array:
		if i, ok := key.(Int); ok && i >= 0 && int64(i) < int64(len(from.elems)) {
			return from.elems[i]
		}
	case *Set:
		if from.has(key) {
			return key
		}
	}
	return nil
}

// Text writes v as OPA prints it, in sprintf for instance.
func Text(v Value) string { return string(appendText(nil, v)) }

func appendText(b []byte, v Value) []byte {
	switch v := v.(type) {
	case Null:
		return append(b, "null"...)
	case Bool:
		return strconv.AppendBool(b, bool(v))
	case Int:
		return strconv.AppendInt(b, int64(v), 10)
	case String:
		return strconv.AppendQuote(b, string(v))
	case *Array:
		return append(appendList(append(b, '['), v.elems), ']')
	case *Set:
		if len(v.elems) == 0 {
			return append(b, "set()"...)
		}
		return append(appendList(append(b, '{'), v.elems), '}')
	case *Object:
		b = append(b, '{')
		for i, key := range v.keys {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = appendText(append(appendText(b, key), ": "...), v.values[i])
		}
		return append(b, '}')
	}
	panic(fmt.Sprintf("plan: no text for %T", v))
}

func appendList(b []byte, list []Value) []byte {
	for i, v := range list {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = appendText(b, v)
	}
	return b
}

// NewArray returns the array of the values.
func NewArray(values ...Value) *Array { return &Array{values} }

// Get is what key names in v; nil where there is none.
func Get(v, key Value) Value { return get(v, key) }

// Elements returns the elements of an array or a set, which stay the value's own.
func Elements(v Value) (elems []Value, ok bool) {
	switch v := v.(type) {
	case *Array:
		return v.elems, true
	case *Set:
		return v.elems, true
	}
	return nil, false
}
