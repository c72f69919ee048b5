package plan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

// program is a query whose result is local 2.
func program(consts []Value, builtins []string, stmts ...Stmt) *Program {
	stmts = append(stmts, Stmt{Op: ResultAdd, X: 2})
	return &Program{
		Consts: append([]Value{String("query:1")}, consts...), Data: &Object{}, Meta: Null{}, Builtins: builtins,
		Main: Func{Name: "query", Params: 2, Locals: 8, Blocks: [][]Stmt{stmts}},
	}
}

// where is the constant for a place that program adds.
var where = Const(0)

func run(t *testing.T, p *Program, input Value) ([]Value, error) {
	t.Helper()
	loaded, err := Load(p.Encode())
	if err != nil {
		t.Fatal(err)
	}
	results, steps, err := loaded.Run(t.Context(), input)
	opened, openErr := Open(string(p.Encode()))
	if openErr != nil {
		t.Fatal(openErr)
	}
	again, stepsAgain, errAgain := opened.Run(t.Context(), input)
	if fmt.Sprint(results, err) != fmt.Sprint(again, errAgain) || steps != stepsAgain {
		t.Errorf("loaded: %v, %v in %d steps; opened: %v, %v in %d", results, err, steps, again, errAgain, stepsAgain)
	}
	return results, err
}

