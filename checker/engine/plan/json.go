package plan

import (
	"encoding/json"
	"errors"
	"fmt"
)

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
