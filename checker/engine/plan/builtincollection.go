package plan

import (
	"slices"
	"unicode/utf8"
)

var collectionBuiltins = map[string]builtin{
	"count":             {1, count},
	"max":               {1, func(_ *machine, a []Value) (Value, error) { return extreme(a, slices.MaxFunc[[]Value]) }},
	"min":               {1, func(_ *machine, a []Value) (Value, error) { return extreme(a, slices.MinFunc[[]Value]) }},
	"sort":              {1, sortBuiltin},
	"array.concat":      {2, arrayConcat},
	"array.reverse":     {1, arrayReverse},
	"array.slice":       {3, arraySlice},
	"and":               {2, and},
	"or":                {2, or},
	"union":             {1, union},
	"intersection":      {1, intersection},
	"internal.member_2": {2, func(_ *machine, a []Value) (Value, error) { return Bool(member(a[0], a[1])), nil }},
	"internal.member_3": {3, memberWithKey},
}

func count(_ *machine, a []Value) (Value, error) {
	if s, ok := a[0].(String); ok {
		return Int(utf8.RuneCountInString(string(s))), nil
	}
	n, ok := length(a[0])
	if !ok {
		return nil, typeError(a, 0, "array, object, set or string")
	}
	return Int(n), nil
}

// extreme is undefined for no elements.
func extreme(a []Value, choose func([]Value, func(a, b Value) int) Value) (Value, error) {
	elems, err := list(a, 0)
	if err != nil || len(elems) == 0 {
		return nil, err
	}
	return choose(elems, compare), nil
}

func sortBuiltin(_ *machine, a []Value) (Value, error) {
	elems, err := list(a, 0)
	if err != nil {
		return nil, err
	}
	s := slices.Clone(elems)
	slices.SortStableFunc(s, compare)
	return &Array{s}, nil
}

func arrayConcat(_ *machine, a []Value) (Value, error) {
	x, err := arg[*Array](a, 0)
	if err != nil {
		return nil, err
	}
	y, err := arg[*Array](a, 1)
	if err != nil {
		return nil, err
	}
	return &Array{slices.Concat(x.elems, y.elems)}, nil
}

func arrayReverse(_ *machine, a []Value) (Value, error) {
	x, err := arg[*Array](a, 0)
	if err != nil {
		return nil, err
	}
	elems := slices.Clone(x.elems)
	slices.Reverse(elems)
	return &Array{elems}, nil
}

func arraySlice(_ *machine, a []Value) (Value, error) {
	x, err := arg[*Array](a, 0)
	if err != nil {
		return nil, err
	}
	from, err := arg[Int](a, 1)
	if err != nil {
		return nil, err
	}
	to, err := arg[Int](a, 2)
	if err != nil {
		return nil, err
	}
	to = min(max(to, 0), Int(len(x.elems)))
	from = min(max(from, 0), to)
	return &Array{x.elems[from:to:to]}, nil
}

// sets returns the elements of the set v[i], which must be sets themselves.
func sets(args []Value, i int) ([]*Set, error) {
	outer, err := arg[*Set](args, i)
	if err != nil {
		return nil, err
	}
	inner := make([]*Set, len(outer.elems))
	for j := range inner {
		if inner[j], err = arg[*Set](outer.elems, j); err != nil {
			return nil, err
		}
	}
	return inner, nil
}

func and(_ *machine, a []Value) (Value, error) {
	x, err := arg[*Set](a, 0)
	if err != nil {
		return nil, err
	}
	y, err := arg[*Set](a, 1)
	if err != nil {
		return nil, err
	}
	return x.filter(y.has), nil
}

func or(_ *machine, a []Value) (Value, error) {
	x, err := arg[*Set](a, 0)
	if err != nil {
		return nil, err
	}
	y, err := arg[*Set](a, 1)
	if err != nil {
		return nil, err
	}
	return newSet(slices.Concat(x.elems, y.elems)), nil
}

func union(_ *machine, a []Value) (Value, error) {
	all, err := sets(a, 0)
	if err != nil {
		return nil, err
	}
	var elems []Value
	for _, s := range all {
		elems = append(elems, s.elems...)
	}
	return newSet(elems), nil
}

func intersection(_ *machine, a []Value) (Value, error) {
	all, err := sets(a, 0)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return &Set{}, nil
	}
	common := all[0]
	for _, s := range all[1:] {
		common = common.filter(s.has)
	}
	return common, nil
}

// member is Rego's `v in collection`.
func member(v, collection Value) bool {
	same := func(e Value) bool { return equal(e, v) }
	switch c := collection.(type) {
	case *Set:
		return c.has(v)
	case *Array:
		return slices.ContainsFunc(c.elems, same)
	case *Object:
		return slices.ContainsFunc(c.values, same)
	}
	return false
}

// memberWithKey is Rego's `k, v in collection`.
func memberWithKey(_ *machine, a []Value) (Value, error) {
	v := get(a[2], a[0])
	return Bool(v != nil && equal(v, a[1])), nil
}
