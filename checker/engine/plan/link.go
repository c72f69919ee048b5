package plan

import (
	"errors"
	"fmt"
	"iter"
)

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
		if p.locals += f.Locals; p.locals > maxAllLocals {
			return fmt.Errorf("function %s: more than %d locals of all functions", f.Name, maxAllLocals)
		}
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
		c, err := f.read(p)
		if err != nil {
			return err
		}
		callees = append(callees, c.calls())
	}
	return p.checkRecursion(callees)
}

// calls are the functions that c calls.
func (c *code) calls() (list []int) {
	for _, s := range c.instructions {
		if s.op == Call {
			list = append(list, int(s.y))
		}
	}
	return list
}

// maxCalls bounds the depth of calls: each takes some of the stack.
const maxCalls = 2000

// checkRecursion refuses functions that can call themselves, or others that deep.
func (p *Program) checkRecursion(callees [][]int) error {
	const entered = -1
	depths := make([]int, len(callees)) // of the calls of each, itself counted
	var visit func(i int) error
	visit = func(i int) error {
		if depths[i] == entered {
			return fmt.Errorf("function %s is recursive", p.Funcs[i].Name)
		}
		if depths[i] > 0 {
			return nil
		}
		depths[i] = entered
		deepest := 0
		for _, c := range callees[i] {
			if err := visit(c); err != nil {
				return err
			}
			deepest = max(deepest, depths[c])
		}
		if depths[i] = deepest + 1; deepest > maxCalls {
			return fmt.Errorf("more than %d functions call each other in turn", maxCalls)
		}
		return nil
	}
	return visit(len(callees) - 1)
}

// linker checks one function.
type linker struct {
	p    *Program
	f    *Func
	code *code
}

// blocks checks nested blocks; depth is how many a Break in them can leave.
func (l *linker) blocks(of span, depth int) error {
	for _, b := range l.code.blocksOf(of) {
		for i := b.from; i < b.to; i++ {
			s := &l.code.instructions[i]
			if err := l.instruction(s, depth); err != nil {
				return fmt.Errorf("statement %d, operation %d: %w", i-b.from, s.op, err)
			}
		}
	}
	return nil
}

var errRange = errors.New("operand out of range")

func (l *linker) instruction(s *instruction, depth int) error {
	for i, kind := range []byte(shapes[s.op]) {
		ok := true
		switch kind {
		case 'A':
			for _, a := range l.code.argsOf(s) {
				ok = ok && l.operand(a)
			}
		case 'B':
			inner := depth + 1
			if s.op == Scan {
				inner = 1 // leaving a scan by Break has no use, so no meaning here
			}
			if err := l.blocks(s.inner(), inner); err != nil {
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
func (l *linker) shape(s *instruction) error {
	switch s.op {
	case Call:
		callee, args := &l.p.Funcs[s.y], l.code.argsOf(s)
		if len(args) != callee.Params || args[0] != 0 || args[1] != 1 {
			return fmt.Errorf("call of %s with other arguments than it takes", callee.Name)
		}
	case CallBuiltin:
		if want := l.p.builtins[s.y].arity; int(s.n) != want {
			return fmt.Errorf("%s takes %d arguments, not %d", l.p.Builtins[s.y], want, s.n)
		}
	case Scan, Not:
		if s.n != 1 {
			return errors.New("one block is needed")
		}
	}
	return nil
}
