package ruletest

import (
	"context"
	"fmt"

	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// locate runs the tests again with a trace, which excludes coverage, and notes
// for each that failed the condition at which it did.
func (r *Report) locate(ctx context.Context, s *Suite) error {
	at := map[string]string{}
	err := s.run(ctx, s.runner().EnableTracing(true), func(result *tester.Result) {
		if result.Fail {
			at[result.Package+"."+result.Name] = lastFailure(result)
		}
	})
	for i := range r.Tests {
		t := &r.Tests[i]
		t.At = at[t.Package+"."+t.Name]
	}
	return err
}

// lastFailure is the last condition of the test's own file that did not hold.
func lastFailure(result *tester.Result) string {
	last := ""
	for _, event := range result.Trace {
		if event.Op == topdown.FailOp && event.Location != nil && event.Location.File == result.Location.File {
			last = fmt.Sprintf("%s:%d: %s", event.Location.File, event.Location.Row, event.Location.Text)
		}
	}
	return last
}
