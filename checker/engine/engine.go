// Package engine runs rules over the policy input. It fails closed: whatever
// keeps a rule from being judged is an error, never an empty result.
package engine

import (
	"context"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Rule describes one check.
type Rule struct {
	ID          string // "category/kebab-name"
	Title       string
	Description string // why it matters
	Remedy      string // what to do when it finds something
	URL         string // of the source of the description
	// Severity is that of the rule's findings, unless one lowers its own.
	Severity finding.Severity
}

// Engine evaluates a fixed set of rules. It is safe for concurrent use.
type Engine interface {
	// Rules lists the rules, sorted by ID; at least one.
	Rules() []Rule
	// Evaluate judges one policy input, a JSON document as policy/schema/input.json
	// describes it, by all rules. Findings come in report order (finding.Sort).
	// An error means that nothing was decided: the jail must not start.
	Evaluate(ctx context.Context, input []byte) ([]finding.Finding, error)
}
