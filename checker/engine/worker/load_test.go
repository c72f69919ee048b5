package worker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoadArrivesAsSent(t *testing.T) {
	handover := Handover{CacheKey: []byte("key")}
	load := Load{Protocol: Protocol, TimeLimit: 7, Sources: []Source{
		{Name: "a", Layer: "user", Bundle: "b", Files: map[string][]byte{"x.wasm": []byte("\x00asm\xff"), "empty.rego": {}, "data/l.json": []byte("[]")}},
		{Name: "none", Files: map[string][]byte{}},
		{Name: "large", Files: map[string][]byte{"y": bytes.Repeat([]byte("y"), 3<<20)}},
	}}
	sent, err := appendLoad(handover, load)
	if err != nil {
		t.Fatal(err)
	}
	in := bytes.NewReader(append(sent, "rest"...))
	h, got, err := ReceiveLoad(in)
	if err != nil {
		t.Fatal(err)
	}
	if rest, _ := io.ReadAll(in); cmp.Diff(handover, h) != "" || string(rest) != "rest" {
		t.Errorf("%v, then %.20q", h, rest)
	}
	if diff := cmp.Diff(load, got); diff != "" {
		t.Error(diff)
	}
	// Nobody who has one file can reach another's bytes.
	if text := got.Sources[0].Files["data/l.json"]; cap(text) != len(text) {
		t.Errorf("%d bytes, room for %d", len(text), cap(text))
	}
	for n := range sent {
		if n > 1000 && n%99_991 != 0 {
			continue
		}
		if _, _, err := ReceiveLoad(bytes.NewReader(sent[:n])); err == nil {
			t.Errorf("understood the first %d bytes", n)
		}
	}
}

// Lengths are no more than what may come, and no more memory is taken than comes.
func TestLoadRefuses(t *testing.T) {
	of := func(files string) string {
		return fmt.Sprintf(`{"protocol":%d,"sources":[{"name":"a","files":[%s]}],"time_limit_ns":0}`, Protocol, files)
	}
	for name, tc := range map[string]struct{ header, content, want string }{
		"negative":         {of(`{"name":"x","size":-1}`), "", "x: rules of more than 64 MiB"},
		"too large":        {of(fmt.Sprintf(`{"name":"x","size":%d}`, maxMessage+1)), "", "x: rules of more than"},
		"too large in all": {of(fmt.Sprintf(`{"name":"x","size":%d},{"name":"y","size":1}`, maxMessage)), "", "y: rules of more than"},
		"overflow":         {of(`{"name":"x","size":9223372036854775807},{"name":"y","size":9223372036854775807}`), "", "x: rules of more than"},
		"no number":        {of(`{"name":"x","size":1e99}`), "", "cannot unmarshal"},
		"cut short":        {of(`{"name":"x","size":5}`), "1234", "unexpected EOF"},
		"announced only":   {of(fmt.Sprintf(`{"name":"x","size":%d}`, maxMessage)), "", "unexpected EOF"},
		"twice":            {of(`{"name":"x","size":1},{"name":"x","size":1}`), "12", "two files of one name"},
		"of before":        {`{"protocol":3,"sources":[],"time_limit_ns":0}`, "", "protocol 3, not"},
		"unknown":          {`{"protocol":4,"more":1}`, "", "unknown field"},
	} {
		in := appendMessage(appendMessage(nil, []byte("{}")), []byte(tc.header))
		if _, l, err := ReceiveLoad(strings.NewReader(string(in) + tc.content)); err == nil || !strings.Contains(err.Error(), tc.want) || len(l.Sources) > 0 {
			t.Errorf("%s: %v, error %v, want one with %q", name, l, err, tc.want)
		}
	}
	large := Load{Sources: []Source{{Files: map[string][]byte{"x": make([]byte, maxMessage), "y": {1}}}}}
	if _, err := appendLoad(Handover{}, large); err == nil {
		t.Error("sent more than is received")
	}
}

func FuzzReceiveLoad(f *testing.F) {
	sent, err := appendLoad(Handover{}, Load{Protocol: Protocol, Sources: []Source{{Name: "a", Files: map[string][]byte{"x": []byte("y")}}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sent)
	f.Fuzz(func(t *testing.T, in []byte) {
		h, l, err := ReceiveLoad(bytes.NewReader(in))
		if err != nil {
			return
		}
		again, err := appendLoad(h, l)
		if err != nil {
			t.Fatal(err)
		}
		if _, same, err := ReceiveLoad(bytes.NewReader(again)); err != nil || cmp.Diff(l, same) != "" {
			t.Errorf("%v: %s", err, cmp.Diff(l, same))
		}
		if _, err := json.Marshal(l); err != nil {
			t.Error(err)
		}
	})
}
