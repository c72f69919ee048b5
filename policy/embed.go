// Package policy embeds the rule pack; package engine evaluates it.
package policy

import "embed"

// Files holds the pack: lib/ (Rego helpers), rules/CATEGORY/NAME.rego (one rule
// a file), data/NAME.json (lists, read by rules as data.ocjail.NAME) and
// schema/input.json (JSON Schema of the document that rules judge). The Rego
// tests beside the rules are in it too; engines leave out *_test.rego.
//
//go:embed lib rules data schema/input.json
var Files embed.FS

// Plan is the pack compiled for package plan: the rules, what they say of
// themselves, and the lists that they read.
//
//go:generate go run ../checker/engine/planner/generate
//go:embed pack.plan
var Plan string
