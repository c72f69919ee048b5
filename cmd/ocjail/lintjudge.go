package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/place"
	"github.com/refnil/opencode-jail-devenv/checker/profile"
	"github.com/refnil/opencode-jail-devenv/checker/report"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
	"github.com/refnil/opencode-jail-devenv/checker/spelling"
)

// judge resolves and checks one target on this machine. An error is about all of
// them.
func (l *linter) judge(ctx context.Context, c *candidate) (*report.Target, error) {
	if c.err != nil {
		return l.broken(c.name, c.err), nil
	}
	if c.ends || c.special {
		return nil, nil
	}
	if c.config {
		if _, err := config.LoadUntrusted(config.Project, c.name); err != nil {
			return l.broken(c.name, err), nil
		}
		return nil, nil
	}
	var content []byte
	if c.inFolder {
		var is bool
		var err error
		content, is, err = isTarget(c.name)
		switch {
		case errors.Is(err, profile.ErrForeign):
			c.why = err.Error() + "; if it is meant as one, name it: ocjail lint " + report.Escape(c.name)
			return nil, nil
		case err != nil:
			return l.broken(c.name, err), nil
		case !is:
			return nil, nil
		}
	}
	for tries := 1; ; tries++ {
		t, again, err := l.verdict(ctx, c.name, content)
		if !again || tries == mostJudged {
			return t, err
		}
	}
}

// mostJudged bounds how often a target is judged.
const mostJudged = 5

// verdict judges a target. It is to be tried again where the program that judges by
// further rules had ended before, over another target.
func (l *linter) verdict(ctx context.Context, name string, content []byte) (t *report.Target, again bool, err error) {
	j, found, err := l.targets.resolveContent(ctx, name, content)
	defer found.release()
	var r *checker.Report
	var k *checker.Checker
	if err == nil {
		k, err = found.machine.rules()
	}
	if err == nil {
		r, err = k.Check(ctx, j)
	}
	var ended *worker.EndedError
	if errors.As(err, &ended) && found.machine.renew != nil {
		found.machine.renew()
		again = name != "-" // which is read by now
	}
	if err != nil {
		return l.broken(name, err), again, nil
	}
	r.Findings = append(r.Findings, found.open...)
	finding.Sort(r.Findings)
	rules, others, err := l.rules(k)
	if err != nil {
		return nil, false, err
	}
	t = report.NewTarget(name, r, rules, others)
	l.locate(t, found)
	return t, false, nil
}

// locate finds where a target and its findings are shown.
func (l *linter) locate(t *report.Target, found target) {
	t.File = l.file(t.Name)
	at := place.Jail{Project: t.Project, File: t.File, Profile: found.machine.profile != ""}
	if m := found.request.Manifest; m != nil && m.Project != "" {
		_, inRepository := sandbox.Below(l.outputs.options.Root, t.File) // else a reader has nothing of it
		_, err := os.Stat(m.Project)
		at.Elsewhere = inRepository && err != nil
	}
	t.Places = make([]place.Place, len(t.Findings))
	for i := range t.Findings {
		f := &t.Findings[i]
		f.Origin, t.Places[i] = l.places.Locate(f.Origin, at)
	}
	_, t.Place = l.places.Locate(nil, at)
}

func (l *linter) broken(name string, err error) *report.Target {
	t := report.NewBroken(name, err)
	t.File = l.file(name)
	t.Place = place.Place{File: t.File, Line: 1}
	return t
}

// rules are those of --rule, with the severities that hold, and the others.
func (l *linter) rules(k *checker.Checker) (chosen, others []engine.Rule, err error) {
	used := make([]bool, len(l.only))
	var ids []string
	for _, r := range k.Rules() {
		r.Severity = k.Setting(r.ID).Severity
		ids = append(ids, r.ID)
		wanted := len(l.only) == 0
		for i, pattern := range l.only {
			if ok, err := path.Match(pattern, r.ID); ok && err == nil {
				wanted, used[i] = true, true
			}
		}
		if wanted {
			chosen = append(chosen, r)
		} else {
			others = append(others, r)
		}
	}
	if i := slices.Index(used, false); i >= 0 {
		return nil, nil, fmt.Errorf("--rule %s: there is no such rule%s", l.only[i], spelling.DidYouMean(l.only[i], ids))
	}
	return chosen, others, nil
}
