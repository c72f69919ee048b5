package plan

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

var stringBuiltins = map[string]builtin{
	"contains":    stringTest(strings.Contains),
	"startswith":  stringTest(strings.HasPrefix),
	"endswith":    stringTest(strings.HasSuffix),
	"lower":       {1, func(_ *machine, a []Value) (Value, error) { return mapString(a, strings.ToLower) }},
	"upper":       {1, func(_ *machine, a []Value) (Value, error) { return mapString(a, strings.ToUpper) }},
	"trim_space":  {1, func(_ *machine, a []Value) (Value, error) { return mapString(a, strings.TrimSpace) }},
	"trim":        mapStrings(strings.Trim),
	"trim_left":   mapStrings(strings.TrimLeft),
	"trim_right":  mapStrings(strings.TrimRight),
	"trim_prefix": mapStrings(strings.TrimPrefix),
	"trim_suffix": mapStrings(strings.TrimSuffix),
	"concat":      {2, concat},
	"split":       {2, split},
	"replace":     {3, replace},
	"indexof":     {2, indexOf},
	"substring":   {3, substring},
	"sprintf":     {2, sprintf},
	"format_int":  {2, formatInt},
	"to_number":   {1, toNumber},

	"strings.count":            {2, stringsCount},
	"strings.any_prefix_match": {2, func(_ *machine, a []Value) (Value, error) { return anyMatch(a, strings.HasPrefix) }},
	"strings.any_suffix_match": {2, func(_ *machine, a []Value) (Value, error) { return anyMatch(a, strings.HasSuffix) }},
}

// two returns the first two arguments, which must be strings.
func two(args []Value) (string, string, error) {
	x, err := arg[String](args, 0)
	if err != nil {
		return "", "", err
	}
	y, err := arg[String](args, 1)
	return string(x), string(y), err
}

func stringTest(test func(s, part string) bool) builtin {
	return builtin{2, func(_ *machine, a []Value) (Value, error) {
		s, part, err := two(a)
		return result(Bool(test(s, part)), err)
	}}
}

func mapString(a []Value, f func(string) string) (Value, error) {
	s, err := arg[String](a, 0)
	return result(String(f(string(s))), err)
}

func mapStrings(f func(s, with string) string) builtin {
	return builtin{2, func(_ *machine, a []Value) (Value, error) {
		s, with, err := two(a)
		return result(String(f(s, with)), err)
	}}
}

// texts returns the elements of argument i, an array or a set of strings.
func texts(args []Value, i int) ([]string, error) {
	elems, err := list(args, i)
	if err != nil {
		return nil, err
	}
	s := make([]string, len(elems))
	for j, e := range elems {
		text, ok := e.(String)
		if !ok {
			return nil, fmt.Errorf("operand %d must hold strings but has a %s", i+1, typeName(e))
		}
		s[j] = string(text)
	}
	return s, nil
}

func concat(_ *machine, a []Value) (Value, error) {
	by, err := arg[String](a, 0)
	if err != nil {
		return nil, err
	}
	parts, err := texts(a, 1)
	return result(String(strings.Join(parts, string(by))), err)
}

func split(_ *machine, a []Value) (Value, error) {
	s, by, err := two(a)
	if err != nil {
		return nil, err
	}
	parts := &Array{}
	for part := range strings.SplitSeq(s, by) {
		parts.elems = append(parts.elems, String(part))
	}
	return parts, nil
}

func replace(_ *machine, a []Value) (Value, error) {
	s, old, err := two(a)
	if err != nil {
		return nil, err
	}
	to, err := arg[String](a, 2)
	return result(String(strings.NewReplacer(old, string(to)).Replace(s)), err)
}

// indexOf counts runes; -1 is "not found".
func indexOf(_ *machine, a []Value) (Value, error) {
	s, part, err := two(a)
	if err == nil && part == "" {
		err = errors.New("empty search character")
	}
	if err != nil {
		return nil, err
	}
	i := strings.Index(s, part)
	if i > 0 {
		i = len([]rune(s[:i]))
	}
	return Int(i), nil
}

// substring counts runes; a negative length means all that is left.
func substring(_ *machine, a []Value) (Value, error) {
	s, err := arg[String](a, 0)
	if err != nil {
		return nil, err
	}
	from, err := arg[Int](a, 1)
	if err != nil {
		return nil, err
	}
	n, err := arg[Int](a, 2)
	if err != nil {
		return nil, err
	}
	if from < 0 {
		return nil, errors.New("negative offset")
	}
	runes := []rune(string(s))
	rest := runes[min(from, Int(len(runes))):]
	if n >= 0 && n < Int(len(rest)) {
		rest = rest[:n]
	}
	return String(rest), nil
}

// sprintf formats with Go's verbs: numbers as such, strings as such, and other
// values as Rego writes them.
func sprintf(_ *machine, a []Value) (Value, error) {
	format, err := arg[String](a, 0)
	if err != nil {
		return nil, err
	}
	values, err := arg[*Array](a, 1)
	if err != nil {
		return nil, err
	}
	args := make([]any, len(values.elems))
	for i, v := range values.elems {
		switch v := v.(type) {
		case Int:
			args[i] = int64(v)
		case String:
			args[i] = string(v)
		default:
			args[i] = Text(v)
		}
	}
	return String(fmt.Sprintf(string(format), args...)), nil
}

func formatInt(_ *machine, a []Value) (Value, error) {
	n, err := arg[Int](a, 0)
	if err != nil {
		return nil, err
	}
	base, err := arg[Int](a, 1)
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]Int{2, 8, 10, 16}, base) {
		return nil, errors.New("operand 2 must be one of 2, 8, 10, 16")
	}
	return String(strconv.FormatInt(int64(n), int(base))), nil
}

func toNumber(_ *machine, a []Value) (Value, error) {
	switch v := a[0].(type) {
	case Null:
		return Int(0), nil
	case Bool:
		if v {
			return Int(1), nil
		}
		return Int(0), nil
	case Int:
		return v, nil
	case String:
		return parseInt(string(v))
	}
	return nil, typeError(a, 0, "null, boolean, number or string")
}

func stringsCount(_ *machine, a []Value) (Value, error) {
	s, part, err := two(a)
	return result(Int(strings.Count(s, part)), err)
}

// anyMatch tells whether any of the first strings matches any of the second; one
// string may stand for a list of it.
func anyMatch(a []Value, match func(s, part string) bool) (Value, error) {
	var sides [2][]string
	for i := range sides {
		if s, ok := a[i].(String); ok {
			sides[i] = []string{string(s)}
			continue
		}
		var err error
		if sides[i], err = texts(a, i); err != nil {
			return nil, err
		}
	}
	return Bool(slices.ContainsFunc(sides[0], func(s string) bool {
		return slices.ContainsFunc(sides[1], func(part string) bool { return match(s, part) })
	})), nil
}
