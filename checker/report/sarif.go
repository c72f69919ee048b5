package report

import (
	"fmt"
	"io"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/manifest"
	"github.com/refnil/opencode-jail-devenv/checker/place"
	"github.com/refnil/opencode-jail-devenv/checker/release"
)

// sarif writes SARIF 2.1.0 (OASIS): results as they come, and the tool with its
// rules, which are only known then, at the end. JSON has no order of names.
type sarif struct {
	w        *jsonStream
	root     string
	rules    ruleSet
	problems []sarifNotification
}

const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// sourceRoot is the uriBaseId that GitHub knows.
const sourceRoot = "%SRCROOT%"

func newSARIF(w io.Writer, o LintOptions) Lint {
	s := &sarif{w: &jsonStream{w: w}, root: o.Root}
	s.w.text("{\n  \"$schema\": \"" + sarifSchema + "\",\n  \"version\": \"2.1.0\",\n  \"runs\": [{\n  \"results\": [")
	return s
}

// mostProblems bounds the targets without a verdict that are named.
const mostProblems = 1000

func (s *sarif) Target(t *Target) error {
	if t.Verdict == Broken {
		if len(s.problems) < mostProblems {
			s.problems = append(s.problems, s.problem(t))
		}
		return s.w.err
	}
	for _, r := range t.RuleSet {
		s.rules.add(r)
	}
	prints := newFingerprinter(t, relative(t.name(), s.root))
	for i, f := range t.Findings {
		s.w.element(s.result(t, f, t.place(i), prints))
	}
	if n := t.undecidedMounts(); n > 0 {
		s.w.element(s.open(t, n, prints))
	}
	return s.w.err
}

func (s *sarif) result(t *Target, f finding.Finding, at place.Place, prints *fingerprinter) sarifResult {
	text := f.Message
	if f.Remedy != "" {
		text += "; remedy: " + f.Remedy
	}
	r := sarifResult{
		RuleID: f.Rule, Level: sarifLevel[f.Severity], Message: sarifText(text), Locations: s.locations(t, f.Origin, at),
		Fingerprints: map[string]string{"ocjailFinding/v1": prints.of(f)}, Suppressions: []sarifSuppression{},
		Properties: map[string]any{"jail": Escape(t.Name), "subject": Escape(f.Subject.String())},
	}
	switch f.Status {
	case finding.Waived:
		r.Suppressions = []sarifSuppression{{Kind: "external", Status: "accepted", Justification: Escape(f.Because)}}
	case finding.Observed: // reported, and never a reason to fail
		r.Level = "note"
		r.Properties["observed"] = Escape(f.Because)
	}
	return r
}

// open is a result of what was not judged.
func (s *sarif) open(t *Target, mounts int, prints *fingerprinter) sarifResult {
	f := finding.Finding{Rule: manifest.RuleUndecided, Subject: finding.Subject{Kind: "mount"}}
	return sarifResult{
		RuleID: manifest.RuleUndecided, Kind: "open", Level: "none",
		Message:   sarifText(t.openMounts(mounts)),
		Locations: s.locations(t, nil, t.place(-1)), Fingerprints: map[string]string{"ocjailFinding/v1": prints.of(f)},
		Suppressions: []sarifSuppression{}, Properties: map[string]any{"jail": Escape(t.Name), "undecided": mounts},
	}
}

func (s *sarif) problem(t *Target) sarifNotification {
	return sarifNotification{
		Level: "error", Message: sarifText(t.Problem()), Locations: s.locations(t, nil, t.place(-1)),
	}
}

func (s *sarif) locations(t *Target, o *finding.Origin, at place.Place) []sarifLocation {
	name := t.Name
	if o != nil && o.String() != "" {
		name = o.String()
	}
	l := sarifLocation{Logical: []sarifLogical{{Name: Escape(name)}}}
	if at.File != "" {
		l.Physical = &sarifPhysical{Artifact: sarifArtifact(at.File, s.root), Region: sarifRegion{at.Line}}
	}
	return []sarifLocation{l}
}

func (s *sarif) Close(sum Summary) error {
	s.w.endList()
	rules := []sarifRule{}
	for _, r := range s.rules.list() {
		rule, err := newSARIFRule(r)
		if err != nil {
			return err
		}
		rules = append(rules, rule)
	}
	s.w.text(",\n  \"tool\": ")
	s.w.value(sarifTool{sarifDriver{Name: "ocjail", Version: release.Version, URL: "https://github.com/refnil/opencode-jail-devenv", Rules: rules}}, "  ")
	s.w.text(",\n  \"invocations\": ")
	if more := sum.Broken - len(s.problems); more > 0 {
		s.problems = append(s.problems, sarifNotification{Level: "error", Message: sarifText(fmt.Sprintf("%d more targets could not be judged", more))})
	}
	s.w.value([]sarifInvocation{{Successful: sum.Broken == 0, Notifications: append([]sarifNotification{}, s.problems...)}}, "  ")
	s.w.text(",\n  \"originalUriBaseIds\": ")
	s.w.value(map[string]any{sourceRoot: map[string]any{"description": sarifText("the root of the repository")}}, "  ")
	s.w.text(",\n  \"columnKind\": \"unicodeCodePoints\",\n  \"properties\": ")
	s.w.value(map[string]any{"summary": sum}, "  ")
	s.w.text("\n  }]\n}\n")
	return s.w.err
}
