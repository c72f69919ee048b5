package opa

import (
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
)

// Data returns the base documents that the lists of the sources make, as rules
// see them below data.
func Data(sources ...engine.Source) (map[string]any, error) {
	_, lists, err := read(sources)
	if err != nil {
		return nil, err
	}
	data, err := merge(lists)
	if err != nil {
		return nil, fmt.Errorf("read lists: %w", err)
	}
	return data, nil
}

// Capabilities are what rules may call: OPA's built-in functions without those
// that make two evaluations of one input differ.
func Capabilities() *ast.Capabilities { return capabilities() }
