package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/profile"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

// side is the configuration with the bundles as they are, or as they are to be.
func (u *updating) side(after bool) *jailFlags {
	f := u.jailFlags
	f.judges = true
	f.warn = func() io.Writer { return io.Discard } // what is to be said was said, or is in the report
	f.trial = func(files []*config.File) error { return u.try(files, after) }
	return &f
}

// try puts the bundles of one side in the place of those that the configuration names.
// A policy that has none on that side is left out.
func (u *updating) try(files []*config.File, after bool) error {
	for _, f := range files {
		l := u.lockOf(f)
		if l == nil {
			continue
		}
		all, whole, err := l.entries()
		if err != nil {
			return err
		}
		after := after && whole // else that lock is not moved
		f.Policies = slices.DeleteFunc(f.Policies, func(p config.Policy) bool {
			b := l.of(p)
			return b != nil && b.before == nil && (!after || b.failed != nil)
		})
		for i := range f.Policies {
			b := l.of(f.Policies[i])
			switch {
			case b == nil:
			case after && b.failed == nil:
				f.Policies[i].Candidate = b.candidate
			default:
				f.Policies[i].Candidate = b.replaced
			}
		}
		if !after {
			continue
		}
		lock, err := config.ParseLock(l.name(), config.EncodeLock(all))
		if err != nil {
			return err
		}
		f.Relock(lock)
	}
	return nil
}

func (u *updating) lockOf(f *config.File) *updatedLock {
	i := slices.IndexFunc(u.locks, func(l *updatedLock) bool { return l.file.Path == f.Path && l.file.Layer == f.Layer })
	if f.Path == "" || i < 0 {
		return nil
	}
	return u.locks[i]
}

// of is the bundle of a policy, nil for a policy that is none's.
func (l *updatedLock) of(p config.Policy) *updatedBundle {
	i := slices.IndexFunc(l.bundles, func(b *updatedBundle) bool { return b.policy.Name == p.Name })
	if i < 0 {
		return nil
	}
	return l.bundles[i]
}

// compare tells what changes of the settings, and of the findings of jails. That the
// new bundles can be loaded is seen to here as well.
func (u *updating) compare(ctx context.Context, c *cobra.Command, names []string, r *report.Update) error {
	before, failed := u.side(false).shown()
	after, err := u.side(true).shown()
	if err != nil {
		return fmt.Errorf("no jail could start by these bundles: %w", errors.Join(append(u.failures(), err)...))
	}
	if failed == nil {
		r.Settings = report.CompareSettings(before, after)
	}
	if len(names) == 0 {
		return nil
	}
	return u.jails(ctx, c, names, r)
}

// failures are why bundles could not be had.
func (u *updating) failures() []error {
	var all []error
	for _, l := range u.locks {
		for _, b := range l.bundles {
			if b.failed != nil {
				all = append(all, b.failure())
			}
		}
	}
	return all
}

// shown is what holds on a side.
func (f *jailFlags) shown() (*report.Config, error) {
	m, rules, err := f.configured()
	if err != nil {
		return nil, err
	}
	defer rules.Close()
	return report.NewConfig(m.config, rules), nil
}

// there makes sure that targets which are files or folders exist: of one that is
// misspelt nothing would be denied.
func there(names []string) error {
	var missing []error
	for _, n := range names {
		if slices.Contains(profile.Names(), n) {
			continue
		}
		if _, err := os.Stat(n); err != nil {
			missing = append(missing, fmt.Errorf("%s: %w: name a profile, a manifest, a saved argv or a folder", n, pathless(err)))
		}
	}
	return errors.Join(missing...)
}

// jails judges each jail on both sides, at once.
func (u *updating) jails(ctx context.Context, c *cobra.Command, names []string, r *report.Update) error {
	var sides [2]*linter
	for i := range sides {
		f := u.side(i == 1)
		format := report.LintFormats[0]
		o := lintFlags{format: &format, failLevel: "error"}
		l, err := o.linter(c, f)
		if err != nil {
			return err
		}
		f.machines = newMachines(f)
		defer f.machines.close()
		sides[i] = l
	}
	line := newProgress(u.warn(), names)
	defer line.close()
	var failed error
	found := 0 // of the folder that is being walked
	walk(names, func(j candidate) bool {
		if ctx.Err() != nil {
			return false
		}
		before, after, err := judgeBoth(ctx, sides, j)
		line.step(j)
		switch {
		case err != nil:
			failed = err
		case j.ends && found == 0:
			failed = fmt.Errorf("%s: no target in this folder: no profile, manifest, saved argv or devenv project with opencode", j.name)
		case j.ends:
			found = 0
		case after != nil:
			if j.inFolder {
				found++
			}
			r.Add(before, after)
		}
		return failed == nil
	})
	return failed
}

func judgeBoth(ctx context.Context, sides [2]*linter, j candidate) (before, after *report.Target, err error) {
	type judged struct {
		t   *report.Target
		err error
	}
	other := make(chan judged, 1)
	go func(j candidate) {
		t, err := sides[0].judge(ctx, &j)
		other <- judged{t, err}
	}(j)
	after, err = sides[1].judge(ctx, &j)
	b := <-other
	return b.t, after, errors.Join(err, b.err)
}
