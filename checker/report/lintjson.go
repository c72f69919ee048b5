package report

import (
	"bytes"
	"io"
)

// lintJSON writes {"version": 1, "targets": […], "summary": {…}}, and with Explain
// "explained": the rules that found something.
type lintJSON struct {
	w       *jsonStream
	explain bool
	rules   ruleSet
}

func newLintJSON(w io.Writer, o LintOptions) Lint {
	s := &jsonStream{w: w}
	s.text("{\n  \"version\": 1,\n  \"targets\": [")
	return &lintJSON{w: s, explain: o.Explain}
}

func (l *lintJSON) Target(t *Target) error {
	if l.explain {
		l.rules.found(t)
	}
	l.w.element(t)
	return l.w.err
}

func (l *lintJSON) Close(s Summary) error {
	l.w.endList()
	if l.explain {
		l.w.text(",\n  \"explained\": ")
		l.w.value(l.rules.list(), "  ")
	}
	l.w.text(",\n  \"summary\": ")
	l.w.value(s, "  ")
	l.w.text("\n}\n")
	return l.w.err
}

// jsonStream writes a document piece by piece and remembers the first error.
type jsonStream struct {
	w    io.Writer
	some bool // the list that is being written has an element
	err  error
	buf  bytes.Buffer
}

func (s *jsonStream) text(t string) {
	if s.err == nil {
		_, s.err = io.WriteString(s.w, t)
	}
}

// element writes one of a list, two levels in.
func (s *jsonStream) element(v any) {
	head := "\n    "
	if s.some {
		head = ",\n    "
	}
	s.some = true
	s.text(head)
	s.value(v, "    ")
}

func (s *jsonStream) endList() {
	if s.some {
		s.text("\n  ")
	}
	s.some = false
	s.text("]")
}

// value writes v, with so much before its lines.
func (s *jsonStream) value(v any, indent string) {
	if s.err != nil {
		return
	}
	s.buf.Reset()
	if s.err = encode(&s.buf, v, indent); s.err == nil {
		_, s.err = s.w.Write(bytes.TrimRight(s.buf.Bytes(), "\n"))
	}
}
