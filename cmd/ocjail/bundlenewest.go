package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

// newest fetches and verifies what takes the place of a bundle.
func (u *updating) newest(ctx context.Context, b *updatedBundle) error {
	var err error
	if b.policy.Remote != nil {
		if b.machine, err = u.store().Machine(b.policy.Remote.String()); err != nil {
			return err
		}
		if b.candidate, b.mark, err = u.fetch(ctx, b.policy, ""); err != nil {
			return err
		}
	}
	if b.keys, err = checker.Keys(b.policy, u.at, u.owners); err == nil {
		b.after, b.archive, err = checker.Verify(b.policy, b.candidate, time.Now(), u.at, u.owners)
	}
	return err
}

// failure is why the newest is not to be had, with the place of the policy.
func (b *updatedBundle) failure() error {
	return fmt.Errorf("policy %q of %s: %s: %w", b.policy.Name, b.policy.Pos, b.policy.Source, b.failed)
}

// current opens what is used now. What no launch takes any more, as it has expired or
// was fetched too long ago, is compared with all the same. A machine that has nothing
// yet, as in CI, fetches what the lock names for that, and does not keep it.
func (u *updating) current(ctx context.Context, l *updatedLock, b *updatedBundle) {
	one := *l.file
	one.Policies = []config.Policy{*b.policy}
	var other *checker.UnlockedError
	switch _, b.why = checker.OpenBundles([]*config.File{&one}, u.at, u.owners); {
	case b.why == nil:
		b.before = one.Policies[0].Opened
		return
	case errors.As(b.why, &other): // what mends it is being done
		b.why = errors.New(other.What())
	}
	if b.policy.Remote == nil {
		return
	}
	archive := checker.Kept(b.policy, u.at, u.owners)
	if archive == nil && b.policy.Locked != nil {
		archive, _, _ = u.fetch(ctx, b.policy, b.policy.Locked.Digest) // without it why says what is the matter
	}
	before, _, err := checker.Verify(b.policy, archive, checker.LastCounted(archive, time.Now()), u.at, u.owners)
	if err == nil {
		b.before, b.replaced = before, archive
	}
}

// fetch has ocjail-rules, which can speak to networks, fetch what a source has, or the
// archive of a digest.
func (u *updating) fetch(ctx context.Context, p *config.Policy, digest string) (archive []byte, mark string, err error) {
	program, err := worker.Program()
	if err != nil {
		return nil, "", err
	}
	token := ""
	if p.Remote.TokenFile != "" {
		token = u.at.File(p.Remote.TokenFile)
	}
	words := append([]string{"bundle-fetch", "-build=" + worker.Identity().String(), "-digest=" + digest, "-token-file=" + token}, u.network.words()...)
	child := exec.CommandContext(ctx, program, append(words, "--", p.Remote.String())...)
	child.Args[0] = worker.Name
	child.Env = u.environ
	child.Stderr = u.warn()
	text, err := child.Output()
	var said worker.Fetched
	if err == nil {
		err = json.Unmarshal(text, &said)
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", worker.Name, err)
	}
	if said.Error != "" {
		return nil, "", errors.New(said.Error)
	}
	return said.Archive, said.Mark, nil
}

// entries are what the lock is to say; whole is false where a bundle could not be had
// that it does not name yet.
func (l *updatedLock) entries() (all []config.Locked, whole bool, err error) {
	whole = true
	for _, b := range l.bundles {
		e := config.Locked{Source: b.policy.Source}
		switch {
		case b.failed == nil:
			e.Digest, e.Revision = b.after.Digest, b.after.Manifest.Revision
			for _, k := range b.keys {
				e.Keys = append(e.Keys, k.ID)
			}
		case b.policy.Locked != nil:
			e = *b.policy.Locked
		default:
			whole = false
			continue
		}
		i := slices.IndexFunc(all, func(o config.Locked) bool { return o.Source == e.Source })
		switch {
		case i < 0:
			all = append(all, e)
		case all[i].Digest != e.Digest:
			return nil, false, fmt.Errorf("two policies name %s, and it changed between them: run it again", e.Source)
		default:
			all[i].Keys = append(all[i].Keys, e.Keys...)
		}
	}
	return all, whole, nil
}

