package config

import (
	"crypto/sha256"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// File is what one file says. What holds in the end is Merge's to say.
type File struct {
	Name     string // as it was named, for messages
	Layer    Layer
	Rules    []Rule
	Watches  []Watch
	Protect  *Said[[]string] // clean, relative to the project's root, or absolute
	Review   []Said[string]  // patterns, relative to the project's root
	Policies []Policy
	Waivers  []Waiver
	Gate     GateFile
	// LogRequired: a decision that can't be logged is a refusal.
	LogRequired *Said[bool]
	// LongestWaiver bounds how far ahead a less trusted file's waiver may expire.
	LongestWaiver *Said[time.Duration]
	// Path is absolute, symbolic links as they were named; "" for what is no file.
	Path string
	// None: it stands for the options of a module that is not there, and says nothing.
	None bool
	// Lock is the one beside it, nil for none.
	Lock *Lock

	real string            // Path, with links resolved
	sum  [sha256.Size]byte // of the text
}

// Said is a value and where it stands.
type Said[T any] struct {
	Value T
	Pos   hclfile.Pos
}

// Rule changes one rule.
type Rule struct {
	ID       string           // "category/kebab-name"; whether it exists is Settle's to say
	Severity finding.Severity // "" keeps it
	Mode     Mode             // "" keeps it; Observe reports the rule's findings and lets the jail start
	Waivable bool             // less trusted layers may loosen or waive it
	Params   *hclfile.Literal // an object; nil for none. Whether the rule takes it is Settle's to say
	Layer    Layer
	Pos      hclfile.Pos // of the block
}

// Watch is a path that matters, beside those of the pack.
type Watch struct {
	// Path is a template as in the pack's list: below "{home}/", "{project}/"
	// or "/". The file's "~/" is written "{home}/" here.
	Path   string
	Class  string // one of Classes, or "checker-state" for ocjail's own
	Reason string // one clause; never empty
	Pos    hclfile.Pos
}

// Policy is a source of further rules.
type Policy struct {
	Name string
	// Source is where the rules are, as it was written, without a leading "./".
	Source string
	// Path is a folder, a .rego or .wasm file, or a bundle: absolute, or below "{home}/"; for a
	// project also relative to its root.
	Path string
	// Root is that of the project whose file names it, where that lies above this
	// one; "" for all others.
	Root  string
	Layer Layer
	Pos   hclfile.Pos
	// Bundle tells that Path is that of a bundle, and Opened is that bundle, once
	// checker.OpenBundles has read it.
	Bundle bool
	Opened *bundle.Bundle
	// Keys are files of public keys, of which one must have signed the bundle; paths
	// as Path. Nil demands no signature.
	Keys []string
	// Remote is where the bundle is fetched from, nil for what is here. Path is that
	// of what was fetched, once checker.OpenBundles has found it.
	Remote *Remote
	// Locked is what the lock of the file says of the bundle, nil for nothing.
	Locked *Locked
	// Candidate is an archive that is tried as the bundle in the place of what was
	// fetched, nil for none. Nothing is started by it.
	Candidate []byte
}

// Remote is a bundle's source that is not on this machine.
type Remote struct {
	bundle.Source
	// TokenFile holds a bearer token for an https:// source; a path as Policy.Path, ""
	// for none.
	TokenFile string
	// Background has launches fetch it again, once the jail has started.
	Background bool
	// WarnAfter and RefuseAfter are how long ago it may have been fetched.
	WarnAfter, RefuseAfter time.Duration
	// Fetched is when its source last said that this is its bundle, and Stale warns that
	// this is long ago, once checker.OpenBundles has found it.
	Fetched time.Time
	Stale   string
}

// How long ago a bundle may have been fetched where a policy does not say.
const (
	DefaultWarnAfter   = 7 * 24 * time.Hour
	DefaultRefuseAfter = 30 * 24 * time.Hour
)

// Waiver is a named exception.
type Waiver struct {
	Rule    string
	Subject string // pattern of the finding's subject; see Pattern
	Reason  string
	Owner   string
	Expires time.Time // the end of the day that was written, UTC
	Layer   Layer
	Pos     hclfile.Pos
}

// GateFile is what a file says of the gate; nil for nothing.
type GateFile struct {
	Mode     *Said[Mode]
	Timeout  *Said[time.Duration]
	Review   *Said[Review]
	Inform   *Said[bool]
	Approval *Said[Approval]
	// Project lists what a project's file may loosen: "observe".
	Project *Said[[]string]
}
