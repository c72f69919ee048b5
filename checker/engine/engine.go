// Package engine runs rules over the policy input. It fails closed: whatever
// keeps a rule from being judged is an error, never an empty result.
package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/param"
)

// DefaultTimeLimit bounds one evaluation of all rules.
const DefaultTimeLimit = 2 * time.Second

// InputParts are the members of the policy input, as its schema has them.
var InputParts = []string{"agent", "host", "jail", "now", "params", "phase", "version", "watched"}

// InputVersion is the version of the policy input that rules are written for.
const InputVersion = 1

// Rule describes one check.
type Rule struct {
	ID    string `json:"id"` // "category/kebab-name"
	Title string `json:"title"`
	// Severity is that of the rule's findings, unless one lowers its own.
	Severity    finding.Severity `json:"severity"`
	Description string           `json:"description,omitempty"` // why it matters
	Remedy      string           `json:"remedy,omitempty"`      // what to do when it finds something
	URL         string           `json:"url,omitempty"`         // of the source of the description
	// Params is what the rule can be told: it reads input.params[ID]; nil where it
	// does not say.
	Params *param.Schema `json:"params,omitempty"`
	// Layer is whose rule it is, as Source.Layer has it; "" for ocjail's own.
	Layer string `json:"layer,omitempty"`
	// Avoid is a jail that the rule reports, and Prefer what to write in its
	// place; nil for a rule of an organisation's that shows none.
	Avoid  *Example `json:"avoid,omitempty"`
	Prefer *Example `json:"prefer,omitempty"`
}

// Example is a part of a jail in a developer's home, where the project is ~/app.
// The pack's are judged by its tests, as part of a jail that is else clean.
type Example struct {
	// Bwrap is the options as one types them into a shell, quotes and "~" included;
	// empty when the jail shows the point by what it lacks.
	Bwrap string `json:"bwrap"`
	Given string `json:"given,omitempty"` // what is unusual about the machine
	Setup string `json:"setup,omitempty"` // shell commands that were run in the project before
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

// Limit returns a context that ends with the evaluation's time limit,
// DefaultTimeLimit when zero, and says so.
func Limit(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return LimitAfter(ctx, limit, 0)
}

// LimitAfter is Limit where so much of it is used up already.
func LimitAfter(ctx context.Context, limit, spent time.Duration) (context.Context, context.CancelFunc) {
	if limit == 0 {
		limit = DefaultTimeLimit
	}
	return context.WithTimeoutCause(ctx, limit-spent, fmt.Errorf("rules overran the time limit of %s: raise gate.timeout or mend the rule", limit))
}
