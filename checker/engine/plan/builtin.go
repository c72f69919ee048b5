package plan

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// builtin is a built-in function of Rego
// (https://www.openpolicyagent.org/docs/policy-reference/builtins). A nil value
// without an error means undefined. It must not keep the slice of arguments, nor
// change an argument: they are shared.
type builtin struct {
	arity int
	call  func(m *machine, args []Value) (Value, error)
}

// builtins are those that are supported, by the names of OPA's package ast.
var builtins = merged(compareBuiltins, numberBuiltins, collectionBuiltins, objectBuiltins, stringBuiltins, patternBuiltins)

func merged(groups ...map[string]builtin) map[string]builtin {
	all := map[string]builtin{}
	for _, g := range groups {
		maps.Copy(all, g)
	}
	return all
}

// Builtins returns the names of the supported built-in functions, sorted, with the
// number of arguments of each.
func Builtins() (names []string, arity map[string]int) {
	arity = map[string]int{}
	for name, b := range builtins {
		arity[name] = b.arity
	}
	return slices.Sorted(maps.Keys(arity)), arity
}

// arg returns argument i (from 0), which must have type T.
func arg[T Value](args []Value, i int) (T, error) {
	v, ok := args[i].(T)
	if !ok {
		return v, typeError(args, i, typeName(v))
	}
	return v, nil
}

func typeError(args []Value, i int, want string) error {
	return fmt.Errorf("operand %d must be %s but got %s", i+1, want, typeName(args[i]))
}

var compareBuiltins = map[string]builtin{
	"equal":     comparing(func(c int) bool { return c == 0 }),
	"neq":       comparing(func(c int) bool { return c != 0 }),
	"lt":        comparing(func(c int) bool { return c < 0 }),
	"lte":       comparing(func(c int) bool { return c <= 0 }),
	"gt":        comparing(func(c int) bool { return c > 0 }),
	"gte":       comparing(func(c int) bool { return c >= 0 }),
	"type_name": {1, func(_ *machine, a []Value) (Value, error) { return String(typeName(a[0])), nil }},

	"is_null":    typed[Null](),
	"is_boolean": typed[Bool](),
	"is_number":  typed[Int](),
	"is_string":  typed[String](),
	"is_array":   typed[*Array](),
	"is_object":  typed[*Object](),
	"is_set":     typed[*Set](),
}

func comparing(holds func(int) bool) builtin {
	return builtin{2, func(_ *machine, a []Value) (Value, error) { return Bool(holds(compare(a[0], a[1]))), nil }}
}

func typed[T Value]() builtin {
	return builtin{1, func(_ *machine, a []Value) (Value, error) {
		_, ok := a[0].(T)
		return Bool(ok), nil
	}}
}

var numberBuiltins = map[string]builtin{
	"plus":          arithmetic(add),
	"minus":         {2, minus},
	"mul":           arithmetic(multiply),
	"div":           arithmetic(divide),
	"rem":           arithmetic(remainder),
	"abs":           {1, abs},
	"sum":           {1, func(_ *machine, a []Value) (Value, error) { return fold(a, 0, add) }},
	"product":       {1, func(_ *machine, a []Value) (Value, error) { return fold(a, 1, multiply) }},
	"numbers.range": {2, numbersRange},
}

func arithmetic(f func(x, y Int) (Int, error)) builtin {
	return builtin{2, func(_ *machine, a []Value) (Value, error) {
		x, err := arg[Int](a, 0)
		if err != nil {
			return nil, err
		}
		y, err := arg[Int](a, 1)
		if err != nil {
			return nil, err
		}
		return result(f(x, y))
	}}
}

// result keeps a typed value out of the interface where there is an error.
func result[T Value](v T, err error) (Value, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

// errNumber: OPA would go on with larger numbers or fractions.
var errNumber = fmt.Errorf("a result that is no whole number of 64 bits: %w", ErrUnsupported)

func add(x, y Int) (Int, error) {
	if y > 0 && x > math.MaxInt64-y || y < 0 && x < math.MinInt64-y {
		return 0, errNumber
	}
	return x + y, nil
}

func subtract(x, y Int) (Int, error) {
	if y < 0 && x > math.MaxInt64+y || y > 0 && x < math.MinInt64+y {
		return 0, errNumber
	}
	return x - y, nil
}

func multiply(x, y Int) (Int, error) {
	z := x * y
	if x != 0 && (z/x != y || x == -1 && y == math.MinInt64) {
		return 0, errNumber
	}
	return z, nil
}

// divide refuses 0 by a negative number too, which is "-0" to OPA.
func divide(x, y Int) (Int, error) {
	switch {
	case y == 0:
		return 0, errors.New("divide by zero")
	case x%y != 0, x == 0 && y < 0, x == math.MinInt64 && y == -1, x != Int(int32(x)), y != Int(int32(y)):
		return 0, errNumber
	}
	return x / y, nil
}

func remainder(x, y Int) (Int, error) {
	if y == 0 {
		return 0, errors.New("modulo by zero")
	}
	return x % y, nil
}

func abs(_ *machine, a []Value) (Value, error) {
	x, err := arg[Int](a, 0)
	if err == nil && x != Int(int32(x)) {
		err = errNumber // OPA rounds there
	}
	return result(max(x, -x), err)
}

// minus is of numbers or of sets.
func minus(_ *machine, a []Value) (Value, error) {
	switch x := a[0].(type) {
	case Int:
		y, err := arg[Int](a, 1)
		if err != nil {
			return nil, err
		}
		return result(subtract(x, y))
	case *Set:
		y, err := arg[*Set](a, 1)
		if err != nil {
			return nil, err
		}
		return x.filter(func(v Value) bool { return !y.has(v) }), nil
	}
	return nil, typeError(a, 0, "number or set")
}

// list returns the elements of argument i, an array or a set.
func list(args []Value, i int) ([]Value, error) {
	switch v := args[i].(type) {
	case *Array:
		return v.elems, nil
	case *Set:
		return v.elems, nil
	}
	return nil, typeError(args, i, "array or set")
}

func fold(args []Value, start Int, f func(x, y Int) (Int, error)) (Value, error) {
	elems, err := list(args, 0)
	if err != nil {
		return nil, err
	}
	total := start
	for i := range elems {
		n, err := arg[Int](elems, i)
		if err != nil {
			return nil, err
		}
		if total, err = f(total, n); err != nil {
			return nil, err
		}
	}
	return total, nil
}

// maxRange bounds numbers.range, which else could take any time.
const maxRange = 100_000

func numbersRange(_ *machine, a []Value) (Value, error) {
	from, err := arg[Int](a, 0)
	if err != nil {
		return nil, err
	}
	to, err := arg[Int](a, 1)
	if err != nil {
		return nil, err
	}
	low, high := min(from, to), max(from, to)
	n, err := subtract(high, low)
	if err != nil || n >= maxRange {
		return nil, fmt.Errorf("a range of more than %d numbers: %w", maxRange, ErrUnsupported)
	}
	r := &Array{}
	for i := range n + 1 { // to count up to high would never end at the largest number
		r.elems = append(r.elems, low+i)
	}
	if from > to {
		slices.Reverse(r.elems)
	}
	return r, nil
}

func (s *Set) filter(keep func(Value) bool) *Set {
	kept := &Set{}
	for _, v := range s.elems {
		if keep(v) {
			kept.elems = append(kept.elems, v)
		}
	}
	return kept
}
