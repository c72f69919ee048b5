package plan

import (
	"encoding"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Of returns what ParseJSON makes of v as encoding/json writes it, without
// writing it: a policy input of 90 KB takes half of a verdict's time both ways.
// What it does not know by itself goes through package encoding/json. Text that is
// not UTF-8 is ErrNotUTF8: two that differ would become one.
func Of(v any) (Value, error) { return of(reflect.ValueOf(v)) }

// ErrNotUTF8 is for text that no value can hold.
var ErrNotUTF8 = errors.New("text that is not UTF-8")

func of(v reflect.Value) (Value, error) {
	if !v.IsValid() {
		return Null{}, nil
	}
	if v.Type().PkgPath() != "" && knowledgeOf(v.Type()).writesItself {
		return byJSON(v)
	}
	switch v.Kind() {
	case reflect.Bool:
		return Bool(v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return Int(v.Int()), nil
	case reflect.String:
		if s := v.String(); utf8.ValidString(s) {
			return String(s), nil
		}
		return nil, ErrNotUTF8
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return Null{}, nil
		}
		return of(v.Elem())
	case reflect.Slice:
		if v.IsNil() {
			return Null{}, nil
		}
		if v.Type().Elem().Kind() != reflect.Uint8 {
			return ofSlice(v)
		}
	case reflect.Struct:
		if k := knowledgeOf(v.Type()); k.plain {
			return k.value(v)
		}
	}
	return byJSON(v)
}

func byJSON(v reflect.Value) (Value, error) {
	if v.CanAddr() { // then a method of the pointer's counts
		v = v.Addr()
	}
	doc, err := json.Marshal(v.Interface())
	if err != nil {
		return nil, err
	}
	return ParseJSON(doc)
}

func ofSlice(v reflect.Value) (Value, error) {
	a := &Array{make([]Value, v.Len())}
	for i := range a.elems {
		var err error
		if a.elems[i], err = of(v.Index(i)); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// knowledge is what is to be known of a type, found out once.
type knowledge struct {
	writesItself bool    // it has a method for JSON
	plain        bool    // a structure with nothing but what value understands
	keys         []Value // sorted
	fields       []field // in order of keys
	omits        bool    // one of its fields may be left out
}

type field struct {
	index     int
	omitEmpty bool
}

var (
	known         sync.Map // of *knowledge, by reflect.Type
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

func knowledgeOf(t reflect.Type) *knowledge {
	k, ok := known.Load(t)
	if !ok {
		k, _ = known.LoadOrStore(t, learn(t))
	}
	return k.(*knowledge) //nolint:forcetypeassert // nothing else is stored
}

func learn(t reflect.Type) *knowledge {
	p := reflect.PointerTo(t)
	k := &knowledge{writesItself: t.Kind() != reflect.Interface && (p.Implements(jsonMarshaler) || p.Implements(textMarshaler))}
	if t.Kind() != reflect.Struct || k.writesItself {
		return k
	}
	byName := map[string]field{}
	for i := range t.NumField() {
		name, f, ok := fieldOf(t.Field(i), i)
		if _, twice := byName[name]; !ok || twice {
			return k
		}
		if name == "" {
			continue
		}
		byName[name] = f
		k.omits = k.omits || f.omitEmpty
		k.keys = append(k.keys, String(name))
	}
	slices.SortFunc(k.keys, compare)
	for _, key := range k.keys {
		k.fields = append(k.fields, byName[string(key.(String))]) //nolint:forcetypeassert // see above
	}
	k.plain = true
	return k
}

// fieldOf reads a field's tag. The name of a field that is left out is "";
// ok is false for what value does not understand.
func fieldOf(f reflect.StructField, index int) (name string, _ field, ok bool) {
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	switch {
	case name == "-" && options == "" || !f.IsExported() && !f.Anonymous:
		return "", field{}, true
	case f.Anonymous || name == "" || options != "" && options != "omitempty":
		return "", field{}, false
	}
	return name, field{index, options != ""}, true
}

// value makes an object. Objects of one type share their keys, as those of one
// shape do that ParseJSON makes.
func (k *knowledge) value(v reflect.Value) (Value, error) {
	o := &Object{slices.Clip(k.keys), make([]Value, 0, len(k.fields))}
	if k.omits {
		o.keys = make([]Value, 0, len(k.keys))
	}
	for i, f := range k.fields {
		fv := v.Field(f.index)
		if f.omitEmpty && empty(fv) {
			continue
		}
		member, err := of(fv)
		if err != nil {
			return nil, err
		}
		o.values = append(o.values, member)
		if k.omits {
			o.keys = append(o.keys, k.keys[i])
		}
	}
	return o, nil
}

// empty is what the option omitempty leaves out.
func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}