func TestLoadRefuses(t *testing.T) {
	call := func(f Operand, args ...Operand) Stmt { return Stmt{Op: Call, X: 2, Y: f, Args: args} }
	recursive := program(nil, nil, call(0, 0, 1))
	recursive.Funcs = []Func{
		{Name: "a", Params: 2, Locals: 3, Blocks: [][]Stmt{{call(1, 0, 1)}}},
		{Name: "b", Params: 2, Locals: 3, Blocks: [][]Stmt{{call(0, 0, 1)}}},
	}
	swapped := program(nil, nil, call(0, 1, 0))
	swapped.Funcs = []Func{{Name: "a", Params: 2, Locals: 3}}
	noParams := program(nil, nil)
	noParams.Main.Params = 1
	unsorted := program([]Value{&Set{[]Value{Int(2), Int(1)}}}, nil)
	for _, tc := range []struct {
		name, want string
		p          *Program
	}{
		{"built-in", "built-in http.send: not supported", program(nil, []string{"http.send"})},
		{"recursion", "recursive", recursive},
		{"arguments swapped", "other arguments", swapped},
		{"function", "out of range", program(nil, nil, call(0, 0, 1))},
		{"local", "out of range", program(nil, nil, Stmt{Op: Reset, X: 8})},
		{"negative local", "out of range", program(nil, nil, Stmt{Op: Reset, X: -1})},
		{"constant", "out of range", program(nil, nil, Stmt{Op: Assign, X: 2, Y: Const(1)})},
		{"break", "out of range", program(nil, nil, Stmt{Op: Break, X: 1})},
		{"break of a scan", "out of range", program(nil, nil, Stmt{Op: Scan, X: 2, Y: 3, Z: 4, Blocks: [][]Stmt{{{Op: Break, X: 1}}}})},
		{"nested", "out of range", program(nil, nil, Stmt{Op: Not, Blocks: [][]Stmt{{{Op: Reset, X: 8}}}})},
		{"scan of nothing", "one block", program(nil, nil, Stmt{Op: Scan, X: 2, Y: 3, Z: 4})},
		{"arity", "takes 1 arguments", program(nil, []string{"count"}, Stmt{Op: CallBuiltin, X: 2, Where: where})},
		{"place", "out of range", program(nil, []string{"count"}, Stmt{Op: CallBuiltin, X: 2, Where: 3, Args: []Operand{0}})},
		{"parameters", "1 parameters", noParams},
		{"order", "broken", unsorted},
	} {
		if _, err := Load(tc.p.Encode()); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one with %q", tc.name, err, tc.want)
		}
		// Nobody opens such a program, but if somebody did it would come to no result.
		opened, err := Open(string(tc.p.Encode()))
		if err == nil {
			_, _, err = opened.Run(t.Context(), Null{})
		}
		if err == nil {
			t.Errorf("%s: opened, it runs", tc.name)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	for _, tc := range []struct {
		name, want string
		p          *Program
	}{
		{"type", "query:1: operand 1 must be string but got number", program([]Value{Int(1)}, []string{"lower"}, Stmt{Op: CallBuiltin, X: 2, Where: where, Args: []Operand{Const(1)}})},
		{"zero", "divide by zero", program([]Value{Int(0)}, []string{"div"}, Stmt{Op: CallBuiltin, X: 2, Where: where, Args: []Operand{Const(1), Const(1)}})},
		{"conflict", "query:1: conflict", program([]Value{Int(0), Int(1)}, nil, Stmt{Op: AssignOnce, X: 2, Y: Const(1), Where: where}, Stmt{Op: AssignOnce, X: 2, Y: Const(2), Where: where})},
		{"key conflict", "two values for one key", program([]Value{Int(0), Int(1)}, nil, Stmt{Op: MakeObject, X: 2},
			Stmt{Op: ObjectInsertOnce, X: 2, Y: Const(0), Z: Const(1), Where: where}, Stmt{Op: ObjectInsertOnce, X: 2, Y: Const(0), Z: Const(2), Where: where})},
		{"no array", "undefined where", program([]Value{Int(0)}, nil, Stmt{Op: ArrayAppend, X: 2, Y: Const(1)})},
		{"no value", "undefined where", program(nil, nil, Stmt{Op: MakeSet, X: 2}, Stmt{Op: SetAdd, X: 2, Y: 3})},
	} {
		if results, err := run(t, tc.p, Null{}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, error %v, want one with %q", tc.name, results, err, tc.want)
		}
	}
}

// endless scans numbers in numbers, 10^10 of them.
func endless(t *testing.T) *Program {
	body := Stmt{Op: Scan, X: 2, Y: 5, Z: 6, Blocks: [][]Stmt{{{Op: Reset, X: 7}}}}
	p, err := Load(program([]Value{Int(1), Int(maxRange)}, []string{"numbers.range"},
		Stmt{Op: CallBuiltin, X: 2, Where: where, Args: []Operand{Const(1), Const(2)}},
		Stmt{Op: Scan, X: 2, Y: 3, Z: 4, Blocks: [][]Stmt{{body}}}).Encode())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRunStops(t *testing.T) {
	_, steps, err := endless(t).Run(t.Context(), Null{})
	if err == nil || !strings.Contains(err.Error(), "steps") || steps > MaxSteps+checkEvery {
		t.Errorf("%d steps, error %v", steps, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, _, err := endless(t).Run(ctx, Null{}); err == nil || ctx.Err() == nil {
		t.Errorf("error %v", err)
	}
}

func TestDepthIsBounded(t *testing.T) {
	doc := strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1)
	if v, err := ParseJSON([]byte(doc)); err == nil {
		t.Errorf("accepted: %s", Text(v))
	}
	deep := Stmt{Op: Reset, X: 2}
	for range maxNesting + 1 {
		deep = Stmt{Op: Block, Blocks: [][]Stmt{{deep}}}
	}
	if _, err := Load(program(nil, nil, deep).Encode()); err == nil {
		t.Error("statements nested beyond the bound were accepted")
	}
}

func TestNumbers(t *testing.T) {
	for _, bad := range []string{"0.5", "1.0", "1e3", "-0", "9223372036854775808"} {
		if v, err := ParseJSON([]byte(bad)); err == nil {
			t.Errorf("%s: accepted as %s", bad, Text(v))
		}
	}
	const low, high = Int(math.MinInt64), Int(math.MaxInt64)
	for _, tc := range []struct {
		name string
		f    func(x, y Int) (Int, error)
		x, y Int
	}{
		{"add", add, high, 1}, {"add", add, low, -1}, {"subtract", subtract, low, 1}, {"subtract", subtract, 0, low}, {"multiply", multiply, low, -1},
		{"multiply", multiply, -1, low}, {"multiply", multiply, high, 2}, {"divide", divide, low, -1}, {"divide", divide, 1, 2}, {"divide", divide, 0, -1},
	} {
		if z, err := tc.f(tc.x, tc.y); err == nil {
			t.Errorf("%s(%d, %d) = %d", tc.name, tc.x, tc.y, z)
		}
	}
}

// Whatever the bytes, Load returns: a program whose encoding they are, or an error. What
// it returns runs, without a look outside of what there is.
func FuzzLoad(f *testing.F) {
	f.Add(program([]Value{Int(1), &Set{[]Value{Int(1)}}}, []string{"count"}, Stmt{Op: CallBuiltin, X: 2, Where: where, Args: []Operand{0}}).Encode())
	nested := program([]Value{Int(1), &Array{[]Value{Int(1), Int(2)}}, &Object{[]Value{String("a")}, []Value{Null{}}}}, nil,
		Stmt{Op: Call, X: 2, Y: 0, Args: []Operand{0, 1}}, Stmt{Op: Scan, X: 2, Y: 3, Z: 4, Blocks: [][]Stmt{{
			{Op: Not, Blocks: [][]Stmt{{{Op: Equal, X: 3, Y: Const(0)}}}}, {Op: Block, Blocks: [][]Stmt{{{Op: Break, X: 1}}, {}}}, {Op: ResultAdd, X: 4},
		}}})
	nested.Funcs = []Func{{Name: "f", Params: 2, Locals: 3, Blocks: [][]Stmt{{{Op: Assign, X: 2, Y: Const(2)}, {Op: Return, X: 2}}, {{Op: Dot, X: 2, Y: 0, Z: Const(0)}}}}}
	f.Add(nested.Encode())
	f.Add([]byte(magic))
	f.Add([]byte(magic + "\x01\a0000000\x05\x05\x05\x05\x01\x00\x00\x05\x05\x05\x01\x00\x05\x05")) // objects cut in half
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Load(b)
		if err != nil {
			return
		}
		encoded := p.Encode()
		again, err := Load(encoded)
		if err != nil || !bytes.Equal(again.Encode(), encoded) {
			t.Errorf("loaded, but not after encoding it: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if _, _, err := p.Run(ctx, &Object{[]Value{String("a")}, []Value{Int(1)}}); err != nil && strings.HasPrefix(err.Error(), "evaluator: ") {
			t.Error(err)
		}
	})
}

// viaGo is ParseJSON by package encoding/json.
func viaGo(v any) (Value, error) {
	switch v := v.(type) {
	case nil:
		return Null{}, nil
	case bool:
		return Bool(v), nil
	case string:
		return String(v), nil
	case json.Number:
		return parseInt(v.String())
	case []any:
		a := &Array{}
		for _, e := range v {
			value, err := viaGo(e)
			if err != nil {
				return nil, err
			}
			a.elems = append(a.elems, value)
		}
		return a, nil
	}
	o := &Object{}
	for k, e := range v.(map[string]any) {
		value, err := viaGo(e)
		if err != nil {
			return nil, err
		}
		o.set(String(k), value)
	}
	return o, nil
}

// What ParseJSON takes, package encoding/json takes for the same. What it refuses
// beyond that is named.
func FuzzParseJSON(f *testing.F) {
	for _, doc := range []string{
		`{"b": [1, -2, "x"], "a": {"b": null}, "c": {"b": true}}`, `[{"a":1,"b":2},{"b":3,"a":4},{"a":5,"b":6}]`, `{"a":1,"a":2}`, `"\u00e9\ud83d\ude00\n"`, "\"\xff\"",
		`"\ud800"`, `[1,]`, `{"a":}`, `01`, `-`, `1 2`, ` [ ] `, "\"\x01\"", `nul`, `"\x"`, `[`, `{"a"`, "\u2028", `1.0`, `1e2`, `-0`, strings.Repeat("[", 70), ``,
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, err := ParseJSON(doc)
		d := json.NewDecoder(bytes.NewReader(doc))
		d.UseNumber()
		var v any
		goErr := d.Decode(&v)
		if goErr == nil {
			if _, more := d.Token(); !errors.Is(more, io.EOF) {
				goErr = errors.New("more")
			}
		}
		if goErr != nil {
			if err == nil {
				t.Fatalf("%q: %s, where encoding/json says %v", doc, Text(got), goErr)
			}
			return
		}
		if err != nil {
			if !errors.Is(err, ErrUnsupported) && !strings.Contains(err.Error(), "twice in an object") && !strings.Contains(err.Error(), "not UTF-8") {
				t.Fatalf("%q: %v", doc, err)
			}
			return
		}
		if want, err := viaGo(v); err != nil || !equal(want, got) {
			t.Fatalf("%q: %s, want %v (%v)", doc, Text(got), want, err)
		}
	})
}
