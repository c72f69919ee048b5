package planner

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/opa"
	"github.com/refnil/opencode-jail-devenv/checker/engine/plan"
)

// Pack compiles the embedded pack from its sources. Equal sources give equal
// bytes.
func Pack(ctx context.Context) ([]byte, error) {
	return Compile(ctx, engine.EmbeddedPack())
}

// Compile compiles sources whose rules are all of ocjail's own form.
func Compile(ctx context.Context, sources ...engine.Source) ([]byte, error) {
	checked, err := opa.New(ctx, opa.Options{}, sources...)
	if err != nil {
		return nil, err
	}
	return compile(ctx, checked, engine.RulesValue(checked.Rules()))
}

// Others compiles rules that are none of the pack's, for engine.OpenPlan. What they
// call of the pack, and its lists, goes with them, so it is for an ocjail with this
// pack alone. The error wraps plan.ErrUnsupported when only OPA can judge by them.
func Others(ctx context.Context, sources ...engine.Source) ([]byte, error) {
	checked, err := opa.New(ctx, opa.Options{WithoutPack: true}, append([]engine.Source{engine.EmbeddedPack()}, sources...)...)
	if err != nil {
		return nil, err
	}
	var foreign []plan.Value
	for _, f := range checked.Foreign() {
		foreign = append(foreign, plan.Bool(f))
	}
	return compile(ctx, checked, plan.NewArray(engine.RulesValue(checked.Rules()), plan.NewArray(foreign...)))
}

func compile(ctx context.Context, checked *opa.Rego, meta plan.Value) ([]byte, error) {
	compiler, lists := checked.Compiled()
	policy, err := Intermediate(ctx, engine.AnswerName+" = "+opa.Answer, compiler)
	if err != nil {
		return nil, err
	}
	program, err := Lower(policy)
	if err != nil {
		return nil, err
	}
	program.Meta = meta
	if program.Data, err = value(lists); err != nil {
		return nil, fmt.Errorf("lists: %w", err)
	}
	encoded := program.Encode()
	// What could not be loaded at a launch must not be built.
	_, err = plan.Load(encoded)
	return encoded, err
}

func value(v any) (plan.Value, error) {
	doc, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return plan.ParseJSON(doc)
}
