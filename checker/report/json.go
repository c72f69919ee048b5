package report

import (
	"encoding/json"
	"io"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Document is the JSON form of one or more checks.
type Document struct {
	Version int      `json:"version"` // 1
	Targets []Target `json:"targets"`
}

// Target is one jail that was checked.
type Target struct {
	Name     string            `json:"name"`
	Verdict  string            `json:"verdict"` // "allow" or "deny"
	Rules    int               `json:"rules"`
	Findings []finding.Finding `json:"findings"`
}

// JSON writes d, indented, with a newline.
func JSON(w io.Writer, d Document) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}
