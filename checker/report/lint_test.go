package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/place"
)

// hostile is text as an agent may put it into a path.
const hostile = "a]]>\"'<b>&amp;{0}[x](1)%0A::error::\n::error file=x::y\r##[error]z\x1b[31m\u202e\xff"

var exampleRules = []engine.Rule{
	{ID: "fs/rw-outside-home", Severity: finding.Error, Title: "A <title>", Description: "why {x}", URL: "https://example.org/a b", Remedy: "mend"},
	{ID: "gate/undecided", Severity: finding.Warning, Title: "Undecided"},
	{ID: "acme/own", Severity: finding.Info, Title: "own", URL: "no uri"},
	{ID: "exec/other", Severity: finding.Error, Title: "silent"},
}

func exampleTargets() []*Target {
	return []*Target{
		{
			Name: "jails/a.json", File: "/repo/jails/a.json", Verdict: Deny, Rules: 4, RuleSet: exampleRules, Undecided: 3, Home: "/home/u", Project: "/home/u/p",
			Place: place.Place{File: "/repo/jails/a.json", Line: 1},
			Findings: []finding.Finding{
				{Rule: "fs/rw-outside-home", Severity: finding.Error, Title: "A <title>", Message: hostile, Remedy: "r: " + hostile,
					Subject: finding.Subject{Kind: "mount", Path: "/srv/" + hostile}, Origin: &finding.Origin{Option: "o[0]", File: "devenv.nix", Line: 7}},
				{Rule: "gate/undecided", Severity: finding.Warning, Message: "only a start can tell", Subject: finding.Subject{Kind: "command"}},
				{Rule: "acme/own", Severity: finding.Info, Message: "fyi", Subject: finding.Subject{Kind: "env", Name: "X"}},
				{Rule: "fs/rw-outside-home", Severity: finding.Error, Message: "waived one", Subject: finding.Subject{Kind: "mount", Path: "/mnt"}, Status: finding.Waived, Because: "said so"},
				{Rule: "exec/other", Severity: finding.Error, Message: "tried out", Subject: finding.Subject{Kind: "mount", Path: "/opt"}, Status: finding.Observed, Because: "staged"},
			},
			Places: []place.Place{{File: "/repo/dev env,x:%.nix", Line: 7}, {File: "/elsewhere/f", Line: 2}, {}, {File: "/repo/a", Line: 1}, {File: "/repo/b", Line: 1}},
		},
		{Name: "clean", Verdict: Allow, Rules: 4, RuleSet: exampleRules, Findings: []finding.Finding{}},
		NewBroken("::error::"+hostile, errors.New("cut short "+hostile)),
	}
}

func written(t *testing.T, format string, o LintOptions, targets ...*Target) string {
	t.Helper()
	var b bytes.Buffer
	l, err := NewLint(format, &b, o)
	if err != nil {
		t.Fatal(err)
	}
	var s Summary
	for _, x := range targets {
		s.Add(x)
		if err := l.Target(x); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var options = LintOptions{FailLevel: finding.Error, Root: "/repo", Verbose: true}

type sarifDocument struct {
	Runs []struct {
		Results []struct {
			RuleID, Kind, Level string
			Message             struct{ Text string }
			PartialFingerprints map[string]string
			Suppressions        []struct{ Kind, Justification string }
			Locations           []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI, URIBaseID string }
					Region           struct{ StartLine int }
				}
			}
		}
		Tool struct {
			Driver struct {
				Rules []struct {
					ID, HelpURI string
					Help        struct{ Text, Markdown string }
				}
			}
		}
		Invocations []struct {
			ExecutionSuccessful        bool
			ToolExecutionNotifications []struct{ Message struct{ Text string } }
		}
		Properties struct{ Summary Summary }
	}
}

