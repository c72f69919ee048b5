package plan

var objectBuiltins = map[string]builtin{
	"object.get":    {3, objectGet},
	"object.keys":   {1, objectKeys},
	"object.union":  {2, objectUnion},
	"object.remove": {2, func(_ *machine, a []Value) (Value, error) { return objectSelect(a, false) }},
	"object.filter": {2, func(_ *machine, a []Value) (Value, error) { return objectSelect(a, true) }},
}

// objectGet follows a key, or a path of keys and indices that is an array.
func objectGet(_ *machine, a []Value) (Value, error) {
	o, err := arg[*Object](a, 0)
	if err != nil {
		return nil, err
	}
	path, ok := a[1].(*Array)
	if !ok {
		path = &Array{[]Value{a[1]}}
	}
	var v Value = o
	for _, key := range path.elems {
		if v = get(v, key); v == nil {
			return a[2], nil
		}
	}
	return v, nil
}

func objectKeys(_ *machine, a []Value) (Value, error) {
	o, err := arg[*Object](a, 0)
	if err != nil {
		return nil, err
	}
	return &Set{o.keys[:len(o.keys):len(o.keys)]}, nil
}

func objectUnion(_ *machine, a []Value) (Value, error) {
	x, err := arg[*Object](a, 0)
	if err != nil {
		return nil, err
	}
	y, err := arg[*Object](a, 1)
	if err != nil {
		return nil, err
	}
	return merge(x, y), nil
}

// merge returns the keys of both; y's value counts where both have one, unless
// both values are objects, which are merged.
func merge(x, y *Object) *Object {
	m := &Object{append(make([]Value, 0, len(x.keys)+len(y.keys)), x.keys...), append(make([]Value, 0, len(x.keys)+len(y.keys)), x.values...)}
	for i, key := range y.keys {
		v := y.values[i]
		below, ok := v.(*Object)
		if old, both := m.get(key).(*Object); ok && both {
			v = merge(old, below)
		}
		m.set(key, v)
	}
	return m
}

// objectSelect keeps the pairs whose key is named, or those whose key is not.
func objectSelect(a []Value, named bool) (Value, error) {
	o, err := arg[*Object](a, 0)
	if err != nil {
		return nil, err
	}
	var names *Set
	switch n := a[1].(type) {
	case *Object:
		names = &Set{n.keys}
	case *Set:
		names = n
	case *Array:
		names = newSet(append([]Value(nil), n.elems...))
	default:
		return nil, typeError(a, 1, "object, set or array")
	}
	kept := &Object{}
	for i, key := range o.keys {
		if names.has(key) == named {
			kept.keys, kept.values = append(kept.keys, key), append(kept.values, o.values[i])
		}
	}
	return kept, nil
}
