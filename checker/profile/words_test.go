package profile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplit(t *testing.T) {
	for in, want := range map[string][]string{
		"":                  nil,
		"  \t ":             nil,
		"rw-bind /a /b":     {"rw-bind", "/a", "/b"},
		"a  b\tc ":          {"a", "b", "c"},
		"'a b' \"c d\"":     {"a b", "c d"},
		`a'b'"c"\ d`:        {"abc d"},
		`'' ""`:             {"", ""},
		`"a\"b\\c\$d\n"`:    {`a"b\c$d\n`},
		`'$HOME \ "'`:       {`$HOME \ "`},
		`\'\$`:              {`'$`},
		"{project}/x ~/é b": {"{project}/x", "~/é", "b"},
	} {
		got, err := split(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", in, diff)
		}
	}
}

func TestSplitErrors(t *testing.T) {
	for in, want := range map[string]string{
		"'a": "a ' is not closed", `"a`: `a " is not closed`, `"a\`: `a " is not closed`, `a\`: "ends in a backslash",
		"$a": "'$' outside quotes", "\"`a`\"": "'`' in double quotes", "a;b": "';' outside quotes", "a*": "'*' outside quotes",
		"a\nb": `'\n' outside quotes`, "(network)": "'(' outside quotes",
	} {
		if got, err := split(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %q, %v, want %s", in, got, err, want)
		}
	}
}
