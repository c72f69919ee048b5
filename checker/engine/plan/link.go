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
