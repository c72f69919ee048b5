package planner

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/open-policy-agent/opa/v1/ir"

	"github.com/refnil/opencode-jail-devenv/checker/engine/plan"
)

// Lower turns OPA's representation into a program without data. An error names
// the statement that package plan does not know.
func Lower(p *ir.Policy) (*plan.Program, error) {
	if len(p.Plans.Plans) != 1 {
		return nil, fmt.Errorf("%d queries: one can be planned", len(p.Plans.Plans))
	}
	l := &lowering{policy: p, out: &plan.Program{}, consts: map[plan.Value]plan.Operand{}, funcs: map[string]int{}, builtins: map[string]int{}}
	for i, f := range p.Funcs.Funcs {
		l.funcs[f.Name] = i
	}
	for _, f := range p.Funcs.Funcs {
		lowered, err := l.function(f.Name, f.Params, f.Blocks)
		if err != nil {
			return nil, err
		}
		l.out.Funcs = append(l.out.Funcs, lowered)
	}
	main, err := l.function("query", []ir.Local{ir.Input, ir.Data}, p.Plans.Plans[0].Blocks)
	if err != nil {
		return nil, err
	}
	l.out.Main = main
	return l.out, nil
}

type lowering struct {
	policy   *ir.Policy
	out      *plan.Program
	consts   map[plan.Value]plan.Operand // scalars only, which can be keys
	funcs    map[string]int
	builtins map[string]int
	locals   map[ir.Local]plan.Operand // of the function that is lowered
}

func (l *lowering) function(name string, params []ir.Local, blocks []*ir.Block) (plan.Func, error) {
	l.locals = map[ir.Local]plan.Operand{}
	for _, p := range params {
		l.local(p)
	}
	lowered, err := l.blocks(blocks)
	if err != nil {
		return plan.Func{}, fmt.Errorf("%s: %w", name, err)
	}
	return plan.Func{Name: name, Params: len(params), Locals: len(l.locals), Blocks: lowered}, nil
}

// local numbers locals as they come up, parameters first.
func (l *lowering) local(x ir.Local) plan.Operand {
	n, ok := l.locals[x]
	if !ok {
		n = plan.Operand(len(l.locals))
		l.locals[x] = n
	}
	return n
}

func (l *lowering) constant(v plan.Value) plan.Operand {
	x, ok := l.consts[v]
	if !ok {
		x = plan.Const(len(l.out.Consts))
		l.consts[v] = x
		l.out.Consts = append(l.out.Consts, v)
	}
	return x
}

func (l *lowering) text(i int) plan.String { return plan.String(l.policy.Static.Strings[i].Value) }

func (l *lowering) operand(o ir.Operand) plan.Operand {
	switch v := o.Value.(type) {
	case ir.Local:
		return l.local(v)
	case ir.StringIndex:
		return l.constant(l.text(int(v)))
	default:
		return l.constant(plan.Bool(bool(v.(ir.Bool))))
	}
}

func (l *lowering) operands(os []ir.Operand) []plan.Operand {
	args := make([]plan.Operand, len(os))
	for i, o := range os {
		args[i] = l.operand(o)
	}
	return args
}

// where is the constant that names the place in the sources.
func (l *lowering) where(s *ir.Location) plan.Operand {
	file := "query"
	if s.File < len(l.policy.Static.Files) {
		file = l.policy.Static.Files[s.File].Value
	}
	return l.constant(plan.String(file + ":" + strconv.Itoa(s.Row)))
}

func (l *lowering) blocks(bs []*ir.Block) ([][]plan.Stmt, error) {
	lowered := make([][]plan.Stmt, len(bs))
	for i, b := range bs {
		for _, s := range b.Stmts {
			out, err := l.stmt(s)
			if err != nil {
				return nil, err
			}
			lowered[i] = append(lowered[i], out...)
		}
	}
	return lowered, nil
}

func one(s plan.Stmt) ([]plan.Stmt, error) { return []plan.Stmt{s}, nil }

// stmt tries the groups of statements in turn.
func (l *lowering) stmt(s ir.Stmt) ([]plan.Stmt, error) {
	for _, group := range []func(ir.Stmt) ([]plan.Stmt, error){l.control, l.assignment, l.condition, l.construction} {
		if out, err := group(s); out != nil || err != nil {
			return out, err
		}
	}
	return nil, fmt.Errorf("%s: statement %T: %w", l.out.Consts[^l.where(s.GetLocation())], s, plan.ErrUnsupported)
}

func (l *lowering) control(s ir.Stmt) ([]plan.Stmt, error) {
	switch s := s.(type) {
	case *ir.NopStmt:
		return []plan.Stmt{}, nil
	case *ir.ReturnLocalStmt:
		return one(plan.Stmt{Op: plan.Return, X: l.local(s.Source)})
	case *ir.ResultSetAddStmt:
		return one(plan.Stmt{Op: plan.ResultAdd, X: l.local(s.Value)})
	case *ir.BreakStmt:
		return one(plan.Stmt{Op: plan.Break, X: plan.Operand(s.Index)})
	case *ir.BlockStmt:
		return l.nested(plan.Stmt{Op: plan.Block}, s.Blocks)
	case *ir.NotStmt:
		return l.nested(plan.Stmt{Op: plan.Not}, []*ir.Block{s.Block})
	case *ir.ScanStmt:
		return l.nested(plan.Stmt{Op: plan.Scan, X: l.local(s.Source), Y: l.local(s.Key), Z: l.local(s.Value)}, []*ir.Block{s.Block})
	case *ir.CallStmt:
		return l.call(s)
	}
	return nil, nil
}

