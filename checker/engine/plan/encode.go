package plan

import "encoding/binary"

// magic begins an encoded program; its number changes with the format.
const magic = "ocjail plan 3\n"

// Encode returns p in the form that Load reads: whole numbers as varints, each
// string once.
func (p *Program) Encode() []byte {
	e := &encoder{index: map[string]int{}}
	e.values(p.Consts)
	e.value(p.Data)
	e.value(p.Meta)
	e.uint(len(p.Builtins))
	for _, name := range p.Builtins {
		e.string(name)
	}
	e.uint(len(p.Funcs))
	for i := range p.Funcs {
		e.function(&p.Funcs[i])
	}
	e.function(&p.Main)
	b := binary.AppendUvarint([]byte(magic), uint64(len(e.strings)))
	for _, s := range e.strings {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return append(b, e.out...)
}

type encoder struct {
	out     []byte
	strings []string
	index   map[string]int
}

func (e *encoder) uint(n int)       { e.out = binary.AppendUvarint(e.out, uint64(n)) }
func (e *encoder) int(n int64)      { e.out = binary.AppendVarint(e.out, n) }
func (e *encoder) values(v []Value) { e.uint(len(v)); e.each(v) }

func (e *encoder) string(s string) {
	i, ok := e.index[s]
	if !ok {
		i = len(e.strings)
		e.index[s] = i
		e.strings = append(e.strings, s)
	}
	e.uint(i)
}

func (e *encoder) each(list []Value) {
	for _, v := range list {
		e.value(v)
	}
}

func (e *encoder) value(v Value) {
	e.uint(v.rank())
	switch v := v.(type) {
	case Bool:
		if v {
			e.uint(1)
		} else {
			e.uint(0)
		}
	case Int:
		e.int(int64(v))
	case String:
		e.string(string(v))
	case *Array:
		e.values(v.elems)
	case *Set:
		e.values(v.elems)
	case *Object:
		e.values(v.keys)
		e.each(v.values)
	}
}

func (e *encoder) function(f *Func) {
	e.string(f.Name)
	e.uint(f.Params)
	e.int(int64(f.Locals))
	body := f.body()
	e.uint(len(body)) // so that it can be passed over
	e.out = append(e.out, body...)
}

func (f *Func) body() string {
	if f.decoded != nil {
		return f.decoded.body
	}
	e := &body{}
	e.blocks(f.Blocks)
	counts := binary.AppendUvarint(nil, uint64(e.instructions))
	counts = binary.AppendUvarint(counts, uint64(e.lists))
	counts = binary.AppendUvarint(counts, uint64(e.args))
	return string(append(counts, e.out...))
}

// body is what a function does, and how many of each list of its code that makes.
type body struct {
	encoder
	instructions, lists, args int
}

func (e *body) blocks(bs [][]Stmt) {
	e.lists += len(bs)
	e.uint(len(bs))
	for _, b := range bs {
		e.instructions += len(b)
		e.uint(len(b))
		for i := range b {
			e.stmt(&b[i])
		}
	}
}

func (e *body) stmt(s *Stmt) {
	e.uint(int(s.Op))
	for i, kind := range []byte(shapes[s.Op]) {
		switch kind {
		case 'A':
			e.args += len(s.Args)
			e.uint(len(s.Args))
			for _, a := range s.Args {
				e.int(int64(a))
			}
		case 'B':
			e.blocks(s.Blocks)
		default:
			e.int(int64(s.field(i)))
		}
	}
}
