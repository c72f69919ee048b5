package report

import (
	"encoding/json"
	"io"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Document is the JSON form of one or more checks.
type Document struct {
	Version int      `json:"version"` // 1
	Targets []Target `json:"targets"`
}

// Target is one jail that was checked.
type Target struct {
	Name    string `json:"name"`
	Verdict string `json:"verdict"` // "allow" or "deny"
	Rules   int    `json:"rules"`
	// Undecided counts the mounts that only another host could judge.
	Undecided int               `json:"undecided"`
	Findings  []finding.Finding `json:"findings"`
}

// NewTarget returns what a document says of r, the report on the target name.
func NewTarget(name string, r *checker.Report) Target {
	t := Target{Name: name, Verdict: "allow", Rules: r.Rules, Findings: append([]finding.Finding{}, r.Findings...)}
	if r.Denied() {
		t.Verdict = "deny"
	}
	for _, m := range r.Input.Jail.Mounts {
		if !m.Certain {
			t.Undecided++
		}
	}
	return t
}

// JSON writes document, indented, with a newline.
func JSON(w io.Writer, document any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(document)
}
