// Package finding holds what rule engines return and reports print.
package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity ranks a finding. The zero value is not a severity.
type Severity string

// The severities, most serious first. An error refuses a launch; a warning and
// an info do not.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Unreviewed is the rule of changes by earlier sessions that nobody has looked at.
const Unreviewed = "exec/unreviewed-change"

// ParseSeverity reads "error", "warning" or "info"; anything else is an error.
func ParseSeverity(s string) (Severity, error) {
	switch v := Severity(s); v {
	case Error, Warning, Info:
		return v, nil
	}
	return "", fmt.Errorf("unknown severity %q: write error, warning or info", s)
}

// Rank orders severities: 3 for error, 2 for warning, 1 for info, 0 otherwise.
func (s Severity) Rank() int {
	return map[Severity]int{Error: 3, Warning: 2, Info: 1}[s]
}

// Status tells a finding that does not count from one that does.
type Status string

// The statuses. What is waived or observed is reported, and refuses nothing.
const (
	Open     Status = ""
	Waived   Status = "waived"   // by a named exception
	Observed Status = "observed" // its rule is being tried out
)

// Subject is the part of the jail that a finding is about.
type Subject struct {
	// Kind is "mount", "path", "socket", "env", "namespace", "session",
	// "capability", "command", "descriptor" or "config".
	Kind string `json:"kind"`
	// Path is a host path (kinds mount, path, socket), else empty.
	Path string `json:"path,omitempty"`
	// Name is an environment variable, capability or namespace, else empty.
	Name string `json:"name,omitempty"`
	// Index is the position in the input's mounts of the mount that grants
	// what the finding is about; nil when there is none.
	Index *int `json:"index,omitempty"`
}

// String names the subject for a person: its path, else its name, else its kind.
func (s Subject) String() string {
	return cmp.Or(s.Path, s.Name, s.Kind)
}

// Origin tells which configuration caused the subject to be in the jail.
type Origin struct {
	Option     string `json:"option,omitempty"`
	File       string `json:"file,omitempty"`
	Line       int    `json:"line,omitempty"`
	Combinator string `json:"combinator,omitempty"`
	// Entry is the position in the list that File sets Option to, from 0; nil when
	// it is not known.
	Entry *int `json:"-"`
}

// String says where an origin points: "rw-bind from OPTION in FILE:LINE"; "" for
// none.
func (o *Origin) String() string {
	if o == nil {
		return ""
	}
	var parts []string
	if o.Combinator != "" {
		parts = append(parts, o.Combinator)
	}
	if o.Option != "" {
		parts = append(parts, "from "+o.Option)
	}
	switch {
	case o.File != "" && o.Line > 0:
		parts = append(parts, fmt.Sprintf("in %s:%d", o.File, o.Line))
	case o.File != "":
		parts = append(parts, "in "+o.File)
	}
	return strings.Join(parts, " ")
}

// Finding is one violation of one rule.
type Finding struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Title    string   `json:"title,omitempty"`
	Message  string   `json:"message"`
	Subject  Subject  `json:"subject"`
	Origin   *Origin  `json:"origin,omitempty"`
	Remedy   string   `json:"remedy,omitempty"`
	// Options are those of bwrap's that the remedy asks for; whoever reports it
	// writes them behind it, as the jail is written.
	Options []string `json:"-"`
	URL     string   `json:"url,omitempty"`
	Status  Status   `json:"status,omitempty"`
	// Because says who waived it, why and until when, or where the rule was set
	// to be observed.
	Because string `json:"because,omitempty"`
}

// Rank orders findings as their severities, those that count first.
func (f Finding) Rank() int {
	if f.Status != Open {
		return min(f.Severity.Rank(), Warning.Rank())
	}
	return f.Severity.Rank()
}

// broad rules name the cause of many other findings, and so come before them.
var broad = map[string]int{"gate/root": 1, "fs/root-exposed": 2, "fs/home-exposed": 2}

// Sort puts findings in report order: most serious first, then those of broad
// rules, then by rule, subject and message, so that equal inputs print equal
// reports.
func Sort(fs []Finding) {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(b.Rank(), a.Rank()),
			cmp.Compare(a.Status, b.Status),
			cmp.Compare(broad[b.Rule], broad[a.Rule]),
			cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Subject.String(), b.Subject.String()),
			cmp.Compare(a.Message, b.Message),
		)
	})
}

// Count tells how many findings that count have exactly severity s.
func Count(fs []Finding, s Severity) int {
	n := 0
	for _, f := range fs {
		if f.Severity == s && f.Status == Open {
			n++
		}
	}
	return n
}
