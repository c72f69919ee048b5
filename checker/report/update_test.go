package report

import (
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// A finding is new or gone by what it is about and how it counts, not by where it stands.
func TestUpdateOfAJail(t *testing.T) {
	f := func(rule, subject string, s finding.Severity, line int) finding.Finding {
		return finding.Finding{Rule: rule, Severity: s, Message: "m", Subject: finding.Subject{Kind: "path", Path: subject}, Origin: &finding.Origin{File: "f", Line: line}}
	}
	target := func(v Verdict, found ...finding.Finding) *Target {
		return &Target{Name: "jail.json", Verdict: v, Findings: found}
	}
	same := f("a/same", "/x", finding.Warning, 1)
	moved := f("a/same", "/x", finding.Warning, 2)
	before := target(Allow, same, f("a/harder", "/y", finding.Warning, 1), f("a/gone", "/z", finding.Info, 1))
	after := target(Deny, moved, f("a/harder", "/y", finding.Error, 1), f("a/new", "/z", finding.Error, 1))
	var u Update
	u.Add(before, after)
	u.Add(after, before)
	u.Add(before, before)
	u.Add(target(Broken), target(Deny))
	u.Add(before, target(Broken))
	if want := (UpdateSummary{Jails: 5, NewlyDenied: 1, NewlyAllowed: 1, Changed: 2, Broken: 1}); u.Summary != want {
		t.Errorf("%+v", u.Summary)
	}
	if len(u.Jails) != 4 {
		t.Fatalf("%+v", u.Jails)
	}
	c := u.Jails[0]
	if len(c.New) != 2 || c.New[0].Rule != "a/harder" || c.New[1].Rule != "a/new" || len(c.Gone) != 2 || c.Gone[0].Severity != finding.Warning || c.Gone[1].Rule != "a/gone" {
		t.Errorf("%+v", c)
	}
	if c := u.Jails[2]; len(c.New)+len(c.Gone) > 0 || c.Before != Broken {
		t.Errorf("what is not known is a difference: %+v", c)
	}
	const want = "this update newly denies 1 of your 5 jails, newly allows 1; the findings of 2 change; 1 could not be judged"
	if got := u.Summary.text(); got != want {
		t.Error(got)
	}
}