func readSARIF(t *testing.T, text string) (d sarifDocument) {
	t.Helper()
	schema, err := os.Open("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	defer schema.Close()
	doc, err := jsonschema.UnmarshalJSON(schema)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	report, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(report); err != nil {
		t.Errorf("not SARIF 2.1.0: %v", err)
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSARIF(t *testing.T) {
	run := readSARIF(t, written(t, "sarif", options, exampleTargets()...)).Runs[0]
	readSARIF(t, written(t, "sarif", options))
	if len(run.Results) != 6 || len(run.Tool.Driver.Rules) != len(exampleRules) {
		t.Fatalf("%d results, %d rules", len(run.Results), len(run.Tool.Driver.Rules))
	}
	first := run.Results[0]
	if strings.ContainsAny(first.Message.Text, "\n\r\x1b\u202e") || !strings.Contains(first.Message.Text, `{{0}[x\](1)`) {
		t.Errorf("message %q", first.Message.Text)
	}
	at := first.Locations[0].PhysicalLocation
	if at.ArtifactLocation.URI != "dev%20env,x:%25.nix" && at.ArtifactLocation.URI != "./dev%20env,x:%25.nix" || at.ArtifactLocation.URIBaseID != "%SRCROOT%" || at.Region.StartLine != 7 {
		t.Errorf("location %+v", at)
	}
	if uri := run.Results[1].Locations[0].PhysicalLocation.ArtifactLocation; uri.URI != "file:///elsewhere/f" || uri.URIBaseID != "" {
		t.Errorf("outside of the repository: %+v", uri)
	}
	for i, want := range []struct {
		level, kind  string
		suppressions int
	}{{"error", "", 0}, {"warning", "", 0}, {"note", "", 0}, {"error", "", 1}, {"note", "", 0}, {"none", "open", 0}} {
		got := run.Results[i]
		if got.Level != want.level || got.Kind != want.kind || len(got.Suppressions) != want.suppressions {
			t.Errorf("result %d: level %q, kind %q, %d suppressions", i, got.Level, got.Kind, len(got.Suppressions))
		}
	}
	if rule := run.Tool.Driver.Rules[0]; !strings.Contains(rule.Help.Markdown, "# fs/rw-outside-home") || rule.Help.Text == "" || rule.HelpURI != "https://example.org/a%20b" {
		t.Errorf("rule %+v", rule)
	}
	said := run.Invocations[0]
	if said.ExecutionSuccessful || len(said.ToolExecutionNotifications) != 1 || !strings.Contains(said.ToolExecutionNotifications[0].Message.Text, "cut short") {
		t.Errorf("invocation %+v", said)
	}
}

// A finding keeps its fingerprint when lines, places, the order of combinators, the
// home or a store path change, and findings do not share one.
func TestFingerprints(t *testing.T) {
	prints := func(x *Target) (all []string) {
		for _, r := range readSARIF(t, written(t, "sarif", options, x)).Runs[0].Results {
			all = append(all, r.PartialFingerprints["ocjailFinding/v1"])
		}
		return all
	}
	target := func(home, name, hash string, line int, extra ...finding.Finding) *Target {
		return &Target{
			Name: name, Verdict: Deny, RuleSet: exampleRules, Home: home, Project: home + "/p",
			Findings: append(extra,
				finding.Finding{Rule: "fs/rw-outside-home", Severity: finding.Error, Message: home, Subject: finding.Subject{Kind: "mount", Path: home + "/p/x"}, Origin: &finding.Origin{Line: line}},
				finding.Finding{Rule: "fs/rw-outside-home", Severity: finding.Error, Subject: finding.Subject{Kind: "mount", Path: home + "/p/x"}},
				finding.Finding{Rule: "exec/other", Severity: finding.Error, Subject: finding.Subject{Kind: "path", Path: "/nix/store/" + hash + "-curl"}},
				finding.Finding{Rule: "acme/own", Severity: finding.Info, Message: "the waiver at " + home + "/p/ocjail.hcl:12:3 is late", Subject: finding.Subject{Kind: "config", Name: home + "/p/ocjail.hcl:12:3"}},
			),
		}
	}
	hash := strings.Repeat("a", 32)
	a := prints(target("/home/u", "/nix/store/"+hash+"-manifest.json", hash, 1))
	other := finding.Finding{Rule: "acme/own", Severity: finding.Info, Subject: finding.Subject{Kind: "env", Name: "NEW"}}
	moved := target("/home/runner", "/nix/store/"+strings.Repeat("b", 32)+"-manifest.json", strings.Repeat("c", 32), 9, other)
	moved.Findings[4].Message = strings.Replace(moved.Findings[4].Message, ":12:3", ":40:1", 1)
	b := prints(moved)
	if diff := cmp.Diff(a, b[1:]); diff != "" {
		t.Error(diff)
	}
	seen := map[string]bool{}
	for _, p := range append(b, prints(target("/home/u", "other.json", hash, 1))...) {
		if seen[p] {
			t.Errorf("%s is given twice", p)
		}
		seen[p] = true
	}
}

func TestJUnit(t *testing.T) {
	var doc struct {
		Suites []struct {
			Name     string `xml:"name,attr"`
			Tests    int    `xml:"tests,attr"`
			Failures int    `xml:"failures,attr"`
			Errors   int    `xml:"errors,attr"`
			Skipped  int    `xml:"skipped,attr"`
			Cases    []struct {
				Name    string `xml:"name,attr"`
				Failure *struct {
					Text string `xml:",chardata"`
				} `xml:"failure"`
				Error   *struct{} `xml:"error"`
				Skipped *struct {
					Message string `xml:"message,attr"`
				} `xml:"skipped"`
				Out string `xml:"system-out"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(written(t, "junit", options, exampleTargets()...)), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Suites) != 3 {
		t.Fatalf("%d suites", len(doc.Suites))
	}
	a := doc.Suites[0]
	if a.Tests != 5 || len(a.Cases) != 5 || a.Failures != 1 || a.Skipped != 2 || a.Errors != 0 {
		t.Errorf("%+v", a)
	}
	if text := a.Cases[0].Failure.Text; !strings.Contains(text, `a]]>"'<b>&amp;{0}`) || !strings.Contains(text, "waived error: waived one") {
		t.Errorf("failure %q", text)
	}
	if a.Cases[1].Skipped == nil || a.Cases[4].Skipped == nil || a.Cases[3].Failure != nil || !strings.Contains(a.Cases[3].Out, "observed error: tried out") {
		t.Errorf("%+v", a.Cases)
	}
	if doc.Suites[1].Failures+doc.Suites[1].Skipped != 0 || doc.Suites[2].Errors != 1 || doc.Suites[2].Cases[0].Error == nil {
		t.Errorf("%+v", doc.Suites[1:])
	}
	strict := options
	strict.FailLevel = finding.Warning
	if !strings.Contains(written(t, "junit", strict, exampleTargets()...), `failures="2"`) {
		t.Error("--fail-level warning has one failure")
	}
}

// What the runner reads is what was written, and no text makes a command of its own.
func TestGitHub(t *testing.T) {
	text := written(t, "github", options, exampleTargets()...)
	var commands []string
	for _, l := range strings.Split(text, "\n") {
		if strings.Contains(l, "##[") && !strings.HasPrefix(l, "::") {
			t.Errorf("the runner takes %q for a command", l)
		}
		if rest, ok := strings.CutPrefix(strings.TrimLeft(l, " \t"), "::"); ok {
			commands = append(commands, rest)
		}
	}
	var heads []string
	for _, c := range commands {
		head, _, ok := strings.Cut(c, "::")
		if !ok {
			t.Errorf("%q has no text", c)
		}
		heads = append(heads, head)
	}
	want := []string{
		"error file=dev env%2Cx%3A%25.nix,line=7,title=fs/rw-outside-home%3A A <title>",
		"warning file=/elsewhere/f,line=2,title=gate/undecided",
		"notice title=acme/own",
		"notice file=b,line=1,title=exec/other",
		"notice file=jails/a.json,line=1,title=ocjail%3A undecided",
		"error title=ocjail%3A not judged",
	}
	if diff := cmp.Diff(want, heads); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(text, "ocjail: 3 jails: 1 allowed, 1 refused, 1 not judged, 3 undecided\n") {
		t.Error(text)
	}
}

// Each format counts what is undecided, and no format hides it.
func TestUndecidedIsCountedInEveryFormat(t *testing.T) {
	for format, want := range map[string]string{
		"text": "; 3 undecided", "json": `"undecided": 3`, "sarif": `"undecided": 3`, "junit": `skipped="2"`, "github": "3 undecided",
	} {
		if got := written(t, format, options, exampleTargets()...); !strings.Contains(got, want) {
			t.Errorf("%s does not say %s:\n%s", format, want, got)
		}
	}
}

func TestLintJSON(t *testing.T) {
	explain := options
	explain.Explain = true
	var doc struct {
		Version   int
		Targets   []Target
		Explained []engine.Rule
		Summary   Summary
	}
	if err := json.Unmarshal([]byte(written(t, "json", explain, exampleTargets()...)), &doc); err != nil {
		t.Fatal(err)
	}
	want := Summary{Targets: 3, Allowed: 1, Denied: 1, Broken: 1, Errors: 1, Warnings: 1, Infos: 1, Waived: 1, Observed: 1, Undecided: 3}
	if diff := cmp.Diff(want, doc.Summary); diff != "" || len(doc.Targets) != 3 || len(doc.Explained) != 4 {
		t.Error(diff, len(doc.Targets), len(doc.Explained))
	}
	if err := json.Unmarshal([]byte(written(t, "json", options)), &doc); err != nil {
		t.Error(err)
	}
}

func TestUnknownFormat(t *testing.T) {
	if _, err := NewLint("xml", nil, options); err == nil {
		t.Error("xml is a format")
	}
}

// A report that can not be written is an error, in each format.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	for _, format := range LintFormats {
		l, err := NewLint(format, full, options)
		if err != nil {
			t.Fatal(err)
		}
		err = l.Target(exampleTargets()[0])
		if end := l.Close(Summary{Targets: 2}); err == nil && end == nil {
			t.Errorf("%s: nothing is said of a full disk", format)
		}
	}
}
