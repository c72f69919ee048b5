// Package ruletest runs the Rego tests of rules with OPA's tester: those of the
// embedded pack, or of an organisation's folder, which may use the pack's library
// and fixtures. Only the command that does so imports it, for it links more of OPA
// than a launch needs.
package ruletest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/tester"
)

// Report is the outcome of one run.
type Report struct {
	Version int    `json:"version"` // 1
	Tests   []Test `json:"tests"`   // by file and line
	Passed  int    `json:"passed"`
	Failed  int    `json:"failed"`
	Skipped int    `json:"skipped"` // todo_test_…
	// Coverage tells which lines of the rules the tests ran.
	Coverage Coverage `json:"coverage"`
}

// Test is one test rule.
type Test struct {
	Package string `json:"package"` // "data.…"
	Name    string `json:"name"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Result  string `json:"result"`          // "pass", "fail", "error" or "skip"
	Error   string `json:"error,omitempty"` // of an evaluation that came to no end
	// Cases are those of a table that failed, as test_x[note] has them.
	Cases []string `json:"cases,omitempty"`
	// At is the condition that was last seen to fail, as FILE:LINE: TEXT.
	At      string        `json:"at,omitempty"`
	Output  string        `json:"output,omitempty"` // of print
	Elapsed time.Duration `json:"elapsed_ns"`
}

// ErrNoTests says that nothing was tested, which is no success.
var ErrNoTests = errors.New("no tests: write rules named test_… into a file NAME_test.rego beside NAME.rego")

// testLimit bounds one test. A test that needs longer would be a rule that does.
const testLimit = 30 * time.Second

// Run tests what s holds. An error means that the rules or their tests can not be
// read, or that there are none; failed tests are in the report.
func Run(ctx context.Context, s *Suite) (*Report, error) {
	tracer := cover.New()
	// The other passes would mark as untested what an index skips.
	runner := s.runner().SetCoverageQueryTracer(tracer).SetCoverageRuns(nil)
	r := &Report{Version: 1, Tests: []Test{}}
	err := s.run(ctx, runner, func(result *tester.Result) { r.add(result) })
	if err != nil {
		return nil, err
	}
	if r.Passed+r.Failed == 0 {
		return nil, ErrNoTests
	}
	if r.Failed > 0 {
		if err := r.locate(ctx, s); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(r.Tests, func(a, b Test) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		return a.Line - b.Line
	})
	r.Coverage = s.coverage(tracer)
	return r, ctx.Err()
}

// run runs the tests and calls each for every result.
func (s *Suite) run(ctx context.Context, runner *tester.Runner, each func(*tester.Result)) error {
	txn, err := s.store.NewTransaction(ctx, storage.TransactionParams{})
	if err != nil {
		return err
	}
	defer s.store.Abort(ctx, txn)
	results, err := runner.RunTests(ctx, txn)
	if err != nil {
		return fmt.Errorf("compile rules and tests: %w", err)
	}
	for result := range results {
		each(result)
	}
	return nil
}

func (r *Report) add(result *tester.Result) {
	t := Test{
		Package: result.Package, Name: result.Name, File: result.Location.File, Line: result.Location.Row,
		Output: string(result.Output), Elapsed: result.Duration,
	}
	switch {
	case result.Skip:
		t.Result = "skip"
		r.Skipped++
	case result.Error != nil:
		t.Result, t.Error = "error", result.Error.Error()
		r.Failed++
	case result.Fail:
		t.Result = "fail"
		r.Failed++
	default:
		t.Result = "pass"
		r.Passed++
	}
	for path, sub := range result.SubResults.Iter {
		if sub.Fail && len(sub.SubResults) == 0 {
			t.Cases = append(t.Cases, strings.Join(path, "/"))
		}
	}
	r.Tests = append(r.Tests, t)
}

// Text writes what failed, and a summary.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	for _, t := range r.Tests {
		if t.Result != "fail" && t.Result != "error" {
			continue
		}
		fmt.Fprintf(&b, "%s %s:%d: %s.%s\n", t.Result, t.File, t.Line, strings.TrimPrefix(t.Package, "data."), t.Name)
		for _, c := range t.Cases {
			fmt.Fprintf(&b, "  case:    %s\n", c)
		}
		for _, l := range []struct{ name, text string }{{"at:", t.At}, {"error:", t.Error}, {"printed:", t.Output}} {
			if text := strings.TrimRight(l.text, "\n"); text != "" {
				fmt.Fprintf(&b, "  %-9s%s\n", l.name, strings.ReplaceAll(text, "\n", "\n           "))
			}
		}
	}
	r.Coverage.text(&b)
	fmt.Fprintf(&b, "%d passed, %d failed", r.Passed, r.Failed)
	if r.Skipped > 0 {
		fmt.Fprintf(&b, ", %d skipped", r.Skipped)
	}
	fmt.Fprintf(&b, "; %.1f %% of %d lines covered\n", r.Coverage.Percent, r.Coverage.Lines)
	_, err := io.WriteString(w, b.String())
	return err
}
