package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/place"
	"github.com/refnil/opencode-jail-devenv/checker/report"
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
				t, err := l.judge(ctx, &j.candidate)
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
			l.passOver(j.candidate)
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

// passOver counts what was found in a folder and describes no jail by its looks. Of a
// devenv project only its evaluation tells.
func (l *linter) passOver(c candidate) {
	if !c.inFolder || c.config {
		return
	}
	l.summary.PassedOver++
	if isDevenv(c.name) && !c.special {
		c.why = "no file of this devenv project names opencode; if its imports set a jail, name it: ocjail lint --evaluate " + report.Escape(c.name)
	}
	if c.why != "" {
		defer l.progress.pause()()
		fmt.Fprintf(l.targets.warn, "ocjail: warning: %s was passed over: %s\n", report.Escape(c.name), c.why)
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
		complain(l.targets.warn, errors.New(t.Problem()))
	}
	return l.outputs.target(t)
}
