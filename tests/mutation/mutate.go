// Package mutation asks whether the tests of the rule pack would notice a mistake:
// it changes one condition of one rule at a time and expects a test to fail.
package mutation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// mutator changes one thing in a module: the one with the number wanted, in the
// order of the text. With a negative number it changes nothing and names them all.
type mutator struct {
	wanted int
	names  []string
	rule   string // that is being looked at
}

// Mutations names what can be changed in m, in the order of its text.
func Mutations(m *ast.Module) []string {
	mu := &mutator{wanted: -1}
	mu.module(m.Copy())
	return mu.names
}

// Mutate returns a copy of m with the change of that number.
func Mutate(m *ast.Module, number int) *ast.Module {
	m = m.Copy()
	(&mutator{wanted: number}).module(m)
	return m
}

// hit tells whether the next change is the one to make.
func (mu *mutator) hit(format string, args ...any) bool {
	mu.names = append(mu.names, mu.rule+": "+fmt.Sprintf(format, args...))
	return len(mu.names)-1 == mu.wanted
}

func (mu *mutator) module(m *ast.Module) {
	for i, r := range m.Rules {
		mu.rule = r.Head.Ref().String()
		if n := nth(m.Rules[:i+1], r); n > 1 {
			mu.rule = fmt.Sprintf("%s (%d)", mu.rule, n)
		}
		if mu.hit("without it") {
			m.Rules = slices.Delete(m.Rules, i, i+1)
			return
		}
		mu.definition(r)
	}
}

// nth counts the definitions with r's name up to r.
func nth(rules []*ast.Rule, r *ast.Rule) int {
	n := 0
	for _, other := range rules {
		if other.Head.Ref().Equal(r.Head.Ref()) {
			n++
		}
	}
	return n
}

func (mu *mutator) definition(r *ast.Rule) {
	for _, t := range []*ast.Term{r.Head.Key, r.Head.Value} {
		if t != nil {
			mu.term(t)
		}
	}
	mu.body(&r.Body)
	if r.Else != nil {
		if mu.hit("without else := %s", r.Else.Head.Value) {
			r.Else = nil
			return
		}
		mu.definition(r.Else)
	}
}

func (mu *mutator) body(b *ast.Body) {
	for i, e := range *b {
		if e.Location == nil || e.String() == "true" {
			continue
		}
		if mu.hit("without %s", text(e)) {
			if *b = slices.Delete(*b, i, i+1); len(*b) == 0 {
				*b = ast.NewBody(ast.NewExpr(ast.BooleanTerm(true)))
			}
			return
		}
		mu.expr(e)
	}
}

// text is the condition as it is written, on one line.
func text(e *ast.Expr) string { return strings.Join(strings.Fields(string(e.Location.Text)), " ") }

// boundary are the comparisons that differ in one point.
var boundary = map[string]*ast.Builtin{
	"lt": ast.LessThanEq, "lte": ast.LessThan, "gt": ast.GreaterThanEq, "gte": ast.GreaterThan,
}

func (mu *mutator) expr(e *ast.Expr) {
	_, some := e.Terms.(*ast.SomeDecl)
	if !some && !e.IsAssignment() && mu.hit("negated %s", text(e)) {
		e.Negated = !e.Negated
	}
	switch terms := e.Terms.(type) {
	case *ast.SomeDecl:
		for _, t := range terms.Symbols {
			mu.term(t)
		}
	case *ast.Every:
		mu.term(terms.Domain)
		mu.body(&terms.Body)
	case *ast.Term:
		mu.term(terms)
	case []*ast.Term:
		if other := boundary[terms[0].String()]; other != nil && mu.hit("%s in place of %s", other.Name, text(e)) {
			terms[0] = ast.NewTerm(other.Ref())
		}
		for _, t := range terms[1:] {
			mu.term(t)
		}
	}
}

// unjudged are the functions whose texts no verdict hangs on: prose, remedies, and the kinds
// of subjects, which the engine checks.
var unjudged = []string{"sprintf", "concat", "findings.new", "findings.add", "findings.watched"}

func (mu *mutator) term(t *ast.Term) {
	switch v := t.Value.(type) {
	case *ast.ArrayComprehension:
		mu.term(v.Term)
		mu.body(&v.Body)
	case *ast.SetComprehension:
		mu.term(v.Term)
		mu.body(&v.Body)
	case *ast.ObjectComprehension:
		mu.term(v.Value)
		mu.body(&v.Body)
	case ast.Call:
		mu.call(v)
	case ast.Set:
		mu.elements(t, v.Slice(), func(rest []*ast.Term) ast.Value { return ast.NewSet(rest...) })
	case *ast.Array:
		var all []*ast.Term
		v.Foreach(func(e *ast.Term) { all = append(all, e) })
		mu.elements(t, all, func(rest []*ast.Term) ast.Value { return ast.NewArray(rest...) })
	case ast.Object:
		mu.entries(t, v)
	}
}

func (mu *mutator) call(c ast.Call) {
	speaks := slices.Contains(unjudged, c[0].String())
	for i, a := range c[1:] {
		s, ok := a.Value.(ast.String)
		prose := strings.ContainsRune(string(s), ' ')
		if ok && !speaks && !prose && mu.hit("another word in place of %s in %s", a, c[0]) {
			c[i+1] = ast.StringTerm("another-word")
		}
		if _, nested := a.Value.(ast.Call); nested || !speaks {
			mu.term(a)
		}
	}
}

// elements drops one of a list.
func (mu *mutator) elements(t *ast.Term, all []*ast.Term, build func([]*ast.Term) ast.Value) {
	for i, e := range all {
		if mu.hit("without %s in %s", e, shorten(t)) {
			t.Value = build(slices.Delete(slices.Clone(all), i, i+1))
			return
		}
		mu.term(e)
	}
}

func (mu *mutator) entries(t *ast.Term, o ast.Object) {
	for _, key := range o.Keys() {
		if mu.hit("without %s in %s", key, shorten(t)) {
			rest := ast.NewObject()
			for _, k := range o.Keys() {
				if !k.Equal(key) {
					rest.Insert(k, o.Get(k))
				}
			}
			t.Value = rest
			return
		}
		mu.term(o.Get(key))
	}
}

func shorten(t *ast.Term) string {
	s := []rune(t.String())
	if len(s) > 60 {
		return string(s[:59]) + "…"
	}
	return string(s)
}
