package report

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/refnil/opencode-jail-devenv/checker/octets"
)

// JSON writes document, indented, with a newline. Names that are not of UTF-8 stay
// apart; see package octets.
func JSON(w io.Writer, document any) error {
	var b bytes.Buffer
	err := encode(&b, document, "")
	if err == nil {
		_, err = b.WriteTo(w)
	}
	return err
}

// encode writes v with so much before its lines.
func encode(b *bytes.Buffer, v any, indent string) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	e.SetIndent(indent, "  ")
	err := e.Encode(v)
	if err == nil && octets.Lossy(b.Bytes()) {
		b.Reset()
		err = e.Encode(octets.Map(v, octets.Escape))
	}
	return err
}
