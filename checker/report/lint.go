package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/manifest"
	"github.com/refnil/opencode-jail-devenv/checker/place"
)

// Verdict is what a lint says of a jail as a whole.
type Verdict string

// The verdicts. Broken is that of a target that could not be judged.
const (
	Allow  Verdict = "allow"
	Deny   Verdict = "deny"
	Broken Verdict = "broken"
)

// Target is one jail that was looked at.
type Target struct {
	Name    string  `json:"name"`
	Verdict Verdict `json:"verdict"`
	Error   string  `json:"error,omitempty"` // why there is no verdict
	Rules   int     `json:"rules"`           // that judged
	// Undecided counts what was not judged, for only another host, or the jail's
	// start, can tell: mounts, and open findings of gate/undecided.
	Undecided int `json:"undecided"`
	// Lacks are the sources that this host lacks. Where a jail names one, its mounts
	// are undecided.
	Lacks    []string          `json:"lacks,omitempty"`
	Findings []finding.Finding `json:"findings"`

	// Places are where the findings are shown, one each; none when it is not known.
	Places []place.Place `json:"-"`
	// Place is where the target as a whole is shown.
	Place place.Place `json:"-"`

	// RuleSet are the rules that judged, with the severities that hold here.
	RuleSet []engine.Rule `json:"-"`
	// File is the target's own, absolute; "" for an embedded profile and for -.
	File string `json:"-"`
	// Home and Project are the host's folders for which fingerprints have words,
	// so that they agree on every machine.
	Home    string `json:"-"`
	Project string `json:"-"`
}

// NewTarget returns what there is to say of r, the report on the target name.
// rules are those that count; findings of the others are left out.
func NewTarget(name string, r *checker.Report, rules, others []engine.Rule) *Target {
	t := &Target{
		Name: name, Verdict: Allow, Rules: len(rules), RuleSet: rules, Findings: []finding.Finding{},
		Home: r.Jail.Facts.HomeReal, Project: r.Jail.Facts.ProjectRoot,
	}
	left := make(map[string]bool, len(others))
	for _, rule := range others {
		left[rule.ID] = true
	}
	for _, f := range r.Findings {
		if left[f.Rule] {
			continue
		}
		t.Findings = append(t.Findings, f)
		if f.Rule == manifest.RuleUndecided && f.Status == finding.Open {
			t.Undecided++
		}
	}
	if finding.Count(t.Findings, finding.Error) > 0 {
		t.Verdict = Deny
	}
	for _, m := range r.Input.Jail.Mounts {
		if !m.Certain {
			t.Undecided++
		}
	}
	t.Lacks = r.Jail.Tree.Lacks()
	return t
}

// NewBroken returns what there is to say of a target without a verdict.
func NewBroken(name string, err error) *Target {
	return &Target{Name: name, Verdict: Broken, Error: err.Error(), Findings: []finding.Finding{}}
}

// Names tells whether the text of an error begins with that file, as one does that names a
// line of it.
func Names(text, file string) bool {
	return strings.HasPrefix(text, Escape(file)+":") || strings.HasPrefix(text, file+":")
}

// Problem says of which target the error is.
func (t *Target) Problem() string {
	if Names(t.Error, t.Name) {
		return t.Error
	}
	return t.Name + ": " + t.Error
}

// place is where the finding at i is shown; that of the target for -1.
func (t *Target) place(i int) place.Place {
	if i >= 0 && i < len(t.Places) {
		return t.Places[i]
	}
	return t.Place
}

// name is the target's file, or what it was called.
func (t *Target) name() string { return cmp.Or(t.File, t.Name) }

// undecidedMounts is Undecided without what findings say.
func (t *Target) undecidedMounts() int {
	n := t.Undecided
	for _, f := range t.Findings {
		if f.Rule == manifest.RuleUndecided && f.Status == finding.Open {
			n--
		}
	}
	return n
}

// openMounts says that n mounts were not judged, and why.
func (t *Target) openMounts(n int) string {
	return fmt.Sprintf("%s undecided, for %s", plural(n, "mount"), lacks(t.Lacks))
}

// mostLacking is how many paths are named that this host lacks.
const mostLacking = 3

func lacks(paths []string) string {
	if len(paths) == 0 {
		return "this host lacks what the jail names"
	}
	text := "this host lacks " + strings.Join(paths[:min(len(paths), mostLacking)], ", ")
	if more := len(paths) - mostLacking; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// Reaches tells whether a finding that counts is at or above a severity.
func (t *Target) Reaches(least finding.Severity) bool {
	for _, f := range t.Findings {
		if reaches(f, least) {
			return true
		}
	}
	return false
}

func reaches(f finding.Finding, least finding.Severity) bool {
	return f.Status == finding.Open && f.Severity.Rank() >= least.Rank()
}

// Summary counts what was said of all targets.
type Summary struct {
	Targets   int `json:"targets"`
	Allowed   int `json:"allowed"`
	Denied    int `json:"denied"`
	Broken    int `json:"broken"`
	Errors    int `json:"errors"`
	Warnings  int `json:"warnings"`
	Infos     int `json:"infos"`
	Waived    int `json:"waived"`
	Observed  int `json:"observed"`
	Undecided int `json:"undecided"`
	// PassedOver counts the files below folders that could have been targets by their
	// names, and describe no jail.
	PassedOver int `json:"passed_over"`
}

// Add counts t.
func (s *Summary) Add(t *Target) {
	s.Targets++
	switch t.Verdict {
	case Allow:
		s.Allowed++
	case Deny:
		s.Denied++
	case Broken:
		s.Broken++
	}
	s.Errors += finding.Count(t.Findings, finding.Error)
	s.Warnings += finding.Count(t.Findings, finding.Warning)
	s.Infos += finding.Count(t.Findings, finding.Info)
	for _, f := range t.Findings {
		switch f.Status {
		case finding.Waived:
			s.Waived++
		case finding.Observed:
			s.Observed++
		}
	}
	s.Undecided += t.Undecided
}

// Lint writes the report of a lint as targets are judged, so that no more than one
// is held.
type Lint interface {
	Target(t *Target) error
	// Close writes what comes after the last target.
	Close(s Summary) error
}

// LintOptions are what the formats agree on.
type LintOptions struct {
	FailLevel finding.Severity // least severity of a finding that fails
	Verbose   bool             // text: infos too
	Explain   bool             // text and JSON: what the rules that found something are about
	// Root is the folder, absolute, that names of files are relative to: that of
	// the repository.
	Root string
	// Style is the terminal's; the zero value for a file.
	Style Style
}

// lintFormats are the formats of a lint by name.
var lintFormats = map[string]func(io.Writer, LintOptions) Lint{
	"text": newLintText, "json": newLintJSON, "sarif": newSARIF, "junit": newJUnit, "github": newGitHub,
}

// LintFormats are their names, that of people first.
var LintFormats = []string{"text", "json", "sarif", "junit", "github"}

// NewLint returns the writer of a format, one of LintFormats.
func NewLint(format string, w io.Writer, o LintOptions) (Lint, error) {
	open, ok := lintFormats[format]
	if !ok {
		return nil, fmt.Errorf("unknown format %q", format)
	}
	return open(w, o), nil
}
