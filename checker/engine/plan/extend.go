package plan

import (
	"fmt"
	"slices"
)

// Extend returns data with v put where the keys lead. A list that is there
// already is made longer; anything else that is there already is an error.
// Neither value is changed.
func Extend(data Value, keys []string, v Value) (Value, error) {
	for _, k := range slices.Backward(keys) {
		v = &Object{[]Value{String(k)}, []Value{v}}
	}
	return extend(data, v)
}

func extend(old, more Value) (Value, error) {
	switch more := more.(type) {
	case *Object:
		if old, ok := old.(*Object); ok {
			return extendObject(old, more)
		}
	case *Array:
		if old, ok := old.(*Array); ok {
			return &Array{slices.Concat(old.elems, more.elems)}, nil
		}
	}
	return nil, fmt.Errorf("a %s is defined already: only lists can be extended", typeName(old))
}

func extendObject(old, more *Object) (Value, error) {
	all := &Object{slices.Clone(old.keys), slices.Clone(old.values)}
	for i, key := range more.keys {
		v := more.values[i]
		if there := all.get(key); there != nil {
			var err error
			if v, err = extend(there, v); err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
		}
		all.set(key, v)
	}
	return all, nil
}
