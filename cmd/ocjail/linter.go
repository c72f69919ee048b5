package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/place"
	"github.com/refnil/opencode-jail-devenv/checker/report"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

type linter struct {
	targets  targets
	outputs  *outputs
	level    finding.Severity
	only     []string // patterns of the rules that judge; none for all
	here     string   // the working directory, resolved
	saveHost string   // where to write what was looked at; "" for nowhere
	projects map[string]bool
	places   place.Finder
	progress *progress

	summary report.Summary
	found   bool
}

// job is a target on its way through a worker; outcome gets what came of it, or
// nil for a file of a folder that is no target.
type job struct {
	candidate
	outcome chan *report.Target
	fatal   error // no other target will fare better
}

// run judges every target, also after one that could not be. Several are judged at
// once, and reported in their order; no more are held than are under way.
func (l *linter) run(ctx context.Context, names []string) error {
	if err := l.outputs.open(); err != nil {
		l.outputs.discard()
		return &statusError{brokenStatus, err}
	}
	defer l.outputs.discard()
	l.projects = map[string]bool{}
	l.targets.flags.machines = newMachines(l.targets.flags)
	defer l.targets.flags.machines.close()
	l.progress = newProgress(l.targets.warn, names)
	defer l.progress.close()

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	err := l.report(ctx, l.start(ctx, names))
	if err == nil && ctx.Err() != nil {
		err = errors.New("interrupted: no report is whole")
	}
	l.progress.close()
	if err == nil {
		err = l.outputs.close(l.summary)
	}
	if err == nil && l.saveHost != "" {
		err = l.save()
	}
	switch {
	case err != nil:
		return &statusError{brokenStatus, err}
	case l.summary.Broken > 0:
		return &statusError{brokenStatus, nil}
	case l.found:
		return &statusError{foundStatus, nil}
	}
	return nil
}

// start has workers judge the targets and returns the jobs in order. It ends with
// ctx.
func (l *linter) start(ctx context.Context, names []string) <-chan *job {
	workers := runtime.GOMAXPROCS(0)
	todo, order := make(chan *job), make(chan *job, 2*workers)
	for range workers {
		go func() {
			for j := range todo {
				t, err := l.judge(ctx, j.candidate)
				j.fatal = err
				j.outcome <- t
			}
		}()
	}
	go func() {
		defer close(order)
		defer close(todo)
		walk(names, func(c candidate) bool {
			j := &job{candidate: c, outcome: make(chan *report.Target, 1)}
			for _, to := range []chan<- *job{order, todo} {
				select {
				case to <- j:
				case <-ctx.Done():
					return false
				}
			}
			return true
		})
	}()
	return order
}

// report writes what comes of the jobs, in their order.
func (l *linter) report(ctx context.Context, order <-chan *job) error {
	inFolder := 0 // targets of the folder that is being walked
	for {
		var j *job
		var t *report.Target
		select {
		case j = <-order:
		case <-ctx.Done():
			return nil
		}
		if j == nil {
			return nil
		}
		select {
		case t = <-j.outcome:
		case <-ctx.Done():
			return nil
		}
		if j.fatal != nil {
			return j.fatal
		}
		l.progress.step(j.candidate)
		if j.ends && inFolder == 0 {
			t = l.broken(j.name, errors.New("no target in this folder: no profile, manifest, saved argv or devenv project with opencode"))
		}
		if j.ends {
			inFolder = 0
		}
		if t == nil {
			continue
		}
		if j.inFolder {
			inFolder++
		}
		if err := l.one(t); err != nil {
			return err
		}
	}
}

// save writes what was looked at of this machine.
func (l *linter) save() error {
	m, err := l.targets.flags.openForLint(config.Options{})
	if err != nil {
		return err
	}
	defer m.release()
	saved, err := l.targets.flags.recorder.Save(m.facts, m.bwrap, slices.Sorted(maps.Keys(l.projects))...)
	if err != nil {
		return fmt.Errorf("--save-host: %w", err)
	}
	f := &outputFile{name: filepath.Clean(l.saveHost)}
	defer f.discard()
	err = f.open()
	if err == nil {
		err = report.JSON(f.buffer, saved)
	}
	if err == nil {
		err = f.close()
	}
	if err != nil {
		return fmt.Errorf("--save-host: %w", err)
	}
	return nil
}

// one reports a target.
func (l *linter) one(t *report.Target) error {
	l.summary.Add(t)
	if l.saveHost != "" && t.Project != "" {
		l.projects[t.Project] = true
	}
	l.found = l.found || t.Reaches(l.level)
	defer l.progress.pause()()
	if t.Verdict == report.Broken {
		complain(l.targets.warn, fmt.Errorf("%s: %s", t.Name, t.Error))
	}
	return l.outputs.target(t)
}

// judge resolves and checks one target on this machine. An error is about all of
// them.
func (l *linter) judge(ctx context.Context, c candidate) (*report.Target, error) {
	if c.err != nil {
		return l.broken(c.name, c.err), nil
	}
	if c.ends {
		return nil, nil
	}
	var content []byte
	if c.inFolder {
		var is bool
		var err error
		if content, is, err = isTarget(c.name); err != nil {
			return l.broken(c.name, err), nil
		} else if !is {
			return nil, nil
		}
	}
	j, found, err := l.targets.resolveContent(ctx, c.name, content)
	defer found.release()
	var r *checker.Report
	var k *checker.Checker
	if err == nil {
		k, err = found.machine.rules()
	}
	if err == nil {
		r, err = k.Check(ctx, j)
	}
	if err != nil {
		return l.broken(c.name, err), nil
	}
	r.Findings = append(r.Findings, found.open...)
	finding.Sort(r.Findings)
	rules, err := l.rules(k)
	if err != nil {
		return nil, err
	}
	t := report.NewTarget(c.name, r, rules)
	l.locate(t, found)
	return t, nil
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

// rules are those of --rule, with the severities that hold.
func (l *linter) rules(k *checker.Checker) ([]engine.Rule, error) {
	all := k.Rules()
	used := make([]bool, len(l.only))
	var ids []string
	rules := slices.DeleteFunc(all, func(r engine.Rule) bool {
		ids = append(ids, r.ID)
		wanted := len(l.only) == 0
		for i, pattern := range l.only {
			if ok, err := path.Match(pattern, r.ID); ok && err == nil {
				wanted, used[i] = true, true
			}
		}
		return !wanted
	})
	if i := slices.Index(used, false); i >= 0 {
		return nil, fmt.Errorf("--rule %s: there is no such rule%s", l.only[i], hclfile.DidYouMean(l.only[i], ids))
	}
	for i := range rules {
		rules[i].Severity = k.Setting(rules[i].ID).Severity
	}
	return rules, nil
}
