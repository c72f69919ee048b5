package plan

import (
	"errors"
	"fmt"
	"math"
	"sync"
)

// code is what a function does, in the form that is run: three lists without pointers.
// The pack's take a quarter of the memory of as many Stmt, which a launch would touch
// page by page.
type code struct {
	instructions []instruction
	blocks       []block
	args         []Operand
	own          span // the function's own blocks
}

// instruction is a statement that was decoded.
type instruction struct {
	op      Op
	n       uint16 // how many arguments or blocks it has
	at      int32  // the first of them
	x, y, z Operand
	where   Operand
}

// block is a part of a code's instructions, span one of its blocks.
type (
	block struct{ from, to int32 }
	span  struct{ at, n int32 }
)

// inner are the blocks of s.
func (s *instruction) inner() span { return span{s.at, int32(s.n)} }

// field is that of s for the i-th letter of its shape.
func (s *instruction) field(i int) *Operand {
	switch {
	case shapes[s.op][i] == 'p':
		return &s.where
	case i == 0:
		return &s.x
	case i == 1:
		return &s.y
	}
	return &s.z
}

func (c *code) argsOf(s *instruction) []Operand { return c.args[s.at : s.at+int32(s.n)] }
func (c *code) blocksOf(s span) []block         { return c.blocks[s.at : s.at+s.n] }

// decoded is a function's body, which is read when it is first needed.
type decoded struct {
	body string
	once sync.Once
	code code
	err  error
}

// read reads the body of f, a function of p, and checks it. Only the first call does,
// and others wait for it.
func (f *Func) read(p *Program) (*code, error) {
	f.decoded.once.Do(func() {
		d := &decoder{in: f.decoded.body}
		f.decoded.code = d.code()
		if f.decoded.err = d.err; d.err == nil {
			f.decoded.err = (&linker{p: p, f: f, code: &f.decoded.code}).blocks(f.decoded.code.own, 1)
		}
		if f.decoded.err != nil {
			f.decoded.err = fmt.Errorf("function %s: %w", f.Name, f.decoded.err)
		}
	})
	return &f.decoded.code, f.decoded.err
}

// Read reads what Open left for later. It is of use beside other work: what fails here
// fails again when the function is called.
func (p *Program) Read() {
	for f := range p.all() {
		_, _ = f.read(p) // the error is kept, for whoever calls it
	}
}

var errCounts = errors.New("other numbers of statements than it says")

// code reads a body: how many instructions, blocks and arguments it has, and these.
func (d *decoder) code() code {
	c := code{
		instructions: make([]instruction, 0, d.count()),
		blocks:       make([]block, 0, d.count()),
		args:         make([]Operand, 0, d.count()),
	}
	c.own = d.blocks(&c, 0)
	full := len(c.instructions) == cap(c.instructions) && len(c.blocks) == cap(c.blocks) && len(c.args) == cap(c.args)
	if d.err == nil && (len(d.in) > 0 || !full) {
		d.err = errCounts
	}
	return c
}

// room makes list longer by n, as far as was said that it is.
func room[T any](d *decoder, list []T, n int) []T {
	if len(list)+n > cap(list) {
		d.in, d.err = "", errCounts
		return list
	}
	return list[:len(list)+n]
}

func (d *decoder) blocks(c *code, depth int) span {
	if depth > maxNesting {
		d.fail()
	}
	s := span{int32(len(c.blocks)), int32(d.count())}
	c.blocks = room(d, c.blocks, int(s.n))
	for i := s.at; d.err == nil && i < s.at+s.n; i++ {
		n, from := d.count(), len(c.instructions)
		c.instructions = room(d, c.instructions, n)
		c.blocks[i] = block{int32(from), int32(from + n)}
		for j := from; d.err == nil && j < from+n; j++ {
			c.instructions[j] = d.instruction(c, depth)
		}
	}
	return s
}

func (d *decoder) instruction(c *code, depth int) instruction {
	op := d.uint()
	if op >= uint64(opCount) {
		d.fail()
		return instruction{}
	}
	s := instruction{op: Op(op)}
	for i, kind := range []byte(shapes[op]) {
		switch kind {
		case 'A':
			d.part(&s, span{int32(len(c.args)), int32(d.count())})
			c.args = room(d, c.args, int(s.n))
			for j := s.at; d.err == nil && j < s.at+int32(s.n); j++ {
				c.args[j] = d.operand()
			}
		case 'B':
			d.part(&s, d.blocks(c, depth+1))
		default:
			*s.field(i) = d.operand()
		}
	}
	return s
}

func (d *decoder) part(s *instruction, of span) {
	if of.n > math.MaxUint16 {
		d.fail()
	}
	s.at, s.n = of.at, uint16(of.n)
}
