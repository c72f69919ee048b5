package wasm

import (
	"context"
	"fmt"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/topdown/builtins"
)

// builtin is a function of Rego's that the module leaves to the host: OPA's own,
// so that a rule finds the same as it does in the Rego engine.
type builtin struct {
	name string
	call topdown.BuiltinFunc
}

// lookUp finds the functions that a module imports, by number. What looks beyond
// the input is refused, as it is in rules in Rego.
func lookUp(numbers map[string]int32) (map[int32]builtin, error) {
	found := make(map[int32]builtin, len(numbers))
	for name, n := range numbers {
		i := slices.IndexFunc(ast.Builtins, func(b *ast.Builtin) bool { return b.Name == name })
		call := topdown.GetBuiltin(name)
		if i < 0 || call == nil {
			return nil, fmt.Errorf("calls %s, which this ocjail's OPA does not have", name)
		}
		if ast.Builtins[i].IsNondeterministic() {
			return nil, fmt.Errorf("calls %s: nothing that looks beyond the input can be called; the time is input.now", name)
		}
		found[n] = builtin{name, call}
	}
	return found, nil
}

// callBuiltin is opa_builtin0 to opa_builtin4: number, context, operands. A value's
// address is returned, 0 for undefined. An error ends the evaluation, for a rule
// that fails must not look like one that finds nothing.
func callBuiltin(ctx context.Context, stack []uint64) {
	i := ctx.Value(instanceKey{}).(*instance)
	at, err := i.builtin(int32(uint32(stack[0])), stack[2:])
	if err != nil {
		panic(&abortion{err.Error()})
	}
	stack[0] = uint64(at)
}

func (i *instance) builtin(number int32, addresses []uint64) (uint32, error) {
	b, ok := i.module.builtins[number]
	if !ok {
		return 0, fmt.Errorf("calls function %d, which it did not name", number)
	}
	operands := make([]*ast.Term, len(addresses))
	for n, a := range addresses {
		at, err := i.call("opa_value_dump", a)
		if err != nil {
			return 0, err
		}
		text, err := i.readText(at)
		if err != nil {
			return 0, err
		}
		if operands[n], err = ast.ParseTerm(string(text)); err != nil {
			return 0, fmt.Errorf("%s: operand %d: %w", b.name, n+1, err)
		}
	}
	var result *ast.Term
	err := b.call(i.forBuiltins(), operands, func(t *ast.Term) error {
		result = t
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", b.name, err)
	}
	if result == nil {
		return 0, nil
	}
	return i.parse("opa_value_parse", []byte(result.String()))
}

// forBuiltins is what OPA's functions may ask for.
func (i *instance) forBuiltins() topdown.BuiltinContext {
	return topdown.BuiltinContext{
		Context: i.ctx, Cancel: topdown.NewCancel(), Time: ast.NumberTerm("0"), Cache: builtins.Cache{}, Seed: zeros{},
		Capabilities: ast.CapabilitiesForThisVersion(),
	}
}

// zeros is the seed of functions that would draw randomness.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