func (l *lowering) nested(s plan.Stmt, blocks []*ir.Block) ([]plan.Stmt, error) {
	var err error
	s.Blocks, err = l.blocks(blocks)
	return []plan.Stmt{s}, err
}

func (l *lowering) call(s *ir.CallStmt) ([]plan.Stmt, error) {
	args := l.operands(s.Args)
	if i, ok := l.funcs[s.Func]; ok {
		return one(plan.Stmt{Op: plan.Call, X: l.local(s.Result), Y: plan.Operand(i), Args: args})
	}
	if !slices.ContainsFunc(l.policy.Static.BuiltinFuncs, func(b *ir.BuiltinFunc) bool { return b.Name == s.Func }) {
		return nil, fmt.Errorf("no function %s", s.Func)
	}
	i, ok := l.builtins[s.Func]
	if !ok {
		i = len(l.out.Builtins)
		l.builtins[s.Func] = i
		l.out.Builtins = append(l.out.Builtins, s.Func)
	}
	return one(plan.Stmt{Op: plan.CallBuiltin, X: l.local(s.Result), Y: plan.Operand(i), Where: l.where(&s.Location), Args: args})
}

func (l *lowering) assignment(s ir.Stmt) ([]plan.Stmt, error) {
	switch s := s.(type) {
	case *ir.AssignVarStmt:
		return one(plan.Stmt{Op: plan.Assign, X: l.local(s.Target), Y: l.operand(s.Source)})
	case *ir.AssignVarOnceStmt:
		return one(plan.Stmt{Op: plan.AssignOnce, X: l.local(s.Target), Y: l.operand(s.Source), Where: l.where(&s.Location)})
	case *ir.AssignIntStmt:
		return one(plan.Stmt{Op: plan.Assign, X: l.local(s.Target), Y: l.constant(plan.Int(s.Value))})
	case *ir.MakeNullStmt:
		return one(plan.Stmt{Op: plan.Assign, X: l.local(s.Target), Y: l.constant(plan.Null{})})
	case *ir.MakeNumberIntStmt:
		return one(plan.Stmt{Op: plan.Assign, X: l.local(s.Target), Y: l.constant(plan.Int(s.Value))})
	case *ir.MakeNumberRefStmt:
		n, err := plan.ParseJSON([]byte(l.text(s.Index)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.out.Consts[^l.where(&s.Location)], err)
		}
		return one(plan.Stmt{Op: plan.Assign, X: l.local(s.Target), Y: l.constant(n)})
	case *ir.ResetLocalStmt:
		return one(plan.Stmt{Op: plan.Reset, X: l.local(s.Target)})
	case *ir.DotStmt:
		return one(plan.Stmt{Op: plan.Dot, X: l.local(s.Target), Y: l.operand(s.Source), Z: l.operand(s.Key)})
	case *ir.LenStmt:
		return one(plan.Stmt{Op: plan.Len, X: l.local(s.Target), Y: l.operand(s.Source)})
	}
	return nil, nil
}

func (l *lowering) condition(s ir.Stmt) ([]plan.Stmt, error) {
	switch s := s.(type) {
	case *ir.EqualStmt:
		return one(plan.Stmt{Op: plan.Equal, X: l.operand(s.A), Y: l.operand(s.B)})
	case *ir.NotEqualStmt:
		return one(plan.Stmt{Op: plan.NotEqual, X: l.operand(s.A), Y: l.operand(s.B)})
	case *ir.IsArrayStmt:
		return one(plan.Stmt{Op: plan.IsArray, X: l.operand(s.Source)})
	case *ir.IsObjectStmt:
		return one(plan.Stmt{Op: plan.IsObject, X: l.operand(s.Source)})
	case *ir.IsSetStmt:
		return one(plan.Stmt{Op: plan.IsSet, X: l.operand(s.Source)})
	case *ir.IsDefinedStmt:
		return one(plan.Stmt{Op: plan.IsDefined, X: l.local(s.Source)})
	case *ir.IsUndefinedStmt:
		return one(plan.Stmt{Op: plan.IsUndefined, X: l.local(s.Source)})
	}
	return nil, nil
}

func (l *lowering) construction(s ir.Stmt) ([]plan.Stmt, error) {
	switch s := s.(type) {
	case *ir.MakeArrayStmt:
		return one(plan.Stmt{Op: plan.MakeArray, X: l.local(s.Target)})
	case *ir.MakeObjectStmt:
		return one(plan.Stmt{Op: plan.MakeObject, X: l.local(s.Target)})
	case *ir.MakeSetStmt:
		return one(plan.Stmt{Op: plan.MakeSet, X: l.local(s.Target)})
	case *ir.ArrayAppendStmt:
		return one(plan.Stmt{Op: plan.ArrayAppend, X: l.local(s.Array), Y: l.operand(s.Value)})
	case *ir.ObjectInsertStmt:
		return one(plan.Stmt{Op: plan.ObjectInsert, X: l.local(s.Object), Y: l.operand(s.Key), Z: l.operand(s.Value)})
	case *ir.ObjectInsertOnceStmt:
		return one(plan.Stmt{Op: plan.ObjectInsertOnce, X: l.local(s.Object), Y: l.operand(s.Key), Z: l.operand(s.Value), Where: l.where(&s.Location)})
	case *ir.SetAddStmt:
		return one(plan.Stmt{Op: plan.SetAdd, X: l.local(s.Set), Y: l.operand(s.Value)})
	}
	return nil, nil
}
