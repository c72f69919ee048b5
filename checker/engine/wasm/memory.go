package wasm

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero/experimental"
	"golang.org/x/sys/unix"
)

// reserved is a module's memory in a range of addresses that is reserved as a whole:
// it grows where it is. wazero's own is copied each time a module asks for a page
// more, which was half of what a small rule took.
type reserved struct {
	all  []byte // of which what is not used is PROT_NONE
	used uint64
}

// withMemory has modules that are instantiated with the context use such memory.
func withMemory(ctx context.Context) context.Context {
	return experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(reserve))
}

// reserve panics where there is no memory at all, as Go does: wazero takes no error.
func reserve(_, most uint64) experimental.LinearMemory {
	if most == 0 {
		return &reserved{}
	}
	all, err := unix.Mmap(-1, 0, int(most), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		panic(fmt.Errorf("reserve %d MiB for a module: %w", most>>20, err))
	}
	return &reserved{all: all}
}

// Reallocate implements experimental.LinearMemory; size is a multiple of 64 KiB.
func (r *reserved) Reallocate(size uint64) []byte {
	if size > uint64(len(r.all)) {
		return nil
	}
	if size > r.used {
		if unix.Mprotect(r.all[r.used:size], unix.PROT_READ|unix.PROT_WRITE) != nil {
			return nil // the limit on data, most of the time: the module is told
		}
		r.used = size
	}
	return r.all[:size:size]
}

// Free implements experimental.LinearMemory. Nothing of a module is read once it is
// closed.
func (r *reserved) Free() {
	if r.all != nil {
		_ = unix.Munmap(r.all) // which only fails for what is no mapping
		r.all = nil
	}
}
