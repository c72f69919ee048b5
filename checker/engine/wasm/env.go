package wasm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// hostFunctions are what a module of OPA may import; hostArity is how many i32 each
// takes. All but the first two return one.
var (
	hostFunctions = []string{"opa_abort", "opa_println", "opa_builtin0", "opa_builtin1", "opa_builtin2", "opa_builtin3", "opa_builtin4"}
	hostArity     = []int{1, 1, 2, 3, 4, 5, 6}
)

const returning = 2 // index of the first host function that returns something

// hostModule defines hostFunctions. A host module of wazero's can not own a memory,
// which OPA's modules import beside them: env is a module of WebAssembly between
// the two that does.
const hostModule = "ocjail"

// compileEnv makes the module env, with a memory as the module wants it, and room for
// its texts: OPA's compiler puts them behind the two pages that it asks for, and code is
// how many bytes there are of them at most.
func (e *Engine) compileEnv(ctx context.Context, wanted []api.MemoryDefinition, code int) (wazero.CompiledModule, error) {
	if e.runtime.Module(hostModule) == nil {
		if err := e.defineHost(ctx); err != nil {
			return nil, err
		}
	}
	least := wanted[0].Min()
	most, bounded := wanted[0].Max()
	if !bounded {
		most = maxPages
	}
	if least > maxPages {
		return nil, fmt.Errorf("wants %d MiB of memory, more than the %d that it may have", least>>4, maxPages>>4)
	}
	most = min(most, maxPages)
	least = max(least, min(least+uint32(code>>16)+1, most))
	return e.runtime.CompileModule(ctx, encodeEnv(least, most))
}

// encodeEnv writes the binary format (WebAssembly core specification, section 5.5)
// of a module that imports hostFunctions and exports them again beside a memory.
func encodeEnv(least, most uint32) []byte {
	const i32, funcType = 0x7f, 0x60
	var types, imports, exports []byte
	for n, name := range hostFunctions {
		types = append(types, funcType, byte(hostArity[n]))
		for range hostArity[n] {
			types = append(types, i32)
		}
		if n < returning {
			types = append(types, 0)
		} else {
			types = append(types, 1, i32)
		}
		imports = append(text(text(imports, hostModule), name), 0, byte(n))
		exports = append(text(exports, name), 0, byte(n))
	}
	memory := binary.AppendUvarint(binary.AppendUvarint([]byte{1, 1}, uint64(least)), uint64(most))
	exports = append(text(exports, "memory"), 2, 0)
	count := byte(len(hostFunctions))
	module := []byte("\x00asm\x01\x00\x00\x00")
	module = section(module, 1, append([]byte{count}, types...))
	module = section(module, 2, append([]byte{count}, imports...))
	module = section(module, 5, memory)
	return section(module, 7, append([]byte{count + 1}, exports...))
}

func section(module []byte, id byte, content []byte) []byte {
	return append(binary.AppendUvarint(append(module, id), uint64(len(content))), content...)
}

func text(b []byte, s string) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }

// abortion is why a module gives up.
type abortion struct{ why error }

func (a *abortion) Error() string { return "gives up: " + a.why.Error() }

func (a *abortion) Unwrap() error { return a.why }

// instanceKey finds the instance in the context of a host function's call.
type instanceKey struct{}

func (e *Engine) defineHost(ctx context.Context) error {
	host := e.runtime.NewHostModuleBuilder(hostModule)
	for n, name := range hostFunctions {
		params := make([]api.ValueType, hostArity[n])
		for i := range params {
			params[i] = api.ValueTypeI32
		}
		call, results := callFunction, []api.ValueType{api.ValueTypeI32}
		if n < returning {
			call, results = say, nil
		}
		if name == "opa_abort" {
			call = abort
		}
		host.NewFunctionBuilder().WithGoFunction(api.GoFunc(call), params, results).Export(name)
	}
	_, err := host.Instantiate(ctx)
	return err
}

// abort ends the evaluation: wazero returns what a host function panics with.
func abort(ctx context.Context, stack []uint64) {
	i := ctx.Value(instanceKey{}).(*instance)
	message, err := i.readText(uint32(stack[0]))
	if err == nil {
		err = fmt.Errorf("%.500s", message)
	}
	panic(&abortion{err})
}

// say drops what a module prints.
func say(context.Context, []uint64) {}

// instance is a module of OPA with its memory.
type instance struct {
	ctx         context.Context
	module      *opaModule
	env, policy api.Module
	memory      api.Memory
}

func (o *opaModule) instantiate(ctx context.Context) (*instance, error) {
	i := &instance{module: o}
	i.ctx = context.WithValue(withMemory(ctx), instanceKey{}, i)
	// Modules find what they import by name, so only one can be there at a time.
	var err error
	if i.env, err = o.runtime.InstantiateModule(i.ctx, o.env, wazero.NewModuleConfig().WithName("env").WithStartFunctions()); err != nil {
		return nil, err
	}
	i.memory = i.env.Memory()
	i.policy, err = o.runtime.InstantiateModule(i.ctx, o.code, wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize"))
	if err != nil {
		return nil, errors.Join(err, i.env.Close(ctx))
	}
	return i, nil
}

func (i *instance) close() error {
	return errors.Join(i.policy.Close(i.ctx), i.env.Close(i.ctx))
}

// call calls an exported function with i32 parameters and at most one i32 result.
func (i *instance) call(name string, params ...uint64) (uint32, error) {
	f := i.policy.ExportedFunction(name)
	if f == nil {
		return 0, fmt.Errorf("does not export %s", name)
	}
	results, err := f.Call(i.ctx, params...)
	var a *abortion
	if errors.As(err, &a) {
		return 0, a // without wazero's stack of the module
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	if len(results) == 0 {
		return 0, nil
	}
	return uint32(results[0]), nil
}
