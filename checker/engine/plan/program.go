// Package plan evaluates Rego that was compiled ahead of time to OPA's
// intermediate representation (https://www.openpolicyagent.org/docs/ir), without
// OPA. It knows the statements and built-in functions below and no others: a
// program that needs more is refused when it is loaded, never guessed at.
package plan

import (
	"errors"
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
	Blocks [][]Stmt // as the function was made; nil in one that was decoded

	decoded *decoded
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
}

// field is that of s for the i-th letter of its shape.
func (s *Stmt) field(i int) Operand {
	return *(&instruction{op: s.Op, x: s.X, y: s.Y, z: s.Z, where: s.Where}).field(i)
}
