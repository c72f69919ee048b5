package wasm

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/tetratelabs/wazero"
)

// compiling waits for a module's code.
type compiling func() (wazero.CompiledModule, error)

// mostCompiled is how many modules are compiled at a time at most, for the memory
// that it takes.
const mostCompiled = 4

// compileAll compiles the modules side by side, which runs nothing of them. They are
// begun in their order, so that whoever waits for the first that is not ready knows
// which one takes long.
func (e *Engine) compileAll(ctx context.Context, modules []Module) []compiling {
	all := make([]compiling, len(modules))
	for i, m := range modules {
		all[i] = sync.OnceValues(func() (wazero.CompiledModule, error) { return e.compile(ctx, m.Code) })
	}
	next := make(chan compiling, len(all))
	for _, c := range all {
		next <- c
	}
	close(next)
	for range min(runtime.GOMAXPROCS(0), mostCompiled, len(all)) {
		go func() {
			for c := range next {
				_, _ = c() // the error is for who waits
			}
		}()
	}
	return all
}

// compile takes a panic for an error: wazero 1.12 has one for a call of a function
// whose type is not there.
func (e *Engine) compile(ctx context.Context, code []byte) (_ wazero.CompiledModule, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("wazero can not read it: %v", p)
		}
	}()
	if err := checkLengths(code); err != nil {
		return nil, err
	}
	return e.runtime.CompileModule(ctx, code)
}
