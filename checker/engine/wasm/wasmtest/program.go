// Package wasmtest writes small WASI commands in WebAssembly's binary format
// (core specification, chapter 5), mostly ill-natured ones, for tests.
package wasmtest

import (
	"encoding/binary"
	"strings"
)

// Program is a WASI command.
type Program struct {
	// Start is the body of _start; nil does nothing.
	Start []byte
	// Begin is run when the module is instantiated, before _start; nil is nothing.
	Begin []byte
	// Import is a function that the program imports in vain, of WASI or "MODULE.NAME".
	Import string
	// Pages of memory at the beginning; 2 when zero.
	Pages uint64
}

// The functions by number: two that are imported, then _start and begin. scratch
// is where Print keeps its vector, text where its text begins.
const (
	procExit = 0
	fdWrite  = 1
	start    = 2
	scratch  = 8
	textAt   = 1024
)

// Instructions.
var (
	Unreachable = []byte{0x00}
	Loop        = Forever(nil)
	Recurse     = []byte{0x10, start}
)

// Forever repeats a body.
func Forever(body []byte) []byte {
	return append(append([]byte{0x03, 0x40}, body...), 0x0c, 0x00, 0x0b)
}

// Exit ends the program with a status.
func Exit(status int64) []byte { return append(number(status), 0x10, procExit) }

// Grow asks for pages of memory, and traps when there are no more.
func Grow(pages int64) []byte {
	b := append(number(pages), 0x40, 0x00) // memory.grow
	b = append(b, number(-1)...)
	return append(b, 0x46, 0x04, 0x40, 0x00, 0x0b) // i32.eq if unreachable end
}

// Print writes text to standard output.
func Print(text string) []byte {
	var b []byte
	for i := 0; i < len(text) && i < 4096; i++ { // what is longer stays zero bytes
		b = append(append(append(b, number(int64(textAt+i))...), number(int64(text[i]))...), 0x3a, 0x00, 0x00) // i32.store8
	}
	store := func(at, value int64) {
		b = append(append(append(b, number(at)...), number(value)...), 0x36, 0x02, 0x00) // i32.store
	}
	store(scratch, textAt)
	store(scratch+4, int64(len(text)))
	for _, n := range []int64{1, scratch, 1, scratch - 8} { // fd, iovs, how many, written
		b = append(b, number(n)...)
	}
	return append(b, 0x10, fdWrite, 0x1a) // call, drop
}

// number is i32.const.
func number(n int64) []byte {
	b := []byte{0x41}
	for {
		c := byte(n & 0x7f)
		n >>= 7
		if n == 0 && c&0x40 == 0 || n == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

// Encode writes the module.
func (p Program) Encode() []byte {
	const wasi = "wasi_snapshot_preview1"
	types := []byte{3, 0x60, 1, 0x7f, 0, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 1, 0x7f, 0x60, 0, 0}
	imports := append(text(text([]byte{2}, wasi), "proc_exit"), 0, 0)
	imports = append(text(text(imports, wasi), "fd_write"), 0, 1)
	if p.Import != "" {
		module, name, ok := strings.Cut(p.Import, ".")
		if !ok {
			module, name = wasi, p.Import
		}
		imports[0] = 3
		imports = append(text(text(imports, module), name), 0, 2)
	}
	first := imports[0]
	pages := p.Pages
	if pages == 0 {
		pages = 2
	}
	module := section([]byte("\x00asm\x01\x00\x00\x00"), 1, types)
	module = section(module, 2, imports)
	module = section(module, 3, []byte{2, 2, 2})
	module = section(module, 5, binary.AppendUvarint([]byte{1, 0}, pages))
	exports := append(text([]byte{2}, "_start"), 0, first)
	module = section(module, 7, append(text(exports, "memory"), 2, 0))
	if p.Begin != nil {
		module = section(module, 8, []byte{first + 1})
	}
	code := append(function([]byte{2}, p.Start), function(nil, p.Begin)...)
	return section(module, 10, code)
}

func function(b, body []byte) []byte {
	body = append(append([]byte{0}, body...), 0x0b)
	return append(binary.AppendUvarint(b, uint64(len(body))), body...)
}

func section(module []byte, id byte, content []byte) []byte {
	return append(binary.AppendUvarint(append(module, id), uint64(len(content))), content...)
}

func text(b []byte, s string) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }
