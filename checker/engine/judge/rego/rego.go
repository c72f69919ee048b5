// Package rego is what package judge has to judge with where OPA is linked: rules in
// Rego, and OPA's own answers to modules that it compiled.
package rego

import (
	"context"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/judge"
	"github.com/refnil/opencode-jail-devenv/checker/engine/opa"
)

// Means judge by any rule.
var Means = judge.Means{Functions: opa.Function, Rego: open}

func open(ctx context.Context, limit time.Duration, sources ...engine.Source) (judge.Engine, error) {
	return opa.New(ctx, opa.Options{TimeLimit: limit, WithoutPack: true}, sources...)
}
