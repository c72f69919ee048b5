package plan

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
)

// maxNesting bounds the depth of values and of statements in statements.
const maxNesting = 100

// maxLocals bounds the local variables of a function, maxAllLocals those of all.
const (
	maxLocals    = 1 << 16
	maxAllLocals = 1 << 22
)

// minFunction is how many bytes a function takes at least.
const minFunction = 8

// Load reads an encoded program and checks that it can be run: an error names
// what it needs and this evaluator does not have.
func Load(b []byte) (*Program, error) {
	p, err := decode(string(b))
	if err == nil {
		err = p.link()
	}
	if err != nil {
		return nil, fmt.Errorf("load plan: %w", err)
	}
	return p, nil
}

// Open is Load for a program that Load has accepted before: a function is read and
// checked when it is first called, which half of them never are in one run.
func Open(encoded string) (*Program, error) {
	p, err := decode(encoded)
	if err == nil {
		err = p.prepare()
	}
	if err != nil {
		return nil, fmt.Errorf("open plan: %w", err)
	}
	return p, nil
}

// WithData returns p with other base documents.
func (p *Program) WithData(data Value) (*Program, error) {
	if _, err := p.Main.read(p); err != nil { // of the copy it would not be
		return nil, err
	}
	q := *p
	q.Data = data
	return &q, nil
}

// decode leaves the functions' bodies for later. Strings are parts of what is read.
func decode(encoded string) (*Program, error) {
	in, ok := strings.CutPrefix(encoded, magic)
	if !ok {
		return nil, errors.New("not a plan of this version")
	}
	d := &decoder{in: in, values: len(in)}
	d.strings = make([]Value, d.count())
	for i := range d.strings {
		d.strings[i] = String(d.cut(d.count()))
	}
	p := &Program{Consts: d.list(d.count(), 0), Data: d.value(0), Meta: d.value(0)}
	p.Builtins = make([]string, d.count())
	for i := range p.Builtins {
		p.Builtins[i] = string(d.string().(String))
	}
	n := d.count()
	if n > len(d.in)/minFunction {
		d.fail()
		return nil, d.err
	}
	p.Funcs = make([]Func, n)
	for i := range p.Funcs {
		p.Funcs[i] = d.function()
	}
	p.Main = d.function()
	if d.err == nil && len(d.in) > 0 {
		d.err = errors.New("more bytes than a plan has")
	}
	return p, d.err
}

// decoder reads until an error, and zeros from then on.
type decoder struct {
	in      string
	strings []Value
	values  int // how many more there can be: each takes a byte, those in it not counted
	err     error
}

var errCut = errors.New("cut short or broken")

func (d *decoder) fail() {
	d.in, d.err = "", errCut
}

// uint reads what binary.AppendUvarint writes.
func (d *decoder) uint() uint64 {
	var v uint64
	for i := 0; i < len(d.in) && i < binary.MaxVarintLen64; i++ {
		b := d.in[i]
		if i == binary.MaxVarintLen64-1 && b > 1 {
			break
		}
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			d.in = d.in[i+1:]
			return v
		}
	}
	d.fail()
	return 0
}

// cut takes n bytes.
func (d *decoder) cut(n int) string {
	s := d.in[:n]
	d.in = d.in[n:]
	return s
}

// count is a number of things of which each takes a byte at least.
func (d *decoder) count() int {
	v := d.uint()
	if v > uint64(len(d.in)) {
		d.fail()
		return 0
	}
	return int(v)
}

func (d *decoder) int() int64 {
	v := d.uint()
	return int64(v>>1) ^ -int64(v&1) // binary.Varint
}

func (d *decoder) operand() Operand {
	v := d.int()
	if v < math.MinInt32 || v > math.MaxInt32 {
		d.fail()
	}
	return Operand(v)
}

func (d *decoder) string() Value {
	i := d.uint()
	if i >= uint64(len(d.strings)) {
		d.fail()
		return String("")
	}
	return d.strings[i]
}

func (d *decoder) list(n, depth int) []Value {
	if d.values -= n; d.values < 0 { // lists in lists could each say that they have all
		d.fail()
		return nil
	}
	v := make([]Value, n)
	for i := range v {
		v[i] = d.value(depth)
	}
	return v
}

func (d *decoder) value(depth int) Value {
	if depth > maxNesting {
		d.fail()
	}
	switch rank := d.uint(); rank {
	case uint64(Null{}.rank()):
		return Null{}
	case uint64(Bool(true).rank()):
		return Bool(d.uint() == 1)
	case uint64(Int(0).rank()):
		return Int(d.int())
	case uint64(String("").rank()):
		return d.string()
	case uint64((*Array)(nil).rank()):
		return &Array{d.list(d.count(), depth+1)}
	case uint64((*Set)(nil).rank()):
		s := &Set{d.list(d.count(), depth+1)}
		d.sorted(s.elems)
		return s
	case uint64((*Object)(nil).rank()):
		o := &Object{keys: d.list(d.count(), depth+1)}
		d.sorted(o.keys)
		o.values = d.list(len(o.keys), depth+1)
		return o
	}
	d.fail()
	return Null{}
}

// sorted fails where sets and keys are out of order, for look-ups would miss.
func (d *decoder) sorted(v []Value) {
	for i := 1; d.err == nil && i < len(v); i++ { // after an error they are not whole
		if compare(v[i-1], v[i]) >= 0 {
			d.fail()
		}
	}
}

func (d *decoder) function() Func {
	f := Func{Name: string(d.string().(String)), Params: d.count(), Locals: int(d.operand())}
	if f.Locals < 0 || f.Locals > maxLocals {
		d.fail()
	}
	f.decoded = &decoded{body: d.cut(d.count())}
	return f
}
