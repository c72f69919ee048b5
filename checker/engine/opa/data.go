package opa

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
)

// mayBeEmpty are the lists that start out empty; any other empty list that a
// rule reads is a mistake, for the rule would find nothing, quickly and quietly.
var mayBeEmpty = []string{"data.ocjail.tolerated"}

// checkData makes sure that every document below data that a module reads is
// there and holds something: to Rego what is absent is undefined, so a rule that
// reads it finds nothing.
func checkData(c *ast.Compiler, data map[string]any) error {
	var errs []error
	for _, m := range c.Modules {
		ast.WalkRefs(m, func(r ast.Ref) bool {
			if r.HasPrefix(ast.DefaultRootRef) && !isVirtual(c, r) {
				if err := checkRef(r, data); err != nil {
					errs = append(errs, err)
				}
			}
			return false
		})
	}
	return errors.Join(errs...)
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

func checkRef(r ast.Ref, data map[string]any) error {
	var v any = data
	path := "data"
	for _, t := range r[1:] {
		key, ok := t.Value.(ast.String)
		object, isObject := v.(map[string]any)
		if !ok || !isObject {
			break
		}
		path += "." + string(key)
		if v, ok = object[string(key)]; !ok {
			return fmt.Errorf("%s: %s is not there: put it into a file below data/", location(r), path)
		}
	}
	if !empty(v) || slices.ContainsFunc(mayBeEmpty, func(p string) bool { return strings.HasPrefix(path, p+".") }) {
		return nil
	}
	return fmt.Errorf("%s: %s is empty, so the rule that reads it would find nothing", location(r), path)
}

func location(r ast.Ref) string {
	if l := r[0].Location; l != nil {
		return fmt.Sprintf("%s:%d", l.File, l.Row)
	}
	return r.String()
}

func empty(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	case string:
		return v == ""
	}
	return v == nil
}
