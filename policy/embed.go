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
