package opa

import (
	"cmp"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
)

// Reads are the parts of the policy input that the rules and what they call read,
// sorted: the x of each input.x. It is nil when a rule may read any, as where
// it goes through the input itself.
func (r *Rego) Reads() []string {
	s := r.search()
	if s.all {
		return nil
	}
	slices.Sort(s.parts)
	return slices.Compact(s.parts)
}

// ReadsData tells whether the rules and what they call may read base documents, as
// the lists of a source are.
func (r *Rego) ReadsData() bool { return r.search().data }

// Needs are the base documents that the rules and what they call read, sorted, each once.
func (r *Rego) Needs() []engine.Need {
	needs := r.search().needs
	slices.SortFunc(needs, func(a, b engine.Need) int { return cmp.Or(slices.Compare(a.Keys, b.Keys), cmp.Compare(a.At, b.At)) })
	return slices.CompactFunc(needs, func(a, b engine.Need) bool { return slices.Equal(a.Keys, b.Keys) })
}

func (r *Rego) search() *search {
	s := &search{compiler: r.compiler, seen: map[*ast.Rule]bool{}, parts: []string{}}
	for _, e := range r.entries {
		for _, rule := range r.compiler.GetRules(e.ref) {
			s.rule(rule)
		}
	}
	return s
}

// search goes through rules and those that they depend on.
type search struct {
	compiler *ast.Compiler
	seen     map[*ast.Rule]bool
	parts    []string
	all      bool
	data     bool
	needs    []engine.Need
}

func (s *search) rule(r *ast.Rule) {
	if s.seen[r] {
		return
	}
	s.seen[r] = true
	var v *ast.GenericVisitor
	v = ast.NewGenericVisitor(func(x any) bool {
		switch x := x.(type) {
		case ast.Ref:
			if x[0].Equal(ast.DefaultRootDocument) {
				s.data = s.data || !s.isRule(x)
				if !isVirtual(s.compiler, x) {
					s.needs = append(s.needs, need(x))
				}
				for _, t := range x[1:] {
					v.Walk(t)
				}
				return true
			}
			if !x[0].Equal(ast.InputRootDocument) {
				return false
			}
			s.part(x)
			for _, t := range x[1:] {
				v.Walk(t)
			}
			return true
		case ast.Var:
			s.all = s.all || x.Equal(ast.InputRootDocument.Value)
			s.data = s.data || x.Equal(ast.DefaultRootDocument.Value)
		}
		return false
	})
	v.Walk(r)
	for d := range s.compiler.Graph.Dependencies(r) {
		if next, ok := d.(*ast.Rule); ok {
			s.rule(next)
		}
	}
}

func (s *search) part(ref ast.Ref) {
	if len(ref) > 1 {
		if name, ok := ref[1].Value.(ast.String); ok {
			s.parts = append(s.parts, string(name))
			return
		}
	}
	s.all = true
}

// isRule tells whether a reference below data is to a rule, or into what one yields.
// A package is none, for a base document may lie in its place as well.
func (s *search) isRule(r ast.Ref) bool {
	node := s.compiler.RuleTree.Child(r[0].Value)
	for _, t := range r[1:] {
		if node == nil || len(node.Values) > 0 || !t.IsGround() {
			break
		}
		node = node.Child(t.Value)
	}
	return node != nil && len(node.Values) > 0
}
