package engine_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/opa"
	"github.com/refnil/opencode-jail-devenv/checker/engine/planner"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/policy"
)

// What a launch runs is what the sources say.
func TestPlanIsCurrent(t *testing.T) {
	want, err := planner.Pack(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != policy.Plan {
		t.Error("policy/pack.plan is not what policy/ compiles to: run `make generate` and commit it")
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256([]byte(policy.Plan))); sum != policy.PlanDigest {
		t.Errorf("policy/digest.go is not the digest of policy/pack.plan, %s: run `make generate` and commit it", sum)
	}
	again, err := planner.Pack(t.Context())
	if err != nil || !bytes.Equal(want, again) {
		t.Errorf("compiled twice, the pack differs (%v)", err)
	}
}

// engines are both engines on the pack: the one that launches use, and OPA.
type engines struct {
	plan   *engine.Pack
	opa    *opa.Rego
	schema *jsonschema.Schema
}

func openBoth(t testing.TB) engines {
	t.Helper()
	p, err := engine.OpenPack(0)
	if err != nil {
		t.Fatal(err)
	}
	o, err := opa.New(t.Context(), opa.Options{}, engine.EmbeddedPack())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(o.Rules(), p.Rules()); diff != "" {
		t.Fatalf("rules of OPA (-) and of the plan (+):\n%s", diff)
	}
	return engines{p, o, inputSchema(t)}
}

// differ tells how the verdicts of the engines on one input differ; "" when they
// are the same, or neither has one. found is the number of findings.
//
// An input that breaks the schema may be without a verdict from the plan alone:
// OPA's index and early exit skip conditions that would err, which a plan has not.
func (e engines) differ(ctx context.Context, input []byte) (diff string, found int) {
	want, opaErr := e.opa.Evaluate(ctx, input)
	got, err := e.plan.Evaluate(ctx, input)
	if err != nil && opaErr == nil && e.schema.Validate(decoded(input)) != nil {
		return "", 0 // OPA left out what the plan stumbled over; no launch comes of it
	}
	if (opaErr == nil) != (err == nil) {
		return "OPA: " + message(opaErr) + "\nplan: " + message(err), 0
	}
	return cmp.Diff(want, got), len(got)
}

func inputSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	text, err := fs.ReadFile(policy.Files, "schema/input.json")
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("input.json", decoded(text)); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("input.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// decoded is nil for what is no JSON, which no schema takes for an object.
func decoded(doc []byte) any {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		return nil
	}
	return v
}

func message(err error) string {
	if err == nil {
		return "a verdict"
	}
	return err.Error()
}

// Every document that a test of the pack judges a rule by is judged the same by
// both engines.
func TestParityOnTheRulesTests(t *testing.T) {
	both := openBoth(t)
	inputs := testInputs(t)
	found := 0
	for name, in := range inputs {
		diff, n := both.differ(t.Context(), []byte(name))
		if diff != "" {
			t.Errorf("%s: OPA (-), plan (+):\n%s", in, diff)
		}
		found += n
	}
	t.Logf("%d inputs, %d findings", len(inputs), found)
	if len(inputs) < 200 || found < 180 {
		t.Errorf("only %d inputs with %d findings were compared", len(inputs), found)
	}
}

// inputTracer collects the input documents that rules of the pack are entered
// with: the document, and a test that has it.
type inputTracer struct {
	inputs map[string]string
	test   string
}

func (*inputTracer) Enabled() bool               { return true }
func (*inputTracer) Config() topdown.TraceConfig { return topdown.TraceConfig{} }

func (c *inputTracer) TraceEvent(e topdown.Event) {
	if e.Op != topdown.EnterOp || e.Location == nil || e.Input() == nil {
		return
	}
	if strings.HasSuffix(e.Location.File, "_test.rego") {
		c.test = e.Location.String()
		return
	}
	v, err := ast.JSON(e.Input().Value)
	if err != nil {
		return
	}
	if doc, err := json.Marshal(v); err == nil && c.inputs[string(doc)] == "" {
		c.inputs[string(doc)] = c.test
	}
}

// testInputs runs the pack's tests and returns the inputs that they use.
func testInputs(t testing.TB) map[string]string {
	t.Helper()
	modules, lists := map[string]*ast.Module{}, map[string]any{}
	err := fs.WalkDir(policy.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(policy.Files, name)
		if err != nil {
			return err
		}
		switch {
		case path.Ext(name) == ".rego":
			modules[name], err = ast.ParseModuleWithOpts(name, string(text), ast.ParserOptions{ProcessAnnotation: true})
		case path.Dir(name) == "data":
			var v any
			err = json.Unmarshal(text, &v)
			lists[strings.TrimSuffix(path.Base(name), ".json")] = v
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	store := inmem.NewFromObject(map[string]any{"ocjail": lists})
	txn, err := store.NewTransaction(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Abort(t.Context(), txn)
	tracer := &inputTracer{inputs: map[string]string{}}
	results, err := tester.NewRunner().SetParallel(1).SetTimeout(time.Minute).SetCoverageQueryTracer(tracer).SetStore(store).SetModules(modules).RunTests(t.Context(), txn)
	if err != nil {
		t.Fatal(err)
	}
	for r := range results {
		if !r.Pass() {
			t.Errorf("%s: %v", r, r.Error)
		}
	}
	return tracer.inputs
}

func golden(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("../../policy/schema/testdata/input.json")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestParityOnTheGoldenInput(t *testing.T) {
	if diff, n := openBoth(t).differ(t.Context(), golden(t)); diff != "" || n == 0 {
		t.Errorf("%d findings; OPA (-), plan (+):\n%s", n, diff)
	}
}

// Lists of an organisation's reach the pack's rules in both engines.
func TestParityWithExtendedLists(t *testing.T) {
	in := bytes.Replace(golden(t), []byte(`"source_real": "/home/u/p"`), []byte(`"source_real": "/mnt/scratch/x"`), 1)
	extended := engine.Source{Name: "acme", FS: fstest.MapFS{
		"data/ocjail/tolerated.json": {Data: []byte(`{"writable": ["/mnt/scratch"]}`)},
		"data/acme.json":             {Data: []byte(`{"half": 0.5}`)}, // no rule of the pack's sees it
	}}
	for n, sources := range [][]engine.Source{{extended}, nil} {
		files, err := engine.Read(sources...)
		if err != nil {
			t.Fatal(err)
		}
		p, err := engine.OpenPack(0, files...)
		if err != nil {
			t.Fatal(err)
		}
		o, err := opa.New(t.Context(), opa.Options{}, append(sources, engine.EmbeddedPack())...)
		if err != nil {
			t.Fatal(err)
		}
		diff, _ := engines{p, o, inputSchema(t)}.differ(t.Context(), in)
		fs, err := p.Evaluate(t.Context(), in)
		if err != nil || diff != "" || finding.Count(fs, finding.Error) != n {
			t.Errorf("%d errors (%v), want %d; OPA (-), plan (+):\n%s", finding.Count(fs, finding.Error), err, n, diff)
		}
	}
	for _, broken := range []string{`{"writable": "x"}`, `{"writable": [0.5]}`, `[]`, `{`} {
		source := engine.Source{Name: "acme", FS: fstest.MapFS{"data/ocjail/tolerated.json": {Data: []byte(broken)}}}
		files, err := engine.Read(source)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := engine.OpenPack(0, files...); err == nil || !strings.Contains(err.Error(), "acme: data/ocjail/tolerated.json") {
			t.Errorf("%s: error %v", broken, err)
		}
	}
}
