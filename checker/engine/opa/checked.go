package opa

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
)

// A function that OPA compiles into a module is undefined there where it fails, for a
// module has no way to say why: a rule that calls it finds nothing, where the same rule
// in Rego is refused. So each call goes to a function in Rego that asks the host, by a
// name of its own, when the module's answer is undefined: the host's function fails
// aloud, or is undefined as well.

const (
	checkedPackage = engine.Reserved + ".checked"
	checkedFile    = "checked"
)

// checkedCalls has the modules of b call built-in functions so, and returns the
// declarations by which they ask the host.
func checkedCalls(b *bundle.Bundle) ([]*ast.Builtin, error) {
	called := map[string]*ast.Builtin{}
	taken := declared(b)
	for _, m := range b.Modules {
		checkModule(m.Parsed, taken[m.Parsed.Package.Path.String()], called)
	}
	if len(called) == 0 {
		return nil, nil
	}
	var text strings.Builder
	var hosts []*ast.Builtin
	fmt.Fprintf(&text, "package %s\n", checkedPackage)
	for _, name := range slices.Sorted(maps.Keys(called)) {
		decl := called[name].Decl
		args := make([]string, decl.Arity())
		for i := range args {
			args[i] = fmt.Sprintf("a%d", i)
		}
		list := strings.Join(args, ", ")
		fmt.Fprintf(&text, "%[1]s(%[2]s) := z if { z := %[3]s(%[2]s) } else := z if { z := %[4]s%[3]s(%[2]s) }\n", functionOf(name), list, name, engine.Checked)
		hosts = append(hosts, &ast.Builtin{Name: engine.Checked + name, Decl: decl})
	}
	capabilities := capabilities()
	capabilities.Builtins = append(capabilities.Builtins, hosts...)
	m, err := ast.ParseModuleWithOpts(checkedFile, text.String(), ast.ParserOptions{RegoVersion: ast.RegoV1, Capabilities: capabilities})
	if err != nil {
		return nil, fmt.Errorf("functions that fail aloud: %w", err)
	}
	b.Modules = append(b.Modules, bundle.ModuleFile{URL: checkedFile, Path: checkedFile, Raw: []byte(text.String()), Parsed: m})
	return hosts, nil
}

// functionOf is the name of the function in Rego that stands for a built-in one.
func functionOf(builtin string) string { return "f_" + strings.ReplaceAll(builtin, ".", "__") }

// declared are the names that each package's rules have, by its path: where one is that
// of a built-in function, it is the rule that is called.
func declared(b *bundle.Bundle) map[string]map[string]bool {
	all := map[string]map[string]bool{}
	for _, m := range b.Modules {
		p := m.Parsed.Package.Path.String()
		if all[p] == nil {
			all[p] = map[string]bool{}
		}
		for _, r := range m.Parsed.Rules {
			all[p][nameOf(r.Head.Ref())] = true
		}
	}
	return all
}

func nameOf(r ast.Ref) string { return strings.Trim(r[0].String(), `"`) }

// checkModule replaces the calls of a module and notes what they call.
func checkModule(m *ast.Module, taken map[string]bool, called map[string]*ast.Builtin) {
	imported := map[string]bool{}
	for _, i := range m.Imports {
		imported[string(i.Name())] = true
	}
	replace := func(terms []*ast.Term) {
		ref, ok := terms[0].Value.(ast.Ref)
		if !ok || taken[nameOf(ref)] || imported[nameOf(ref)] {
			return
		}
		b := ast.BuiltinMap[ref.String()]
		if b == nil || !mayFail(b) {
			return
		}
		called[b.Name] = b
		to := ast.MustParseRef("data." + checkedPackage + "." + functionOf(b.Name))
		terms[0] = &ast.Term{Value: to, Location: terms[0].Location}
	}
	ast.NewGenericVisitor(func(x any) bool {
		switch x := x.(type) {
		case *ast.Expr:
			if terms, ok := x.Terms.([]*ast.Term); ok {
				replace(terms)
			}
		case ast.Call:
			replace(x)
		}
		return false
	}).Walk(m)
}

// mayFail tells whether a built-in function has operands that it takes and others. What
// compares and tells types takes all.
func mayFail(b *ast.Builtin) bool {
	return !b.Relation && b.Decl.Result() != nil && b.Decl.Arity() > 0 && !strings.HasPrefix(b.Name, "internal.") && !slices.Contains(total, b.Name)
}

// total are functions and operators that fail for no operands, or that are more than a
// call to the compiler.
var total = []string{
	"eq", "assign", "equal", "neq", "lt", "lte", "gt", "gte",
	"is_array", "is_boolean", "is_null", "is_number", "is_object", "is_set", "is_string", "type_name", "trace", "print",
}
