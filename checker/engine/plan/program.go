// Package plan evaluates Rego that was compiled ahead of time to OPA's
// intermediate representation (https://www.openpolicyagent.org/docs/ir), without
// OPA. It knows the statements and built-in functions below and no others: a
// program that needs more is refused when it is loaded, never guessed at.
package plan

import (
	"errors"
	"fmt"
	"iter"
)

// ErrUnsupported is in the errors for what OPA can do and this package can not.
var ErrUnsupported = errors.New("not supported by ocjail's evaluator")

// Program is a compiled query, with the data that it reads.
type Program struct {
	Consts   []Value // strings, booleans, null and numbers that statements name
	Data     Value   // the base documents, what Rego calls data
	Meta     Value   // whatever the maker of the program wants to keep with it
	Builtins []string
	Funcs    []Func
	// Main is the query. Its parameters are the input and the data, as are the
	// first two of every function.
	Main Func

	builtins []builtin
	locals   int // of all functions together: none is active twice at a time
}

// Func is a Rego function or rule. The first locals are its parameters.
type Func struct {
	Name   string
	Params int
	Locals int
	Blocks [][]Stmt // of one that was decoded, once it was read

	later *later
}

// Op is the operation of a statement.
type Op uint8

// The operations, named as in OPA's package ir. MakeNull, MakeNumber and
// AssignInt are Assign of a constant; With, CallDynamic and ObjectMerge are not
// supported.
const (
	Assign Op = iota
	AssignOnce
	Reset
	Dot
	Len
	Scan
	Equal
	NotEqual
	IsArray
	IsObject
	IsSet
	IsDefined
	IsUndefined
	MakeArray
	MakeObject
	MakeSet
	ArrayAppend
	ObjectInsert
	ObjectInsertOnce
	SetAdd
	Call
	CallBuiltin
	Block
	Not
	Break
	Return
	ResultAdd
	opCount

	// Ops is how many operations there are.
	Ops = int(opCount)
)

// Operand is a local variable when it is not negative, else a constant: -1 is
// the first of Program.Consts, -2 the second.
type Operand = int32

// Const is the operand for constant i.
func Const(i int) Operand { return Operand(^i) }

// shapes tell which fields of a statement an operation uses, in order of X, Y, Z:
// l, a local; v, an operand; n, a number; f, a function's index; b, a built-in's;
// p, the constant that says where the statement was written; then, without a
// field among these three, A for Args and B for Blocks.
var shapes = [opCount]string{
	Assign: "lv", AssignOnce: "lvp", Reset: "l", Dot: "lvv", Len: "lv", Scan: "lllB",
	Equal: "vv", NotEqual: "vv", IsArray: "v", IsObject: "v", IsSet: "v", IsDefined: "l", IsUndefined: "l",
	MakeArray: "l", MakeObject: "l", MakeSet: "l", ArrayAppend: "lv", ObjectInsert: "lvv", ObjectInsertOnce: "lvvp", SetAdd: "lv",
	Call: "lfA", CallBuiltin: "lbpA", Block: "B", Not: "B", Break: "n", Return: "l", ResultAdd: "l",
}

// Stmt is one statement.
type Stmt struct {
	Op      Op
	X, Y, Z Operand
	Where   Operand // a constant "FILE:LINE", of operations that can err
	Args    []Operand
	Blocks  [][]Stmt

	run func(*machine, *Stmt, []Value) exit
}

// field is that of s for the i-th letter of its shape.
func (s *Stmt) field(i int) *Operand {
	switch {
	case shapes[s.Op][i] == 'p':
		return &s.Where
	case i == 0:
		return &s.X
	case i == 1:
		return &s.Y
	}
	return &s.Z
}

// prepare checks all but the bodies of functions.
func (p *Program) prepare() error {
	p.builtins = make([]builtin, len(p.Builtins))
	for i, name := range p.Builtins {
		b, ok := builtins[name]
		if !ok {
			return fmt.Errorf("built-in %s: %w", name, ErrUnsupported)
		}
		p.builtins[i] = b
	}
	if p.Data == nil || p.Meta == nil {
		return errors.New("no data")
	}
	for f := range p.all() {
		if f.Params < 2 || f.Params > f.Locals {
			return fmt.Errorf("function %s: %d parameters of %d locals", f.Name, f.Params, f.Locals)
		}
		p.locals += f.Locals
	}
	return nil
}

