// Package planner compiles Rego for package plan, with OPA's planner. ocjail-rules
// does so for bundles; the pack is compiled when ocjail is built.
package planner

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/ir"
	"github.com/open-policy-agent/opa/v1/rego"
)

// target is the name under which OPA hands out its plans.
const target = "ocjail-plan"

// Intermediate returns OPA's intermediate representation of a query, a single
// reference such as data.a.b or any other Rego, on compiled modules.
func Intermediate(ctx context.Context, query string, compiler *ast.Compiler) (*ir.Policy, error) {
	register()
	taken := &taker{}
	_, err := rego.New(rego.Query(query), rego.Compiler(compiler), rego.Target(target), rego.SetRegoVersion(ast.RegoV1)).
		PrepareForEval(context.WithValue(ctx, takerKey{}, taken))
	if err != nil {
		return nil, fmt.Errorf("plan %s: %w", query, err)
	}
	if taken.policy == nil {
		return nil, fmt.Errorf("plan %s: %w", query, errors.New("OPA made no plan"))
	}
	return taken.policy, nil
}

// OPA plans for the sake of evaluators that are registered with it. This one
// takes the plan and evaluates nothing.
type (
	taker    struct{ policy *ir.Policy }
	takerKey struct{}
	plugin   struct{}
)

var register = sync.OnceFunc(func() { rego.RegisterPlugin(target, plugin{}) })

func (plugin) IsTarget(name string) bool { return name == target }

func (plugin) PrepareForEval(ctx context.Context, p *ir.Policy, _ ...rego.PrepareOption) (rego.TargetPluginEval, error) {
	t, ok := ctx.Value(takerKey{}).(*taker)
	if !ok {
		return nil, errors.New("planner: nobody takes the plan")
	}
	t.policy = p
	return t, nil
}

// Eval is never called: nobody runs the query.
func (*taker) Eval(context.Context, *rego.EvalContext, ast.Value) (ast.Value, error) {
	return nil, errors.New("planner: plans are not evaluated here")
}
