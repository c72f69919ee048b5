package report

import (
	"encoding/json"
	"io"
)

// JSON writes document, indented, with a newline.
func JSON(w io.Writer, document any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(document)
}