// encode is the text of the lock, nil where that can not be whole.
func (l *updatedLock) encode() []byte {
	all, whole, err := l.entries()
	if err != nil || !whole {
		return nil
	}
	for i := range all {
		slices.Sort(all[i].Keys)
		all[i].Keys = slices.Compact(all[i].Keys)
	}
	return config.EncodeLock(all)
}

// moves tells whether the lock is to be another.
func (l *updatedLock) moves() bool {
	return l.text != nil && (l.file.Lock == nil || !bytes.Equal(l.text, l.file.Lock.Text))
}

// failed tells whether a bundle could not be had.
func (l *updatedLock) failed() bool {
	return slices.ContainsFunc(l.bundles, func(b *updatedBundle) bool { return b.failed != nil })
}

// name is the lock's file.
func (l *updatedLock) name() string {
	if l.file.Lock != nil {
		return l.file.Lock.Path
	}
	return config.LockFile(l.file.Path)
}

// move puts the locks in their places. A bundle is kept before the lock names it, and
// noted as the newest only afterwards: whenever this is killed, launches go by the one
// or the other.
func (u *updating) move(r *report.Update) {
	for _, l := range u.locks {
		c := report.UpdatedLock{File: l.name(), Change: "none", First: l.file.Lock == nil}
		switch {
		case l.text == nil:
			c.Change, c.Error = "failed", "a bundle that it does not name yet could not be had"
		case l.moves() && u.check:
			c.Change = "available"
		case l.moves():
			c.Change = "moved"
		case l.failed():
			c.Change, c.Error = "failed", "the newest bundle could not be had, or is refused"
		}
		if l.text != nil && !u.check {
			if err := u.moveOne(l); err != nil {
				c.Change, c.Error = "failed", err.Error()
			}
		}
		r.Available = r.Available || l.moves()
		r.Locks = append(r.Locks, c)
	}
}

func (u *updating) moveOne(l *updatedLock) error {
	in := u.store()
	for _, b := range l.bundles {
		if b.failed == nil && b.policy.Remote != nil {
			if err := in.Add(b.archive); err != nil {
				return err
			}
		}
	}
	if l.moves() {
		if err := u.moveLock(in, l); err != nil {
			return err
		}
	}
	for _, b := range l.bundles {
		if b.failed != nil || b.policy.Remote == nil {
			continue
		}
		e := checker.EntryOf(b.after, b.policy.Source, time.Now())
		e.Mark, e.Rollback = b.mark, b.machine.Rollback
		if err := in.Keep(b.archive, e, bundle.Revision{}); err != nil {
			return fmt.Errorf("the lock is moved; %w: run ocjail bundle update again", err)
		}
	}
	return nil
}

func (u *updating) moveLock(in store.Store, l *updatedLock) error {
	unlock, err := in.Lock()
	if err != nil {
		return fmt.Errorf("move the lock %s: %w: see that there is room in %s, and that you may write there", l.name(), err, in.Dir)
	}
	defer unlock()
	return u.owners.MoveLock(l.file, l.text)
}

// report tells of the bundles.
func (u *updating) report() *report.Update {
	r := &report.Update{Version: 1, Locks: []report.UpdatedLock{}, Settings: []report.SettingChange{}, Jails: []report.JailChange{}}
	for _, l := range u.locks {
		for _, b := range l.bundles {
			v := report.UpdatedBundle{
				Policy: b.policy.Name, Layer: b.policy.Layer, Source: b.policy.Source, Lock: l.name(),
				Before: report.NewBundleState(b.before), After: report.NewBundleState(b.after), Changes: bundle.Changes{Rules: []bundle.RuleChange{}, Files: []bundle.FileChange{}},
			}
			if b.why != nil {
				v.Unusable = b.why.Error()
			}
			if b.failed != nil {
				v.After, v.Error = nil, b.failure().Error()
			} else {
				v.Changes = bundle.Compare(b.before, b.after)
			}
			r.Bundles = append(r.Bundles, v)
		}
	}
	return r
}
