package wasm

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// checkLengths makes sure that no length in a module is larger than what follows it.
// The decoder of wazero (1.12) reserves memory for what a length says before it
// looks, which eleven bytes can use to end the process around it. What else is
// wrong with a module, wazero says.
func checkLengths(module []byte) error {
	if len(module) < 8 {
		return nil
	}
	r := &lengths{rest: module[8:]}
	for len(r.rest) > 0 && r.err == nil {
		id := r.byte()
		body := r.take(r.length())
		read := contents[id]
		if r.err != nil || read == nil {
			continue
		}
		s := &lengths{rest: body}
		for range s.length() {
			if read(s); s.err != nil {
				break
			}
		}
		if s.err != nil {
			return fmt.Errorf("section %d: %w", id, s.err)
		}
	}
	return r.err
}

var errLength = errors.New("is cut short, or a length in it is larger than what follows")

// lengths reads parts of a module until an error, and nothing from then on.
type lengths struct {
	rest []byte
	err  error
}

func (r *lengths) fail() { r.rest, r.err = nil, errLength }

func (r *lengths) byte() byte {
	if len(r.rest) == 0 {
		r.fail()
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

// number reads a LEB128; a negative one comes out as some other.
func (r *lengths) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// length is of bytes, or of things of which each takes a byte at least.
func (r *lengths) length() int {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *lengths) skip(n int) {
	if n > len(r.rest) {
		r.fail()
		return
	}
	r.take(n)
}

func (r *lengths) take(n int) []byte {
	part := r.rest[:n]
	r.rest = r.rest[n:]
	return part
}

func (r *lengths) text() { r.take(r.length()) }

// contents reads one element of each section that is a list (WebAssembly 2.0, 5.5).
var contents = map[byte]func(*lengths){
	1: func(r *lengths) { r.byte(); r.text(); r.text() }, // a type: of parameters and results
	2: func(r *lengths) { r.text(); r.text(); r.external() },
	3: func(r *lengths) { r.number() },
	4: (*lengths).table,
	5: (*lengths).limits,
	6: func(r *lengths) { r.byte(); r.byte(); r.expression() }, // a global
	7: func(r *lengths) { r.text(); r.byte(); r.number() },
	9: (*lengths).element,
	10: func(r *lengths) {
		code := &lengths{rest: r.take(r.length())}
		if code.length(); code.err != nil { // of the local variables' declarations
			r.fail()
		}
	},
	11: (*lengths).data,
}

func (r *lengths) limits() {
	kind := r.byte()
	r.number()
	if kind&1 != 0 {
		r.number()
	}
}

func (r *lengths) table() {
	r.byte()
	r.limits()
}

// external reads what an import is.
func (r *lengths) external() {
	switch r.byte() {
	case 0: // a function
		r.number()
	case 1:
		r.table()
	case 2: // a memory
		r.limits()
	case 3: // a global
		r.byte()
		r.byte()
	default:
		r.fail()
	}
}

// element reads a part of a table, by its flags: 1 has no place, 2 names table or
// kind, 4 holds expressions.
func (r *lengths) element() {
	flags := r.number()
	if flags&3 == 2 {
		r.number()
	}
	if flags&1 == 0 {
		r.expression()
	}
	if flags&3 != 0 {
		r.byte()
	}
	for range r.length() {
		if flags&4 != 0 {
			r.expression()
		} else {
			r.number()
		}
	}
}

// data reads a part of a memory, by its flags: 1 has no place, 2 names the memory.
func (r *lengths) data() {
	flags := r.number()
	if flags&2 != 0 {
		r.number()
	}
	if flags&1 == 0 {
		r.expression()
	}
	r.text()
}

// expression reads a constant expression (WebAssembly 2.0, 3.3.10).
func (r *lengths) expression() {
	for r.err == nil {
		switch op := r.byte(); op {
		case 0x0b: // end
			return
		case 0x23, 0x41, 0x42, 0xd0, 0xd2: // global.get, i32.const, i64.const, ref.null, ref.func
			r.number()
		case 0x43: // f32.const
			r.skip(4)
		case 0x44: // f64.const
			r.skip(8)
		case 0xfd: // v128.const
			r.number()
			r.skip(16)
		case 0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e: // extended: add, sub, mul
		default:
			r.fail()
		}
	}
}
