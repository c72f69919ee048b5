package opa

import (
	"errors"
	"fmt"
	"maps"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
)

// checkData makes sure that every document below data that a module reads is there.
func checkData(c *ast.Compiler, data map[string]any) error {
	var errs []error
	for _, n := range needs(c) {
		errs = append(errs, n.Check(data))
	}
	return errors.Join(errs...)
}

// needs are the base documents that the modules read.
func needs(c *ast.Compiler) []engine.Need {
	var all []engine.Need
	for _, m := range c.Modules {
		ast.WalkRefs(m, func(r ast.Ref) bool {
			if r.HasPrefix(ast.DefaultRootRef) && !isVirtual(c, r) {
				all = append(all, need(r))
			}
			return false
		})
	}
	return all
}

func need(r ast.Ref) engine.Need {
	n := engine.Need{At: location(r)}
	for _, t := range r[1:] {
		key, ok := t.Value.(ast.String)
		if !ok {
			break
		}
		n.Keys = append(n.Keys, string(key))
	}
	return n
}

// readLists returns the part of data.ocjail that the modules read.
func readLists(c *ast.Compiler, data map[string]any) map[string]any {
	all, ok := data[engine.Reserved].(map[string]any)
	if !ok {
		return data
	}
	read := map[string]any{}
	for _, m := range c.Modules {
		ast.WalkRefs(m, func(r ast.Ref) bool {
			if !r.HasPrefix(reserved) {
				return false
			}
			for name, list := range all {
				if len(r) == len(reserved) || !r[len(reserved)].IsGround() || r[len(reserved)].Equal(ast.StringTerm(name)) {
					read[name] = list
				}
			}
			return false
		})
	}
	rest := maps.Clone(data)
	rest[engine.Reserved] = read
	return rest
}

// isVirtual tells whether r names rules, or a package of rules.
func isVirtual(c *ast.Compiler, r ast.Ref) bool {
	node := c.RuleTree.Child(r[0].Value)
	for _, t := range r[1:] {
		if node == nil || len(node.Values) > 0 || !t.IsGround() {
			break
		}
		node = node.Child(t.Value)
	}
	return node != nil
}

func location(r ast.Ref) string {
	if l := r[0].Location; l != nil {
		return fmt.Sprintf("%s:%d", l.File, l.Row)
	}
	return r.String()
}