// all are the functions and, last, the query.
func (p *Program) all() iter.Seq[*Func] {
	return func(yield func(*Func) bool) {
		for i := range p.Funcs {
			if !yield(&p.Funcs[i]) {
				return
			}
		}
		yield(&p.Main)
	}
}

// link checks that p can be run without a further look, and makes it ready.
func (p *Program) link() error {
	if err := p.prepare(); err != nil {
		return err
	}
	var callees [][]int
	for f := range p.all() {
		if err := f.read(p); err != nil {
			return err
		}
		callees = append(callees, calls(f.Blocks))
	}
	return p.checkRecursion(callees)
}

// calls are the functions that blocks call.
func calls(bs [][]Stmt) (list []int) {
	for _, b := range bs {
		for i := range b {
			if b[i].Op == Call {
				list = append(list, int(b[i].Y))
			}
			list = append(list, calls(b[i].Blocks)...)
		}
	}
	return list
}

// checkRecursion refuses functions that can call themselves, so that the depth
// of calls is bounded.
func (p *Program) checkRecursion(callees [][]int) error {
	const entered, left = 1, 2
	state := make([]int, len(callees))
	var visit func(i int) error
	visit = func(i int) error {
		if state[i] == entered {
			return fmt.Errorf("function %s is recursive", p.Funcs[i].Name)
		}
		if state[i] == left {
			return nil
		}
		state[i] = entered
		for _, c := range callees[i] {
			if err := visit(c); err != nil {
				return err
			}
		}
		state[i] = left
		return nil
	}
	return visit(len(callees) - 1)
}

// linker checks one function.
type linker struct {
	p *Program
	f *Func
}

// blocks checks nested blocks; depth is how many a Break in them can leave.
func (l *linker) blocks(bs [][]Stmt, depth int) error {
	for _, b := range bs {
		for i := range b {
			if err := l.stmt(&b[i], depth); err != nil {
				return fmt.Errorf("statement %d, operation %d: %w", i, b[i].Op, err)
			}
		}
	}
	return nil
}

var errRange = errors.New("operand out of range")

func (l *linker) stmt(s *Stmt, depth int) error {
	if s.Op >= opCount {
		return errors.New("unsupported operation")
	}
	s.run = runners[s.Op]
	for i, kind := range []byte(shapes[s.Op]) {
		ok := true
		switch kind {
		case 'A':
			for _, a := range s.Args {
				ok = ok && l.operand(a)
			}
		case 'B':
			inner := depth + 1
			if s.Op == Scan {
				inner = 1 // leaving a scan by Break has no use, so no meaning here
			}
			if err := l.blocks(s.Blocks, inner); err != nil {
				return err
			}
		default:
			ok = l.field(kind, *s.field(i), depth)
		}
		if !ok {
			return errRange
		}
	}
	return l.shape(s)
}

// field checks one field.
func (l *linker) field(kind byte, x Operand, depth int) bool {
	switch kind {
	case 'l':
		return x >= 0 && int(x) < l.f.Locals
	case 'v':
		return l.operand(x)
	case 'p':
		return x < 0 && l.operand(x)
	case 'n':
		return x >= 0 && int(x) < depth
	case 'f':
		return x >= 0 && int(x) < len(l.p.Funcs)
	default:
		return x >= 0 && int(x) < len(l.p.builtins)
	}
}

func (l *linker) operand(x Operand) bool {
	if x < 0 {
		return int(^x) < len(l.p.Consts)
	}
	return int(x) < l.f.Locals
}

// shape checks what is peculiar to some operations.
func (l *linker) shape(s *Stmt) error {
	switch s.Op {
	case Call:
		callee := &l.p.Funcs[s.Y]
		if len(s.Args) != callee.Params || s.Args[0] != 0 || s.Args[1] != 1 {
			return fmt.Errorf("call of %s with other arguments than it takes", callee.Name)
		}
	case CallBuiltin:
		if want := l.p.builtins[s.Y].arity; len(s.Args) != want {
			return fmt.Errorf("%s takes %d arguments, not %d", l.p.Builtins[s.Y], want, len(s.Args))
		}
	case Scan, Not:
		if len(s.Blocks) != 1 {
			return errors.New("one block is needed")
		}
	}
	return nil
}
