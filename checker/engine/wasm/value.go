package wasm

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
)

// errBounds says that a module gave an address outside its memory.
var errBounds = errors.New("points outside its memory")

// readText reads a text that ends with a zero byte.
func (i *instance) readText(at uint32) ([]byte, error) {
	size := i.memory.Size()
	rest, ok := i.memory.Read(at, size-min(at, size))
	if !ok {
		return nil, errBounds
	}
	rest = rest[:min(len(rest), maxOutput)]
	n := bytes.IndexByte(rest, 0)
	if n < 0 {
		return nil, errors.New("gives a text without an end, or a larger one than it may")
	}
	return bytes.Clone(rest[:n]), nil
}

// write puts text into memory that the module hands out.
func (i *instance) write(text []byte) (uint32, error) {
	at, err := i.call("opa_malloc", uint64(len(text)))
	if err == nil && !i.memory.Write(at, text) {
		err = errBounds
	}
	return at, err
}

// parse makes a value of the module's of text, by its function for JSON or for
// OPA's own notation, which has sets.
func (i *instance) parse(function string, doc []byte) (uint32, error) {
	at, err := i.write(doc)
	if err != nil {
		return 0, err
	}
	value, err := i.call(function, uint64(at), uint64(len(doc)))
	if err == nil && value == 0 {
		err = fmt.Errorf("%s: no value", function)
	}
	return value, err
}

// evaluate has one entrypoint judge the input. heap is where the module may use
// memory from: what it takes is free again for the next.
func (i *instance) evaluate(entrypoint int32, data, heap uint32, input []byte) ([]byte, error) {
	if i.module.steps {
		return i.evalInSteps(entrypoint, data, heap, input)
	}
	return i.eval(entrypoint, data, heap, input)
}

// evalInSteps evaluates as in version 1.1 of the ABI.
func (i *instance) evalInSteps(entrypoint int32, data, heap uint32, input []byte) ([]byte, error) {
	if _, err := i.call("opa_heap_ptr_set", uint64(heap)); err != nil {
		return nil, err
	}
	value, err := i.parse("opa_json_parse", input)
	if err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	context, err := i.call("opa_eval_ctx_new")
	if err != nil {
		return nil, err
	}
	for _, set := range []struct {
		function string
		value    uint32
	}{
		{"opa_eval_ctx_set_input", value}, {"opa_eval_ctx_set_data", data}, {"opa_eval_ctx_set_entrypoint", uint32(entrypoint)},
	} {
		if _, err := i.call(set.function, uint64(context), uint64(set.value)); err != nil {
			return nil, err
		}
	}
	if status, err := i.call("eval", uint64(context)); err != nil || status != 0 {
		return nil, cmp.Or(err, fmt.Errorf("eval: error %d", status))
	}
	at, err := i.call("opa_eval_ctx_get_result", uint64(context))
	if err != nil {
		return nil, err
	}
	if at, err = i.call("opa_json_dump", uint64(at)); err != nil {
		return nil, err
	}
	return i.readText(at)
}

// eval evaluates by the one call of version 1.2 and later.
func (i *instance) eval(entrypoint int32, data, heap uint32, input []byte) ([]byte, error) {
	size := uint32(len(input))
	missing := int64(heap) + int64(size) - int64(i.memory.Size())
	if missing > 0 {
		if _, ok := i.memory.Grow(uint32((missing + 1<<16 - 1) >> 16)); !ok {
			return nil, errors.New("has no memory left for the policy input")
		}
	}
	if !i.memory.Write(heap, input) {
		return nil, errBounds
	}
	const asJSON = 0
	at, err := i.call("opa_eval", 0, uint64(uint32(entrypoint)), uint64(data), uint64(heap), uint64(size), uint64(heap+size), asJSON)
	if err != nil {
		return nil, err
	}
	return i.readText(at)
}

// names reads the JSON object of names and numbers that a function returns.
func (i *instance) names(function string) (map[string]int32, error) {
	at, err := i.call(function)
	if err != nil {
		return nil, err
	}
	if at, err = i.call("opa_json_dump", uint64(at)); err != nil {
		return nil, err
	}
	doc, err := i.readText(at)
	if err != nil {
		return nil, err
	}
	var numbers map[string]int32
	if err := json.Unmarshal(doc, &numbers); err != nil {
		return nil, fmt.Errorf("%s: %w", function, err)
	}
	return numbers, nil
}
