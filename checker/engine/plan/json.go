package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// maxDepth bounds the nesting of a JSON document; the policy input has six levels.
const maxDepth = 64

// ParseJSON reads one JSON document.
func ParseJSON(doc []byte) (Value, error) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return fromGo(v, maxDepth)
}

// fromGo converts what package encoding/json makes of a document.
func fromGo(v any, depth int) (Value, error) {
	if depth == 0 {
		return nil, fmt.Errorf("nested more than %d deep: %w", maxDepth, ErrUnsupported)
	}
	switch v := v.(type) {
	case nil:
		return Null{}, nil
	case bool:
		return Bool(v), nil
	case string:
		return String(v), nil
	case json.Number:
		return parseInt(v.String())
	case []any:
		a := &Array{make([]Value, len(v))}
		for i, e := range v {
			var err error
			if a.elems[i], err = fromGo(e, depth-1); err != nil {
				return nil, err
			}
		}
		return a, nil
	case map[string]any:
		o := &Object{make([]Value, 0, len(v)), make([]Value, len(v))}
		for k := range v {
			o.keys = append(o.keys, String(k))
		}
		slices.SortFunc(o.keys, compare)
		for i, k := range o.keys {
			var err error
			if o.values[i], err = fromGo(v[string(k.(String))], depth-1); err != nil {
				return nil, err
			}
		}
		return o, nil
	}
	return nil, fmt.Errorf("no value for %T", v)
}

// parseInt reads a number as JSON writes it.
func parseInt(s string) (Value, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != s {
		return nil, fmt.Errorf("number %s, for only whole numbers of 64 bits are understood: %w", s, ErrUnsupported)
	}
	return Int(n), nil
}

// AppendJSON writes v; a set becomes a list. A key that is no string is an error.
func AppendJSON(b []byte, v Value) ([]byte, error) {
	goValue, err := toGo(v)
	if err != nil {
		return b, err
	}
	doc, err := json.Marshal(goValue)
	return append(b, doc...), err
}

func toGo(v Value) (any, error) {
	switch v := v.(type) {
	case Null:
		return nil, nil
	case *Array:
		return toSlice(v.elems)
	case *Set:
		return toSlice(v.elems)
	case *Object:
		m := make(map[string]any, len(v.keys))
		for i, k := range v.keys {
			key, ok := k.(String)
			if !ok {
				return nil, fmt.Errorf("an object's key is %s, not a string", Text(k))
			}
			var err error
			if m[string(key)], err = toGo(v.values[i]); err != nil {
				return nil, err
			}
		}
		return m, nil
	case nil:
		return nil, errors.New("undefined has no JSON")
	}
	return v, nil
}

func toSlice(list []Value) ([]any, error) {
	s := make([]any, len(list))
	for i, v := range list {
		var err error
		if s[i], err = toGo(v); err != nil {
			return nil, err
		}
	}
	return s, nil
}
