package plan

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"strings"
	"testing"
)

// A plan comes with others' rules: what it says of its size costs no memory that its
// bytes do not pay for.
func TestLoadTakesNoMoreThanItsSize(t *testing.T) {
	const size = 1 << 18
	numbers := func(list ...int) (b []byte) {
		for _, n := range list {
			b = binary.AppendUvarint(b, uint64(n))
		}
		return b
	}
	array := int((&Array{}).rank())
	lists := numbers(0, 1)
	for range maxNesting {
		lists = append(lists, numbers(array, size)...)
	}
	null := int(Null{}.rank())
	functions := append(append([]byte(magic), numbers(0, 0, null, null, 0, size)...), bytes.Repeat([]byte{0xff}, size)...)
	for name, plan := range map[string][]byte{
		"lists in lists": append(append([]byte(magic), lists...), make([]byte, size)...),
		"functions":      functions,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Load(plan)
		runtime.ReadMemStats(&after)
		if most := uint64(64 * len(plan)); err == nil || after.TotalAlloc-before.TotalAlloc > most {
			t.Errorf("%s: %d bytes for a plan of %d; error %v", name, after.TotalAlloc-before.TotalAlloc, len(plan), err)
		}
	}
}

// What a run needs is bounded as well: locals are made at once, and calls in calls take
// of the stack, of which Go ends the process when there is no more.
func TestLoadBoundsARun(t *testing.T) {
	wide := program(nil, nil)
	for range maxAllLocals / maxLocals {
		wide.Funcs = append(wide.Funcs, Func{Name: "f", Params: 2, Locals: maxLocals})
	}
	chain := func(n int) *Program {
		p := program(nil, nil, Stmt{Op: Call, X: 2, Y: 0, Args: []Operand{0, 1}})
		for i := range n {
			f := Func{Name: "f", Params: 2, Locals: 3}
			if i+1 < n {
				f.Blocks = [][]Stmt{{{Op: Call, X: 2, Y: Operand(i + 1), Args: []Operand{0, 1}}}}
			}
			p.Funcs = append(p.Funcs, f)
		}
		return p
	}
	if _, err := Load(wide.Encode()); err == nil || !strings.Contains(err.Error(), "locals of all") {
		t.Errorf("locals: error %v", err)
	}
	if _, err := Load(chain(maxCalls + 1).Encode()); err == nil || !strings.Contains(err.Error(), "in turn") {
		t.Errorf("calls: error %v", err)
	}
	if _, err := Load(chain(maxCalls).Encode()); err != nil {
		t.Error(err)
	}
}
