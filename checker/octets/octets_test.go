package octets

import (
	"reflect"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// What is written is text, no two names alike, and is read back to the byte.
func TestEscape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := string(rapid.SliceOf(rapid.ByteRange(0, 255)).Draw(t, "name"))
		text := Escape(name)
		if !utf8.ValidString(text) || Unescape(text) != name {
			t.Errorf("%q is written %q, which reads %q", name, text, Unescape(text))
		}
	})
	if got := Escape("a\xffb\uFFFD\x00"); got != "a\x00ffb\uFFFD\x0000" {
		t.Errorf("%q", got)
	}
}

// No two names are alike in JSON either, and each is read back.
func TestMarshal(t *testing.T) {
	type document struct{ Names []string }
	for _, names := range [][]string{
		{"a", "é", "\\ufffd"}, {"\xff", "\xfe", "\ufffd"}, {"\x00ff", "\xff"}, {"\x00", "\x0000"}, {"\\u0000"}, nil,
	} {
		doc, err := Marshal(document{names})
		var back document
		if err != nil || Unmarshal(doc, &back) != nil || !reflect.DeepEqual(back.Names, names) {
			t.Errorf("%q: %s, %v, reads %q", names, doc, err, back.Names)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		one, two := string(rapid.SliceOf(rapid.ByteRange(0, 255)).Draw(t, "one")), string(rapid.SliceOf(rapid.ByteRange(0, 255)).Draw(t, "two"))
		a, errA := Marshal(one)
		b, errB := Marshal(two)
		if errA != nil || errB != nil || (one == two) != (string(a) == string(b)) {
			t.Errorf("%q is %s, and %q is %s", one, a, two, b)
		}
	})
}

func TestMap(t *testing.T) {
	type inner struct{ Names []string }
	type outer struct {
		P    *inner
		M    map[string]string
		N    int
		Null []string
		Any  any
	}
	before := outer{&inner{[]string{"a\xff"}}, map[string]string{"\xfe": "\xfd"}, 3, nil, []any{"\xfc"}}
	after := Map(before, Escape)
	if want := (outer{&inner{[]string{"a\x00ff"}}, map[string]string{"\x00fe": "\x00fd"}, 3, nil, []any{"\x00fc"}}); !reflect.DeepEqual(after, want) || before.P.Names[0] != "a\xff" {
		t.Errorf("%+v, %+v", after, before)
	}
}
