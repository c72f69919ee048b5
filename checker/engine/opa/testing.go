package opa

import "github.com/open-policy-agent/opa/v1/ast"

// Capabilities are what rules may call: OPA's built-in functions without those
// that make two evaluations of one input differ.
func Capabilities() *ast.Capabilities { return capabilities() }
