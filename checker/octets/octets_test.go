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
