// Package decision keeps the log of launches: one line of JSON each, in ocjail's
// state folder. docs/log.md describes it for whoever ships it elsewhere.
package decision

import (
	"slices"
	"strings"
	"time"
)

// Version is that of the lines that this package writes.
const Version = 1

// Verdicts of a launch.
const (
	Allow   = "allow"
	Deny    = "deny"
	Observe = "observe" // denied by a rule, and started all the same
)

// Verdicts are all of them.
var Verdicts = []string{Allow, Deny, Observe}

// What is said of the approval of a launch.
const (
	ApprovalOff        = "off"        // nobody has to approve
	ApprovalApproved   = "approved"   // within what was approved before
	ApprovalRemembered = "remembered" // approved now
	ApprovalOnce       = "once"       // accepted for this launch
	ApprovalRefused    = "refused"    // somebody said no
	ApprovalMissing    = "missing"    // nobody could be asked
	ApprovalBroken     = "broken"     // what was approved can not be told
)

// Decision is one line. It holds names and digests, never the values of variables
// or the words of a command.
type Decision struct {
	Version int       `json:"version"`
	Time    time.Time `json:"time"` // UTC
	Jail    string    `json:"jail"`
	Project string    `json:"project"`
	Verdict string    `json:"verdict"`
	// Approval is "" where a rule denied before anybody could be asked.
	Approval string `json:"approval"`
	// Refusal says why no rule judged: the jail reaches what a verdict hangs on.
	Refusal string `json:"refusal,omitempty"`
	// Errors to Observed are ids of rules, sorted, each once: those with errors and
	// warnings that count, and those whose findings were waived or only observed.
	Errors   []string `json:"errors"`
	Warnings []string `json:"warnings"`
	Waived   []string `json:"waived"`
	Observed []string `json:"observed"`
	Waivers  []Waiver `json:"waivers"` // those that were used
	Rules    int      `json:"rules"`   // how many judged
	// Argv, Policies and Config are SHA-256 sums in hexadecimal: of the arguments that
	// describe the jail, of the rules and lists, and of all configuration.
	Argv     string `json:"argv_sha256"`
	Policies string `json:"policies_sha256"`
	Config   string `json:"config_sha256"`
	Ocjail   string `json:"ocjail"` // its version
	// Bundles are those that judged and configured, the most trusted first.
	Bundles []Bundle `json:"bundles,omitempty"`
}

// Bundle is one by which was decided.
type Bundle struct {
	Policy   string `json:"policy"` // its name in the configuration
	Layer    string `json:"layer"`  // whose file names it
	Revision string `json:"revision"`
	Digest   string `json:"digest"`        // of the archive, "sha256:…"
	Key      string `json:"key,omitempty"` // SHA-256 of the key that signed it; none when no signature was demanded
}

// Waiver is an exception that was used.
type Waiver struct {
	Rule    string `json:"rule"`
	Subject string `json:"subject"` // the pattern
	Owner   string `json:"owner"`
	Expires string `json:"expires"` // the last day, YYYY-MM-DD
	Layer   string `json:"layer"`   // whose file says so
}

// Filter says which decisions are wanted; the zero value is for all.
type Filter struct {
	Project string // a root
	Verdict string
	Rule    string // an id, or a category with "/" behind it
	Since   time.Time
}

// Wants tells whether d is wanted.
func (f Filter) Wants(d Decision) bool {
	return (f.Project == "" || d.Project == f.Project) && (f.Verdict == "" || d.Verdict == f.Verdict) &&
		!d.Time.Before(f.Since) && (f.Rule == "" || f.names(d.Errors, d.Warnings, d.Waived, d.Observed))
}

func (f Filter) names(lists ...[]string) bool {
	return slices.ContainsFunc(slices.Concat(lists...), func(id string) bool {
		return id == f.Rule || strings.HasSuffix(f.Rule, "/") && strings.HasPrefix(id, f.Rule)
	})
}
