package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a JSON document; the policy input has six levels.
const maxDepth = 64

// ParseJSON reads one JSON document (RFC 8259). A key that comes twice in an
// object is an error, as is text that is not UTF-8.
//
// Package encoding/json would take most of the time that a verdict takes: it makes
// maps and boxed values, which would have to be made anew here. A fuzz test holds
// this parser to it.
func ParseJSON(doc []byte) (Value, error) {
	return (&parser{text: string(doc)}).document()
}

func (p *parser) document() (Value, error) {
	v, err := p.value(0)
	if err == nil {
		if p.space(); p.at < len(p.text) {
			err = errors.New("more than one value")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("JSON at byte %d: %w", p.at, err)
	}
	return v, nil
}

type parser struct {
	text   string
	at     int
	terms  bool // it is Rego's notation: see ParseTerm
	shapes []shape
	// keys and values are those of the objects and arrays that are being read, the
	// innermost last.
	keys   []string
	values []Value
}

// shape is the keys that an object has: most objects have those of another.
type shape struct {
	written []string // in the order of the document
	sorted  []Value
	place   []int // in sorted, of each that is written
}

var (
	errEnd    = errors.New("cut short")
	errSyntax = errors.New("unexpected character")
)

func (p *parser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// next skips white space and returns the character there, 0 at the end.
func (p *parser) next() byte {
	if p.space(); p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

// take skips white space and the character c, if it is there.
func (p *parser) take(c byte) bool {
	if p.next() != c {
		return false
	}
	p.at++
	return true
}

func (p *parser) value(depth int) (Value, error) {
	if depth >= maxDepth {
		return nil, fmt.Errorf("nested more than %d deep: %w", maxDepth, ErrUnsupported)
	}
	switch c := p.next(); {
	case c == '{' && p.terms:
		return p.braced(depth + 1)
	case c == '{':
		return p.object(depth + 1)
	case c == '[':
		return p.array(depth + 1)
	case c == '"':
		s, err := p.string()
		return result(String(s), err)
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case c == 0 && p.at == len(p.text):
		return nil, errEnd
	}
	return p.literal()
}

func (p *parser) literal() (Value, error) {
	if p.terms && strings.HasPrefix(p.text[p.at:], emptySet) {
		p.at += len(emptySet)
		return &Set{}, nil
	}
	for _, l := range literals {
		if strings.HasPrefix(p.text[p.at:], l.word) {
			p.at += len(l.word)
			return l.value, nil
		}
	}
	return nil, errSyntax
}

var literals = [...]struct {
	word  string
	value Value
}{{"null", Null{}}, {"true", Bool(true)}, {"false", Bool(false)}}

func (p *parser) number() (Value, error) {
	end := p.at
	for end < len(p.text) && strings.IndexByte("+-.0123456789eE", p.text[end]) >= 0 {
		end++
	}
	v, err := parseInt(p.text[p.at:end])
	if err == nil {
		p.at = end
	}
	return v, err
}

// parseInt reads a number as JSON writes it.
func parseInt(s string) (Value, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != s {
		return nil, fmt.Errorf("number %s, for only whole numbers of 64 bits are understood: %w", s, ErrUnsupported)
	}
	return Int(n), nil
}

func (p *parser) string() (string, error) {
	begin := p.at
	escaped := false
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return unquote(p.text[begin:p.at], escaped)
		case c == '\\':
			escaped = true
			p.at++
		case c < ' ':
			return "", errors.New("control character in a string")
		}
	}
	return "", errEnd
}

func unquote(literal string, escaped bool) (string, error) {
	s := literal[1 : len(literal)-1]
	if !utf8.ValidString(s) {
		return "", errors.New("text that is not UTF-8")
	}
	if escaped {
		err := json.Unmarshal([]byte(literal), &s)
		return s, err
	}
	return s, nil
}

func (p *parser) array(depth int) (Value, error) {
	p.at++
	begin := len(p.values)
	for first := true; ; first = false {
		if first && p.take(']') {
			return &Array{}, nil
		}
		v, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		p.values = append(p.values, v)
		if p.take(']') {
			a := &Array{slices.Clone(p.values[begin:])}
			p.values = p.values[:begin]
			return a, nil
		}
		if !p.take(',') {
			return nil, errSyntax
		}
	}
}

func (p *parser) object(depth int) (Value, error) {
	p.at++
	keys, values := len(p.keys), len(p.values)
	for first := true; ; first = false {
		if first && p.take('}') {
			return &Object{}, nil
		}
		if p.next() != '"' {
			return nil, errSyntax
		}
		key, err := p.string()
		if err != nil {
			return nil, err
		}
		if !p.take(':') {
			return nil, errSyntax
		}
		p.keys = append(p.keys, key)
		v, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		p.values = append(p.values, v)
		if p.take('}') {
			o, err := p.shaped(p.keys[keys:], p.values[values:])
			p.keys, p.values = p.keys[:keys], p.values[:values]
			return o, err
		}
		if !p.take(',') {
			return nil, errSyntax
		}
	}
}

// shaped makes an object. Objects of one shape share their keys, so the slice has
// no room in which one of them could put another key.
func (p *parser) shaped(keys []string, values []Value) (Value, error) {
	i := slices.IndexFunc(p.shapes, func(s shape) bool { return slices.Equal(s.written, keys) })
	if i < 0 {
		s, err := newShape(keys)
		if err != nil {
			return nil, err
		}
		if len(p.shapes) == maxShapes {
			p.shapes = p.shapes[:0]
		}
		i = len(p.shapes)
		p.shapes = append(p.shapes, s)
	}
	o := &Object{p.shapes[i].sorted, make([]Value, len(values))}
	for j, v := range values {
		o.values[p.shapes[i].place[j]] = v
	}
	return o, nil
}

func newShape(keys []string) (shape, error) {
	s := shape{slices.Clone(keys), make([]Value, len(keys)), make([]int, len(keys))}
	for i, key := range keys {
		s.sorted[i] = String(key)
	}
	slices.SortFunc(s.sorted, compare)
	for i, key := range keys {
		s.place[i], _ = search(s.sorted, String(key))
		if i > 0 && equal(s.sorted[i-1], s.sorted[i]) {
			return s, fmt.Errorf("the key %s twice in an object", Text(s.sorted[i]))
		}
	}
	return s, nil
}

// maxShapes are remembered; the policy input has about twenty.
const maxShapes = 32
