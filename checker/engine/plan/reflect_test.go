package plan

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

type every struct {
	Text     string            `json:"text"`
	Flag     bool              `json:"flag"`
	Number   int64             `json:"number"`
	Size     *uint64           `json:"size"`
	Names    []string          `json:"names"`
	Bytes    []byte            `json:"bytes"`
	Kinds    map[string]string `json:"kinds"`
	Left     *string           `json:"left,omitempty"`
	Inner    []every           `json:"inner"`
	When     time.Time         `json:"when"`
	Any      any               `json:"any"`
	Raw      json.RawMessage   `json:"raw,omitempty"`
	Untagged struct{ A, B int }
	hidden   int
	Ignored  func() `json:"-"`
}

func draw(t *rapid.T, depth int) every {
	text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	e := every{
		Text: text.Draw(t, "text"), Flag: rapid.Bool().Draw(t, "flag"), Number: rapid.Int64().Draw(t, "number"),
		Names: rapid.SliceOf(text).Draw(t, "names"), Bytes: []byte(text.Draw(t, "bytes")),
		Kinds: rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "kinds"), hidden: 1,
		When: time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "when"), 0).UTC(),
	}
	if rapid.Bool().Draw(t, "nil") {
		e.Names = nil
	} else {
		s, n := text.Draw(t, "left"), rapid.Uint64Max(math.MaxInt64).Draw(t, "size")
		e.Left, e.Size, e.Any, e.Raw = &s, &n, map[string]any{"a": []any{n, s, nil}}, json.RawMessage(`{"b":[1]}`)
	}
	if depth > 0 {
		for range rapid.IntRange(0, 3).Draw(t, "inner") {
			e.Inner = append(e.Inner, draw(t, depth-1))
		}
	}
	return e
}

func TestOfIsWhatJSONSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := draw(t, 2)
		doc, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		want, err := ParseJSON(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []any{e, &e, []any{e}} {
			got, err := Of(v)
			if err != nil {
				t.Fatal(err)
			}
			if a, ok := got.(*Array); ok {
				got = a.elems[0]
			}
			if compare(got, want) != 0 {
				t.Fatalf("%s\ngives %s", doc, Text(got))
			}
		}
	})
}

func TestOfFailsAsJSONDoes(t *testing.T) {
	for name, v := range map[string]any{
		"a fraction": struct {
			F float64 `json:"f"`
		}{0.5},
		"too large": uint64(math.MaxUint64),
		"a channel": make(chan int),
		"not JSON":  json.RawMessage(`{`),
	} {
		if got, err := Of(v); err == nil {
			t.Errorf("%s: %s", name, Text(got))
		}
	}
}

// Objects of one type share their keys; one that is changed must not change others.
func TestOfShares(t *testing.T) {
	type pair struct {
		A int `json:"a"`
	}
	v, err := Of([]pair{{1}, {2}})
	if err != nil {
		t.Fatal(err)
	}
	list, _ := Elements(v)
	list[0].(*Object).set(String("b"), Int(3))
	if got := Text(v); got != `[{"a": 1, "b": 3}, {"a": 2}]` {
		t.Error(got)
	}
}
