package wasm

import (
	"context"
	"fmt"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
)

// Function is one of Rego's built-in functions, which a module leaves to its host.
// Operands and result are in the notation of opa_value_dump and opa_value_parse; no
// result stands for undefined.
type Function = func(ctx context.Context, operands [][]byte) (result []byte, err error)

// lookUp finds the functions that a module imports, by number. One that is not there
// is an error before anything judges.
func (o Options) lookUp(numbers map[string]int32) (map[int32]Function, error) {
	found := make(map[int32]Function, len(numbers))
	for name, n := range numbers {
		f, err := o.function(name)
		if err != nil {
			return nil, err
		}
		if found[n] != nil {
			return nil, fmt.Errorf("gives two functions the number %d, one of them %s", n, name)
		}
		found[n] = f
	}
	return found, nil
}

// function finds one. That which is asked after the module's own was undefined is looked
// for only then: few modules come to it.
func (o Options) function(name string) (Function, error) {
	own, checked := strings.CutPrefix(name, engine.Checked)
	if !checked {
		return o.Functions(name)
	}
	return func(ctx context.Context, operands [][]byte) ([]byte, error) {
		f, err := o.Functions(own)
		if err != nil {
			return nil, err
		}
		return f(ctx, operands)
	}, nil
}

// callFunction is opa_builtin0 to opa_builtin4: number, context, operands. A value's
// address is returned, 0 for undefined. An error ends the evaluation, for a rule
// that fails must not look like one that finds nothing.
func callFunction(ctx context.Context, stack []uint64) {
	i := ctx.Value(instanceKey{}).(*instance)
	at, err := i.function(int32(uint32(stack[0])), stack[2:])
	if err != nil {
		panic(&abortion{err})
	}
	stack[0] = uint64(at)
}

func (i *instance) function(number int32, addresses []uint64) (uint32, error) {
	f, ok := i.module.functions[number]
	if !ok {
		return 0, fmt.Errorf("calls function %d, which it did not name", number)
	}
	operands := make([][]byte, len(addresses))
	for n, a := range addresses {
		at, err := i.call("opa_value_dump", a)
		if err != nil {
			return 0, err
		}
		if operands[n], err = i.readText(at); err != nil {
			return 0, err
		}
	}
	result, err := f(i.ctx, operands)
	if err != nil || result == nil {
		return 0, err
	}
	return i.parse("opa_value_parse", result)
}
