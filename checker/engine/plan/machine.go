package plan

import (
	"context"
	"errors"
	"fmt"
)

// MaxSteps bounds one run: about a second. The pack takes some ten thousand.
const MaxSteps = 20_000_000

// checkEvery steps the clock is looked at; a power of two.
const checkEvery = 1 << 10

var errSteps = fmt.Errorf("more than %d steps", MaxSteps)

// exit tells where evaluation goes on after a statement or block. From 0 on it
// is the number of blocks to leave besides the innermost; 0 is what OPA calls
// undefined.
type exit int

const (
	undefined exit = 0
	next      exit = -1 // the following statement
	returned  exit = -2 // leave the function; machine.value is its result
	failed    exit = -3 // leave the program; machine.err says why
)

// machine is one run of a program.
type machine struct {
	ctx     context.Context
	p       *Program
	value   Value
	err     error
	results []Value
	memo    []memo   // by function
	free    []Value  // room for the locals of calls
	args    [4]Value // of the built-in that is called
	// patterns are globs and regular expressions that were compiled, by text.
	patterns map[string]pattern
	steps    int
}

// memo holds the value of a rule, which is the same at every mention.
type memo struct {
	known bool
	value Value
}

// Run evaluates the query on an input and returns its results and the number of
// steps that it took. Built-in errors and conflicts are errors, as with OPA's
// strict mode.
func (p *Program) Run(ctx context.Context, input Value) (results []Value, steps int, err error) {
	defer func() {
		if r := recover(); r != nil {
			results, err = nil, fmt.Errorf("evaluator: %v", r)
		}
	}()
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	m := &machine{ctx: ctx, p: p, memo: make([]memo, len(p.Funcs)), free: make([]Value, p.locals)}
	c, err := p.Main.read(p)
	if err != nil {
		return nil, 0, err
	}
	locals := m.locals(&p.Main)
	locals[0], locals[1] = input, p.Data
	if m.blocks(c, c.own, locals) == failed {
		return nil, m.steps, m.err
	}
	return m.results, m.steps, nil
}

// locals returns room for the locals of f, all undefined.
func (m *machine) locals(f *Func) []Value {
	l := m.free[:f.Locals:f.Locals]
	m.free = m.free[f.Locals:]
	return l
}

// fail ends the run.
func (m *machine) fail(err error) exit {
	m.err = err
	return failed
}

// failAt is fail with the place in the rules.
func (m *machine) failAt(where Operand, err error) exit {
	return m.fail(fmt.Errorf("%s: %w", m.p.Consts[^where], err))
}

// operand returns nil for an undefined local.
func (m *machine) operand(l []Value, x Operand) Value {
	if x < 0 {
		return m.p.Consts[^x]
	}
	return l[x]
}

// overrun tells whether the run must end, and sets the error then.
func (m *machine) overrun() bool {
	m.err = m.ctx.Err()
	if m.steps > MaxSteps {
		m.err = errSteps
	}
	return m.err != nil
}

func (m *machine) block(c *code, b block, l []Value) exit {
	for i := b.from; i < b.to; i++ {
		if m.steps++; m.steps%checkEvery == 0 && m.overrun() {
			return failed
		}
		s := &c.instructions[i]
		if e := runners[s.op](m, c, s, l); e != next {
			return e
		}
	}
	return next
}

// blocks runs each block, also after one that was undefined.
func (m *machine) blocks(c *code, of span, l []Value) exit {
	for _, b := range c.blocksOf(of) {
		if e := m.block(c, b, l); e > 0 {
			return e - 1
		} else if e == returned || e == failed {
			return e
		}
	}
	return next
}

// call runs function i. The exit is next, undefined or failed.
func (m *machine) call(i Operand, args []Operand, caller []Value) (Value, exit) {
	f := &m.p.Funcs[i]
	isRule := f.Params == 2
	if isRule && m.memo[i].known {
		return defined(m.memo[i].value)
	}
	c, err := f.read(m.p)
	if err != nil {
		return nil, m.fail(err)
	}
	before := m.free
	l := m.locals(f)
	for j, a := range args {
		l[j] = m.operand(caller, a)
	}
	m.value = nil
	e := m.blocks(c, c.own, l)
	if e == failed {
		return nil, failed
	}
	var v Value
	if e == returned {
		v = m.value
	}
	clear(l)
	m.free = before
	if isRule {
		m.memo[i] = memo{true, v}
	}
	return defined(v)
}

func defined(v Value) (Value, exit) {
	if v == nil {
		return nil, undefined
	}
	return v, next
}

var (
	errConflict       = errors.New("conflict: a rule yields two values for one input")
	errObjectConflict = errors.New("conflict: an object has two values for one key")
	errNoValue        = errors.New("a value is undefined where one is needed, which is a bug of the plan")
)
