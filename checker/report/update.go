package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/param"
)

// Update is what `ocjail bundle update` prints.
type Update struct {
	Version int `json:"version"` // 1
	// Available tells whether a lock is, or with --check would be, another now.
	Available bool            `json:"available"`
	Locks     []UpdatedLock   `json:"locks"`
	Bundles   []UpdatedBundle `json:"bundles"`
	Settings  []SettingChange `json:"settings"`
	Jails     []JailChange    `json:"jails"`
	Summary   UpdateSummary   `json:"summary"`
}

// UpdatedLock is a lock that was looked at.
type UpdatedLock struct {
	File   string `json:"file"`
	Change string `json:"change"`          // "none", "available" (with --check), "moved" or "failed"
	Error  string `json:"error,omitempty"` // why it was not moved
	First  bool   `json:"first,omitempty"` // there was none before
}

// UpdatedBundle is a bundle that a lock holds, or will.
type UpdatedBundle struct {
	Policy string       `json:"policy"`
	Layer  config.Layer `json:"layer"`
	Source string       `json:"source"`
	Lock   string       `json:"lock"`
	// Before is what was used, nil for nothing, and Unusable says why that was so.
	Before   *BundleState `json:"before"`
	Unusable string       `json:"unusable,omitempty"`
	// After is nil where Error says why there is no newer one: Before stays.
	After *BundleState `json:"after"`
	Error string       `json:"error,omitempty"`
	bundle.Changes
}

// BundleState is one revision of a bundle.
type BundleState struct {
	Revision string     `json:"revision"`
	Digest   string     `json:"digest"`
	Created  time.Time  `json:"created"`
	Expires  *time.Time `json:"expires,omitempty"`
	Key      string     `json:"key,omitempty"` // that signed it
}

// NewBundleState tells of a bundle, nil of none.
func NewBundleState(b *bundle.Bundle) *BundleState {
	if b == nil {
		return nil
	}
	s := &BundleState{Revision: b.Manifest.Revision.String(), Digest: b.Digest, Created: b.Manifest.Created.UTC(), Key: b.Signer}
	if !b.Manifest.Expires.IsZero() {
		at := b.Manifest.Expires.UTC()
		s.Expires = &at
	}
	return s
}

// SettingChange is a setting that is another by the update; "" stands for none.
type SettingChange struct {
	Name   string `json:"name"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// JailChange is what the update changes of one jail's verdict. One whose findings are
// the same is counted and not listed.
type JailChange struct {
	Name   string            `json:"name"`
	Before Verdict           `json:"before"`
	After  Verdict           `json:"after"`
	Error  string            `json:"error,omitempty"` // why one of them is broken
	New    []finding.Finding `json:"new"`
	Gone   []finding.Finding `json:"gone"`
}

// UpdateSummary counts the jails.
type UpdateSummary struct {
	Jails        int `json:"jails"`
	NewlyDenied  int `json:"newly_denied"`  // were allowed
	NewlyAllowed int `json:"newly_allowed"` // were denied
	Changed      int `json:"changed"`       // have other findings
	Broken       int `json:"broken"`        // could not be judged by the bundles after the update
}

// Add adds what became of a jail.
func (u *Update) Add(before, after *Target) {
	c := compareTargets(before, after)
	s := &u.Summary
	s.Jails++
	switch {
	case c.After == Broken:
		s.Broken++
	case c.Before == Allow && c.After == Deny:
		s.NewlyDenied++
	case c.Before == Deny && c.After == Allow:
		s.NewlyAllowed++
	}
	if len(c.New)+len(c.Gone) > 0 {
		s.Changed++
	} else if c.Before == c.After && c.After != Broken {
		return
	}
	u.Jails = append(u.Jails, c)
}

// compareTargets goes by fingerprints, and by how each finding counts.
func compareTargets(before, after *Target) JailChange {
	c := JailChange{Name: after.Name, Before: before.Verdict, After: after.Verdict, Error: cmp.Or(after.Error, before.Error)}
	c.New, c.Gone = missing(before, after), missing(after, before)
	if before.Verdict == Broken || after.Verdict == Broken { // what is not known is no difference
		c.New, c.Gone = []finding.Finding{}, []finding.Finding{}
	}
	return c
}

// missing are the findings of b that a has not.
func missing(a, b *Target) []finding.Finding {
	has := map[string]bool{}
	for id := range identified(a) {
		has[id] = true
	}
	all := []finding.Finding{}
	for id, f := range identified(b) {
		if !has[id] {
			all = append(all, f)
		}
	}
	finding.Sort(all)
	return all
}

// identified are the findings of a target by what makes them the same ones.
func identified(t *Target) map[string]finding.Finding {
	prints := newFingerprinter(t, t.name())
	all := make(map[string]finding.Finding, len(t.Findings))
	for _, f := range t.Findings {
		all[fmt.Sprintf("%s %s %s", prints.of(f), f.Severity, f.Status)] = f
	}
	return all
}

// CompareSettings tells what holds otherwise after an update.
func CompareSettings(before, after *Config) []SettingChange {
	was, is := before.flat(), after.flat()
	names := slices.Concat(slices.Collect(maps.Keys(was)), slices.Collect(maps.Keys(is)))
	slices.Sort(names)
	changes := []SettingChange{}
	for _, n := range slices.Compact(names) {
		if was[n] != is[n] {
			changes = append(changes, SettingChange{n, was[n], is[n]})
		}
	}
	return changes
}

// flat is the configuration by the names of its settings, without the policies and
// without what is ignored, of which findings tell.
func (v *Config) flat() map[string]string {
	all := map[string]string{}
	add := func(name, value string) { // one of several is told from the others by its value
		if old, ok := all[name]; ok && old != value {
			value = old + "; " + value
		}
		all[name] = value
	}
	for _, s := range v.Settings {
		add(s.Name, s.Value)
	}
	for _, r := range v.Rules {
		text := string(r.Severity)
		if r.Mode == config.Observe {
			text += ", observed"
		}
		if r.Waivable {
			text += ", waivable"
		}
		add("rule "+r.ID, text)
	}
	for _, p := range v.Params {
		add("rule "+p.Rule+" "+p.Name, param.Text(p.Value))
	}
	for _, w := range v.Watches {
		add("watch "+w.Name, w.Value)
	}
	for _, p := range v.Protect {
		add("protect "+p.Name, "yes")
	}
	for _, p := range v.Review {
		add("review "+p.Name, "yes")
	}
	for _, w := range v.Waivers {
		add("waive "+w.Rule+" "+w.Subject, "until "+w.Until)
	}
	return all
}
