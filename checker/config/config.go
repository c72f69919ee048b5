// Package config reads ocjail.hcl: the severities of rules, further rules, the
// paths to watch and to protect, exceptions, and how the gate behaves. Files
// come in layers of falling trust, of which a later one only tightens.
package config

import (
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// Config is what holds after all layers.
type Config struct {
	Files    []*File // most trusted first
	Watches  []Watch
	Protect  Protect
	Review   []Said[string] // patterns, relative to the project's root
	Policies []Policy
	Gate     Gate
	// LogRequired: a decision that can't be logged is a refusal.
	LogRequired bool
	// Ignored is what a file asked for beyond its trust.
	Ignored []Ignored
	// From tells who said what holds, by name: "gate.mode", "gate.timeout",
	// "gate.review", "gate.inform", "gate.approval", "gate.project", "protect", "log.required", "longest_waiver". What has no entry
	// is ocjail's default.
	From map[string]From

	top           Layer // the most trusted layer that has a file
	longestWaiver *Said[time.Duration]
}

// LongestWaiver is how far ahead a less trusted file's waiver may expire; 0 is
// any time.
func (c *Config) LongestWaiver() time.Duration {
	if c.longestWaiver == nil {
		return 0
	}
	return c.longestWaiver.Value
}

// Protect is what is made read-only while the agent runs, where it exists.
type Protect struct {
	// Pack tells whether the pack's own list holds too.
	Pack  bool
	Paths []Said[string] // clean, relative to the project's root
}

// Gate is how the launch gate behaves.
type Gate struct {
	Mode    Mode
	Timeout time.Duration // for all rules together
	Review  Review
	Inform  bool // tell the jail of itself
	// Approval is "" where no file says: see Asks.
	Approval Approval
}

// Approval says when a person is asked before a launch.
type Approval string

// ApprovalWidening asks when the jail may do more than was last approved, and
// ApprovalOff never.
const (
	ApprovalOff      Approval = "off"
	ApprovalWidening Approval = "widening"
)

// Approvals are all of them, the later being stricter.
var Approvals = []string{string(ApprovalOff), string(ApprovalWidening)}

// Asks tells whether a launch needs a person's approval. Where no file says, the
// jails of the Nix module do: an agent writes devenv.nix, and so its own jail. Others
// are what the one who starts them wrote on the command line, or the embedded profile.
func (g Gate) Asks(ofModule bool) bool {
	return g.Approval == ApprovalWidening || g.Approval == "" && ofModule
}

// Mode is what the gate does with a denied launch.
type Mode string

// Enforce refuses a denied launch; Observe reports it and launches.
const (
	Enforce Mode = "enforce"
	Observe Mode = "observe"
)

// Ignored is a statement that would have loosened what a more trusted layer, or
// ocjail itself, holds.
type Ignored struct {
	Layer   Layer
	Pos     hclfile.Pos
	Message string // what was asked, and why it does not count
	Remedy  string
}

// From is where a value was written.
type From struct {
	Layer Layer
	Pos   hclfile.Pos
}

// Review is what happens to what a session changed among the files that the host
// runs later.
type Review string

// ReviewReport tells of the changes, ReviewAsk asks for each on a terminal, and
// ReviewRevert puts them back. ReviewOff neither looks nor keeps a record.
const (
	ReviewOff    Review = "off"
	ReviewReport Review = "report"
	ReviewAsk    Review = "ask"
	ReviewRevert Review = "revert"
)

// Reviews are all of them, the later being as strict or stricter.
var Reviews = []string{string(ReviewOff), string(ReviewReport), string(ReviewAsk), string(ReviewRevert)}

// DefaultTimeout bounds the evaluation of the rules, MaxTimeout what a file may ask for.
const (
	DefaultTimeout = 2 * time.Second
	MaxTimeout     = time.Minute
)

// Default is the configuration without a file: the pack's severities and
// lists, enforced.
func Default() *Config {
	return &Config{Protect: Protect{Pack: true}, Gate: Gate{Mode: Enforce, Timeout: DefaultTimeout, Review: ReviewReport, Inform: true}, From: map[string]From{}, top: Project}
}
