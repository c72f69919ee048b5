package plan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Function finds a built-in function for whoever has Rego evaluated elsewhere, as in
// a module of OPA's. Operands and result are in Rego's notation, which is JSON with
// sets and with keys of any type; no result stands for undefined. Whatever is not
// known here, or fails, is an ErrUnsupported: what it comes to, OPA says.
func Function(name string) (func(ctx context.Context, operands [][]byte) ([]byte, error), error) {
	b, ok := builtins[name]
	if !ok {
		return nil, fmt.Errorf("built-in %s: %w", name, ErrUnsupported)
	}
	return func(ctx context.Context, operands [][]byte) ([]byte, error) {
		result, err := b.answer(ctx, operands)
		if err != nil && !errors.Is(err, ErrUnsupported) {
			err = fmt.Errorf("%w: %w", err, ErrUnsupported)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return result, nil
	}, nil
}

func (b builtin) answer(ctx context.Context, operands [][]byte) ([]byte, error) {
	if len(operands) != b.arity {
		return nil, fmt.Errorf("%d operands, not %d", len(operands), b.arity)
	}
	args := make([]Value, len(operands))
	for i, text := range operands {
		var err error
		if args[i], err = ParseTerm(text); err != nil {
			return nil, fmt.Errorf("operand %d: %w", i+1, err)
		}
	}
	v, err := b.call(&machine{ctx: ctx}, args)
	if err != nil || v == nil {
		return nil, err
	}
	return appendTerm(nil, v)
}

// ParseTerm reads a value in Rego's notation, as opa_value_dump of a module writes
// it: JSON, and beside it sets and keys that are no strings.
func ParseTerm(text []byte) (Value, error) {
	p := &parser{text: string(text), terms: true}
	return p.document()
}

// emptySet is how a set of nothing is written.
const emptySet = "set()"

// braced reads an object or a set.
func (p *parser) braced(depth int) (Value, error) {
	p.at++
	var keys, values []Value
	isObject := false
	for first := true; ; first = false {
		if first && p.take('}') {
			return &Object{}, nil
		}
		key, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		if pair := p.take(':'); first {
			isObject = pair
		} else if pair != isObject {
			return nil, errSyntax
		}
		keys = append(keys, key)
		if isObject {
			v, err := p.value(depth)
			if err != nil {
				return nil, err
			}
			values = append(values, v)
		}
		if p.take('}') {
			return collection(keys, values)
		}
		if !p.take(',') {
			return nil, errSyntax
		}
	}
}

// collection is an object, or a set if there are no values.
func collection(keys, values []Value) (Value, error) {
	if values == nil {
		return newSet(keys), nil
	}
	o := &Object{}
	for i, key := range keys {
		if o.get(key) != nil {
			return nil, fmt.Errorf("the key %s twice in an object", Text(key))
		}
		o.set(key, values[i])
	}
	return o, nil
}

// appendTerm writes what opa_value_parse of a module reads: Rego's notation, with
// the strings as in JSON.
func appendTerm(b []byte, v Value) ([]byte, error) {
	switch v := v.(type) {
	case String:
		return appendQuoted(b, string(v))
	case *Array:
		return appendTerms(b, '[', v.elems, ']')
	case *Set:
		if len(v.elems) == 0 {
			return append(b, emptySet...), nil
		}
		return appendTerms(b, '{', v.elems, '}')
	case *Object:
		b = append(b, '{')
		for i, key := range v.keys {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = appendTerm(b, key); err != nil {
				return nil, err
			}
			if b, err = appendTerm(append(b, ':'), v.values[i]); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	}
	return appendText(b, v), nil
}

func appendTerms(b []byte, begin byte, list []Value, end byte) ([]byte, error) {
	b = append(b, begin)
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendTerm(b, v); err != nil {
			return nil, err
		}
	}
	return append(b, end), nil
}

func appendQuoted(b []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, errors.New("text that is not UTF-8")
	}
	var doc bytes.Buffer
	e := json.NewEncoder(&doc)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return nil, err
	}
	return append(b, bytes.TrimSuffix(doc.Bytes(), []byte("\n"))...), nil
}
