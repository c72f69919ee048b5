package opa

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/topdown/builtins"
)

// Function finds a built-in function of Rego's for a module that leaves it to its
// host: OPA's own, so that a rule finds the same as it does from source. What looks
// beyond the input is refused, as it is in rules in Rego. Operands and result are in
// Rego's notation; no result stands for undefined.
func Function(name string) (func(ctx context.Context, operands [][]byte) ([]byte, error), error) {
	i := slices.IndexFunc(ast.Builtins, func(b *ast.Builtin) bool { return b.Name == name })
	call := topdown.GetBuiltin(name)
	if i < 0 || call == nil {
		return nil, fmt.Errorf("calls %s, which this ocjail's OPA does not have", name)
	}
	if ast.Builtins[i].IsNondeterministic() {
		return nil, fmt.Errorf("calls %s: nothing that looks beyond the input can be called; the time is input.now", name)
	}
	arity := ast.Builtins[i].Decl.Arity()
	return func(ctx context.Context, operands [][]byte) ([]byte, error) {
		if len(operands) != arity {
			return nil, fmt.Errorf("%s: %d operands, not %d", name, len(operands), arity)
		}
		result, err := answer(ctx, call, operands)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return result, nil
	}, nil
}

func answer(ctx context.Context, call topdown.BuiltinFunc, operands [][]byte) ([]byte, error) {
	args := make([]*ast.Term, len(operands))
	for i, text := range operands {
		var err error
		// A byte-order mark, which can only be in a string, is an error to the parser.
		text = bytes.ReplaceAll(text, []byte("\ufeff"), []byte(`\ufeff`))
		if args[i], err = ast.ParseTerm(string(text)); err != nil {
			return nil, fmt.Errorf("operand %d: %w", i+1, err)
		}
	}
	var result *ast.Term
	given := topdown.BuiltinContext{
		Context: ctx, Cancel: topdown.NewCancel(), Time: ast.NumberTerm("0"), Cache: builtins.Cache{}, Seed: zeros{},
		Capabilities: ast.CapabilitiesForThisVersion(),
	}
	err := call(given, args, func(t *ast.Term) error {
		result = t
		return nil
	})
	if err != nil || result == nil {
		return nil, err
	}
	return appendTerm(nil, result)
}

// appendTerm writes what opa_value_parse of a module reads: Rego's notation, with the
// strings as in JSON, where Term.String has Go's escapes.
func appendTerm(b []byte, t *ast.Term) ([]byte, error) {
	switch v := t.Value.(type) {
	case ast.String:
		return appendQuoted(b, string(v))
	case *ast.Array:
		list := make([]*ast.Term, v.Len())
		for i := range list {
			list[i] = v.Elem(i)
		}
		return appendList(b, '[', list, ']')
	case ast.Set:
		if v.Len() > 0 {
			return appendList(b, '{', v.Slice(), '}')
		}
	case ast.Object:
		b = append(b, '{')
		for i, key := range v.Keys() {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = appendTerm(b, key); err != nil {
				return nil, err
			}
			if b, err = appendTerm(append(b, ':'), v.Get(key)); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	}
	return append(b, t.String()...), nil
}

func appendList(b []byte, begin byte, list []*ast.Term, end byte) ([]byte, error) {
	b = append(b, begin)
	for i, t := range list {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendTerm(b, t); err != nil {
			return nil, err
		}
	}
	return append(b, end), nil
}

func appendQuoted(b []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, errors.New("its result has text that is not UTF-8")
	}
	var doc bytes.Buffer
	e := json.NewEncoder(&doc)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return nil, err
	}
	return append(b, bytes.TrimSuffix(doc.Bytes(), []byte("\n"))...), nil
}
