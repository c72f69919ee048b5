package plan

// runners execute the operations.
var runners [opCount]func(*machine, *Stmt, []Value) exit

// init and not the declaration: a call reads its function, which looks up runners.
func init() {
	runners = [opCount]func(*machine, *Stmt, []Value) exit{
		Assign: runAssign, AssignOnce: runAssignOnce, Reset: runReset, Dot: runDot, Len: runLen, Scan: runScan,
		Equal: runEqual, NotEqual: runNotEqual,
		IsArray:  func(m *machine, s *Stmt, l []Value) exit { return isType[*Array](m.operand(l, s.X)) },
		IsObject: func(m *machine, s *Stmt, l []Value) exit { return isType[*Object](m.operand(l, s.X)) },
		IsSet:    func(m *machine, s *Stmt, l []Value) exit { return isType[*Set](m.operand(l, s.X)) },
		IsDefined: func(_ *machine, s *Stmt, l []Value) exit {
			return holds(l[s.X] != nil)
		},
		IsUndefined: func(_ *machine, s *Stmt, l []Value) exit {
			return holds(l[s.X] == nil)
		},
		MakeArray:   func(_ *machine, s *Stmt, l []Value) exit { l[s.X] = &Array{}; return next },
		MakeObject:  func(_ *machine, s *Stmt, l []Value) exit { l[s.X] = &Object{}; return next },
		MakeSet:     func(_ *machine, s *Stmt, l []Value) exit { l[s.X] = &Set{}; return next },
		ArrayAppend: runArrayAppend, ObjectInsert: runObjectInsert, ObjectInsertOnce: runObjectInsertOnce, SetAdd: runSetAdd,
		Call: runCall, CallBuiltin: runCallBuiltin,
		Block:  func(m *machine, s *Stmt, l []Value) exit { return m.blocks(s.Blocks, l) },
		Not:    runNot,
		Break:  func(_ *machine, s *Stmt, _ []Value) exit { return exit(s.X) },
		Return: func(m *machine, s *Stmt, l []Value) exit { m.value = l[s.X]; return returned },
		ResultAdd: func(m *machine, s *Stmt, l []Value) exit {
			m.results = append(m.results, l[s.X])
			return next
		},
	}
}

func holds(yes bool) exit {
	if yes {
		return next
	}
	return undefined
}

func isType[T Value](v Value) exit {
	_, ok := v.(T)
	return holds(ok)
}

func runAssign(m *machine, s *Stmt, l []Value) exit {
	l[s.X] = m.operand(l, s.Y)
	return next
}

func runAssignOnce(m *machine, s *Stmt, l []Value) exit {
	v := m.operand(l, s.Y)
	if v == nil {
		return m.failAt(s.Where, errNoValue)
	}
	if l[s.X] != nil && !equal(l[s.X], v) {
		return m.failAt(s.Where, errConflict)
	}
	l[s.X] = v
	return next
}

func runReset(_ *machine, s *Stmt, l []Value) exit {
	l[s.X] = nil
	return next
}

func runDot(m *machine, s *Stmt, l []Value) exit {
	from, key := m.operand(l, s.Y), m.operand(l, s.Z)
	if from == nil || key == nil {
		return undefined
	}
	l[s.X] = get(from, key)
	return holds(l[s.X] != nil)
}

func runLen(m *machine, s *Stmt, l []Value) exit {
	n, ok := length(m.operand(l, s.Y))
	l[s.X] = Int(n)
	return holds(ok)
}

// length of a collection.
func length(v Value) (int, bool) {
	switch v := v.(type) {
	case *Array:
		return len(v.elems), true
	case *Set:
		return len(v.elems), true
	case *Object:
		return len(v.keys), true
	}
	return 0, false
}

// runScan runs the block for each element, in order; no element is no failure,
// nor is what has none.
func runScan(m *machine, s *Stmt, l []Value) exit {
	switch v := l[s.X].(type) {
	case *Array:
		for i, elem := range v.elems {
			if e := scan(m, s, l, Int(i), elem); e != next {
				return e
			}
		}
	case *Set:
		for _, elem := range v.elems {
			if e := scan(m, s, l, elem, elem); e != next {
				return e
			}
		}
	case *Object:
		for i, key := range v.keys {
			if e := scan(m, s, l, key, v.values[i]); e != next {
				return e
			}
		}
	}
	return next
}

func scan(m *machine, s *Stmt, l []Value, key, value Value) exit {
	l[s.Y], l[s.Z] = key, value
	if e := m.block(s.Blocks[0], l); e == returned || e == failed {
		return e
	}
	return next
}

func runEqual(m *machine, s *Stmt, l []Value) exit {
	a, b := m.operand(l, s.X), m.operand(l, s.Y)
	return holds(a != nil && b != nil && equal(a, b))
}

func runNotEqual(m *machine, s *Stmt, l []Value) exit {
	a, b := m.operand(l, s.X), m.operand(l, s.Y)
	return holds(a != nil && b != nil && !equal(a, b))
}

func runArrayAppend(m *machine, s *Stmt, l []Value) exit {
	array, ok := l[s.X].(*Array)
	v := m.operand(l, s.Y)
	if !ok || v == nil {
		return m.fail(errNoValue)
	}
	array.elems = append(array.elems, v)
	return next
}

func runSetAdd(m *machine, s *Stmt, l []Value) exit {
	set, ok := l[s.X].(*Set)
	v := m.operand(l, s.Y)
	if !ok || v == nil {
		return m.fail(errNoValue)
	}
	set.add(v)
	return next
}

func runObjectInsert(m *machine, s *Stmt, l []Value) exit {
	object, ok := l[s.X].(*Object)
	key, v := m.operand(l, s.Y), m.operand(l, s.Z)
	if !ok || key == nil || v == nil {
		return m.fail(errNoValue)
	}
	object.set(key, v)
	return next
}

func runObjectInsertOnce(m *machine, s *Stmt, l []Value) exit {
	object, ok := l[s.X].(*Object)
	key, v := m.operand(l, s.Y), m.operand(l, s.Z)
	if !ok || key == nil || v == nil {
		return m.failAt(s.Where, errNoValue)
	}
	if old := object.get(key); old != nil && !equal(old, v) {
		return m.failAt(s.Where, errObjectConflict)
	}
	object.set(key, v)
	return next
}

func runCall(m *machine, s *Stmt, l []Value) exit {
	v, e := m.call(s.Y, s.Args, l)
	l[s.X] = v
	return e
}

func runCallBuiltin(m *machine, s *Stmt, l []Value) exit {
	args := m.args[:len(s.Args)]
	for i, a := range s.Args {
		if args[i] = m.operand(l, a); args[i] == nil {
			return undefined
		}
	}
	v, err := m.p.builtins[s.Y].call(m, args)
	if err != nil {
		return m.failAt(s.Where, err)
	}
	l[s.X] = v
	return holds(v != nil)
}

// runNot goes on when its block does not run to its end.
func runNot(m *machine, s *Stmt, l []Value) exit {
	switch e := m.block(s.Blocks[0], l); {
	case e == next:
		return undefined
	case e == undefined:
		return next
	case e > 0:
		return e - 1
	default:
		return e
	}
}
