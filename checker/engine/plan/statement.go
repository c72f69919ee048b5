package plan

// runners execute the operations.
var runners [opCount]func(*machine, *code, *instruction, []Value) exit

// init and not the declaration: a call reads its function, which looks up runners.
func init() {
	runners = [opCount]func(*machine, *code, *instruction, []Value) exit{
		Assign: runAssign, AssignOnce: runAssignOnce, Reset: runReset, Dot: runDot, Len: runLen, Scan: runScan,
		Equal: runEqual, NotEqual: runNotEqual,
		IsArray:  func(m *machine, _ *code, s *instruction, l []Value) exit { return isType[*Array](m.operand(l, s.x)) },
		IsObject: func(m *machine, _ *code, s *instruction, l []Value) exit { return isType[*Object](m.operand(l, s.x)) },
		IsSet:    func(m *machine, _ *code, s *instruction, l []Value) exit { return isType[*Set](m.operand(l, s.x)) },
		IsDefined: func(_ *machine, _ *code, s *instruction, l []Value) exit {
			return holds(l[s.x] != nil)
		},
		IsUndefined: func(_ *machine, _ *code, s *instruction, l []Value) exit {
			return holds(l[s.x] == nil)
		},
		MakeArray:   func(_ *machine, _ *code, s *instruction, l []Value) exit { l[s.x] = &Array{}; return next },
		MakeObject:  func(_ *machine, _ *code, s *instruction, l []Value) exit { l[s.x] = &Object{}; return next },
		MakeSet:     func(_ *machine, _ *code, s *instruction, l []Value) exit { l[s.x] = &Set{}; return next },
		ArrayAppend: runArrayAppend, ObjectInsert: runObjectInsert, ObjectInsertOnce: runObjectInsertOnce, SetAdd: runSetAdd,
		Call: runCall, CallBuiltin: runCallBuiltin,
		Block:  func(m *machine, c *code, s *instruction, l []Value) exit { return m.blocks(c, s.inner(), l) },
		Not:    runNot,
		Break:  func(_ *machine, _ *code, s *instruction, _ []Value) exit { return exit(s.x) },
		Return: func(m *machine, _ *code, s *instruction, l []Value) exit { m.value = l[s.x]; return returned },
		ResultAdd: func(m *machine, _ *code, s *instruction, l []Value) exit {
			m.results = append(m.results, l[s.x])
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

func runAssign(m *machine, _ *code, s *instruction, l []Value) exit {
	l[s.x] = m.operand(l, s.y)
	return next
}

func runAssignOnce(m *machine, _ *code, s *instruction, l []Value) exit {
	v := m.operand(l, s.y)
	if v == nil {
		return m.failAt(s.where, errNoValue)
	}
	if l[s.x] != nil && !equal(l[s.x], v) {
		return m.failAt(s.where, errConflict)
	}
	l[s.x] = v
	return next
}

func runReset(_ *machine, _ *code, s *instruction, l []Value) exit {
	l[s.x] = nil
	return next
}

func runDot(m *machine, _ *code, s *instruction, l []Value) exit {
	from, key := m.operand(l, s.y), m.operand(l, s.z)
	if from == nil || key == nil {
		return undefined
	}
	l[s.x] = get(from, key)
	return holds(l[s.x] != nil)
}

func runLen(m *machine, _ *code, s *instruction, l []Value) exit {
	n, ok := length(m.operand(l, s.y))
	l[s.x] = Int(n)
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
func runScan(m *machine, c *code, s *instruction, l []Value) exit {
	switch v := l[s.x].(type) {
	case *Array:
		for i, elem := range v.elems {
			if e := scan(m, c, s, l, Int(i), elem); e != next {
				return e
			}
		}
	case *Set:
		for _, elem := range v.elems {
			if e := scan(m, c, s, l, elem, elem); e != next {
				return e
			}
		}
	case *Object:
		for i, key := range v.keys {
			if e := scan(m, c, s, l, key, v.values[i]); e != next {
				return e
			}
		}
	}
	return next
}

func scan(m *machine, c *code, s *instruction, l []Value, key, value Value) exit {
	l[s.y], l[s.z] = key, value
	if e := m.block(c, c.blocks[s.at], l); e == returned || e == failed {
		return e
	}
	return next
}

func runEqual(m *machine, _ *code, s *instruction, l []Value) exit {
	a, b := m.operand(l, s.x), m.operand(l, s.y)
	return holds(a != nil && b != nil && equal(a, b))
}

func runNotEqual(m *machine, _ *code, s *instruction, l []Value) exit {
	a, b := m.operand(l, s.x), m.operand(l, s.y)
	return holds(a != nil && b != nil && !equal(a, b))
}

func runArrayAppend(m *machine, _ *code, s *instruction, l []Value) exit {
	array, ok := l[s.x].(*Array)
	v := m.operand(l, s.y)
	if !ok || v == nil {
		return m.fail(errNoValue)
	}
	array.elems = append(array.elems, v)
	return next
}

func runSetAdd(m *machine, _ *code, s *instruction, l []Value) exit {
	set, ok := l[s.x].(*Set)
	v := m.operand(l, s.y)
	if !ok || v == nil {
		return m.fail(errNoValue)
	}
	set.add(v)
	return next
}

func runObjectInsert(m *machine, _ *code, s *instruction, l []Value) exit {
	object, ok := l[s.x].(*Object)
	key, v := m.operand(l, s.y), m.operand(l, s.z)
	if !ok || key == nil || v == nil {
		return m.fail(errNoValue)
	}
	object.set(key, v)
	return next
}

func runObjectInsertOnce(m *machine, _ *code, s *instruction, l []Value) exit {
	object, ok := l[s.x].(*Object)
	key, v := m.operand(l, s.y), m.operand(l, s.z)
	if !ok || key == nil || v == nil {
		return m.failAt(s.where, errNoValue)
	}
	if old := object.get(key); old != nil && !equal(old, v) {
		return m.failAt(s.where, errObjectConflict)
	}
	object.set(key, v)
	return next
}

func runCall(m *machine, c *code, s *instruction, l []Value) exit {
	v, e := m.call(s.y, c.argsOf(s), l)
	l[s.x] = v
	return e
}

func runCallBuiltin(m *machine, c *code, s *instruction, l []Value) exit {
	args := m.args[:s.n]
	for i, a := range c.argsOf(s) {
		if args[i] = m.operand(l, a); args[i] == nil {
			return undefined
		}
	}
	v, err := m.p.builtins[s.y].call(m, args)
	if err != nil {
		return m.failAt(s.where, err)
	}
	l[s.x] = v
	return holds(v != nil)
}

// runNot goes on when its block does not run to its end.
func runNot(m *machine, c *code, s *instruction, l []Value) exit {
	switch e := m.block(c, c.blocks[s.at], l); {
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
