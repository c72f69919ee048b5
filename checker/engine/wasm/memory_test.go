package wasm

import (
	"testing"
	"unsafe"
)

func TestMemoryGrowsWhereItIs(t *testing.T) {
	const page = 64 << 10
	m := reserve(page, 4*page)
	defer m.Free()
	one := m.Reallocate(page)
	one[page-1] = 7
	four := m.Reallocate(4 * page)
	if unsafe.SliceData(one) != unsafe.SliceData(four) {
		t.Error("it moved")
	}
	if len(four) != 4*page || cap(four) != 4*page || four[page-1] != 7 || four[4*page-1] != 0 {
		t.Errorf("%d bytes of %d, %d before, %d behind", len(four), cap(four), four[page-1], four[4*page-1])
	}
	if m.Reallocate(5*page) != nil {
		t.Error("it grew beyond what it may")
	}
	m.Free()
}

func TestNoMemory(t *testing.T) {
	m := reserve(0, 0)
	if b := m.Reallocate(0); len(b) > 0 {
		t.Errorf("%d bytes", len(b))
	}
	m.Free()
}
