package plan

import (
	"fmt"
	"regexp"

	"github.com/gobwas/glob"
)

var patternBuiltins = map[string]builtin{
	"glob.match":  {3, globMatch},
	"regex.match": {2, regexMatch},
}

// pattern is a compiled glob or regular expression.
type pattern interface{ MatchString(string) bool }

type globPattern struct{ *glob.Pattern }

func (p globPattern) MatchString(s string) bool { return p.Match(s) }

// compiled returns the pattern for key, made once a run.
func (m *machine) compiled(key string, compile func() (pattern, error)) (pattern, error) {
	if p, ok := m.patterns[key]; ok {
		return p, nil
	}
	p, err := compile()
	if err != nil {
		return nil, err
	}
	if m.patterns == nil {
		m.patterns = map[string]pattern{}
	}
	m.patterns[key] = p
	return p, nil
}

// globMatch takes a pattern, what * does not cross (null: nothing, []: "."),
// and a string. The library is OPA's own.
func globMatch(m *machine, a []Value) (Value, error) {
	text, err := arg[String](a, 0)
	if err != nil {
		return nil, err
	}
	by, err := delimiters(a)
	if err != nil {
		return nil, err
	}
	s, err := arg[String](a, 2)
	if err != nil {
		return nil, err
	}
	p, err := m.compiled("glob "+string(by)+" "+string(text), func() (pattern, error) {
		p, err := glob.Compile(string(text), by...)
		return globPattern{p}, err
	})
	if err != nil {
		return nil, err
	}
	return Bool(p.MatchString(string(s))), nil
}

func delimiters(a []Value) ([]rune, error) {
	if _, ok := a[1].(Null); ok {
		return nil, nil
	}
	if _, ok := a[1].(*Array); !ok {
		return nil, typeError(a, 1, "array or null")
	}
	each, err := texts(a, 1)
	if err != nil {
		return nil, err
	}
	by := make([]rune, len(each))
	for i, s := range each {
		runes := []rune(s)
		if len(runes) != 1 {
			return nil, fmt.Errorf("operand 2 must hold single characters but has %q", s)
		}
		by[i] = runes[0]
	}
	if len(by) == 0 {
		by = []rune{'.'}
	}
	return by, nil
}

func regexMatch(m *machine, a []Value) (Value, error) {
	text, s, err := two(a)
	if err != nil {
		return nil, err
	}
	p, err := m.compiled("regex "+text, func() (pattern, error) { return regexp.Compile(text) })
	if err != nil {
		return nil, err
	}
	return Bool(p.MatchString(s)), nil
}
