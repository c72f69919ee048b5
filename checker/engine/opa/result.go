package opa

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// findings reads what the rule returned: a set or an array.
func (e entry) findings(v ast.Value) ([]finding.Finding, error) {
	var terms []*ast.Term
	switch v := v.(type) {
	case ast.Set:
		terms = v.Slice()
	case *ast.Array:
		v.Foreach(func(t *ast.Term) { terms = append(terms, t) })
	default:
		return nil, fmt.Errorf("returned %s: must be a set of findings", ast.ValueName(v))
	}
	var fs []finding.Finding
	for _, t := range terms {
		read := e.own
		if e.conftest {
			read = e.foreign
		}
		f, err := read(t)
		if err != nil {
			return nil, fmt.Errorf("finding %s: %w", t, err)
		}
		fs = append(fs, f)
	}
	return fs, nil
}

// own reads {"message", "subject", "remedy"?, "severity"?}.
func (e entry) own(t *ast.Term) (finding.Finding, error) {
	v, err := ast.JSON(t.Value)
	if err != nil {
		return finding.Finding{}, err
	}
	doc, err := json.Marshal(v)
	if err != nil {
		return finding.Finding{}, err
	}
	return e.Finding(doc)
}

// foreign reads what conftest reads: a string, or an object whose "msg" is one
// and whose other keys are the author's own.
func (e entry) foreign(t *ast.Term) (finding.Finding, error) {
	f := e.Blank()
	f.Subject = finding.Subject{Kind: "config", Name: e.ID}
	v := t.Value
	if object, ok := v.(ast.Object); ok {
		msg := object.Get(ast.StringTerm("msg"))
		if msg == nil {
			return f, errors.New(`an object must have "msg"`)
		}
		v = msg.Value
	}
	s, ok := v.(ast.String)
	if !ok || s == "" {
		return f, errors.New(`must be a message or {"msg": message}`)
	}
	f.Message = string(s)
	return f, nil
}
