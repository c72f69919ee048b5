//go:build linux && !nojail

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

// soon is how long before the end of a bundle or a waiver doctor warns.
const soon = 7 * 24 * time.Hour

// organisation looks at what is rolled out to this machine: each policy by itself,
// and when all of them can be used, what they come to.
func (d *doctor) organisation(f *jailFlags, now time.Time) {
	d.unjailed()
	if d.facts.Home == "" {
		return // which is a failure of its own
	}
	root, err := f.projectOrNone()
	if err != nil {
		d.add("project", report.Fail, err.Error(), "")
		return
	}
	facts, err := host.Gather(host.NewFS(), cmp.Or(root, "/"))
	if err != nil {
		d.add("project", report.Fail, err.Error(), "")
		return
	}
	files, owners, err := f.files(facts, opening{project: root})
	if err != nil {
		d.add("configuration", report.Fail, err.Error(), "mend that file: nothing starts before")
		return
	}
	at := checker.Where{Home: facts.Home, Project: facts.ProjectRoot}
	d.layers(files)
	all, usable := d.policies(files, at, owners, now)
	d.refreshed(files, store.User(facts.Home), now)
	if !usable {
		return // without all rules nobody can say what holds
	}
	c := config.Merge(all...)
	rules, err := checker.Open(d.ctx, c, at, f.keeping(facts))
	if err != nil {
		d.add("policies", report.Fail, err.Error(), "mend that, or have the publisher do it: nothing starts before")
		return
	}
	defer rules.Close()
	d.observed(c, rules)
	d.waivers(rules, now)
	for _, i := range rules.Ignored() {
		d.add("ignored", report.Warn, i.Message, i.Remedy)
	}
}

// layers tells whether there is an organisation's file.
func (d *doctor) layers(files []*config.File) {
	if slices.ContainsFunc(files, func(f *config.File) bool { return f.Layer == config.Organisation }) {
		d.add("organisation", report.OK, config.OrganisationFile, "")
		return
	}
	d.add("organisation", report.Warn, "there is no "+config.OrganisationFile+", so users may loosen what they like", "have the organisation's file installed, as root's")
}

// policies looks at each policy, and returns the files with their bundles'
// configurations, if all bundles can be used.
func (d *doctor) policies(files []*config.File, at checker.Where, owners *config.Owners, now time.Time) (all []*config.File, usable bool) {
	usable = true
	none := true
	for _, f := range files {
		for i := range f.Policies {
			none = false
			one := *f
			one.Policies = f.Policies[i : i+1] // the same memory: opening it opens f's
			opened, err := checker.OpenBundles([]*config.File{&one}, at, owners)
			if err != nil {
				d.add("policy "+one.Policies[0].Name, report.Fail, err.Error(), "do what it says: nothing starts before")
				usable = false
				continue
			}
			all = append(all, opened[:len(opened)-1]...)
			d.policy(&one.Policies[0], at, owners, now)
		}
		all = append(all, f)
	}
	if none {
		d.add("policies", report.Warn, "no file names one: ocjail's own rules judge alone", `write policy "NAME" { source = "oci://…", keys = […] } into `+config.OrganisationFile)
	}
	return all, usable
}

// policy tells of one that can be used.
func (d *doctor) policy(p *config.Policy, at checker.Where, owners *config.Owners, now time.Time) {
	name := "policy " + p.Name
	b := p.Opened
	if b == nil {
		d.add(name, report.OK, fmt.Sprintf("%s's: %s (%s)", p.Layer, p.Path, p.Pos), "")
		return
	}
	source := p.Path
	if p.Remote != nil {
		source = p.Remote.String()
	}
	said := []string{
		fmt.Sprintf("%s's: %s (%s)", p.Layer, source, p.Pos),
		fmt.Sprintf("revision %s of %s, %s", b.Manifest.Revision, date(b.Manifest.Created), b.Digest),
	}
	rolledBack, err := checker.RolledBack(p, at, owners)
	if err != nil { // it could be read before
		d.add(name, report.Fail, err.Error(), "nothing starts before that is mended")
		return
	}
	if rolledBack != "" {
		said = append(said, rolledBack)
	}
	if p.Locked != nil {
		said = append(said, "locked ("+p.Locked.Pos.String()+")")
	}
	keys, err := checker.Keys(p, at, owners)
	if err != nil { // they could be read before
		d.add(name, report.Fail, err.Error(), "nothing starts before that is mended")
		return
	}
	if len(keys) == 0 {
		said = append(said, "no signature demanded")
	}
	for _, k := range keys {
		text := "key " + k.ID + " (" + k.Algorithm + ")"
		if k.ID == b.Signer {
			text += " signed it"
		}
		said = append(said, text)
	}
	status, mend := report.OK, ""
	if ends := b.Manifest.Expires; ends.IsZero() {
		said = append(said, "no end")
	} else {
		said = append(said, "last day "+bundle.LastDay(ends))
		if ends.Before(now.Add(soon)) {
			status, mend = report.Warn, "have its publisher publish the next one: nothing starts by this one afterwards"
		}
	}
	if r := p.Remote; r != nil {
		said = append(said, fmt.Sprintf("fetched on %s; warns after %s, refused after %s", date(r.Fetched), days(r.WarnAfter), days(r.RefuseAfter)))
		if r.Background {
			said = append(said, "launches fetch it again")
		}
		if r.Stale != "" {
			status, mend = report.Warn, strings.TrimPrefix(mend+"; ocjail bundle pull", "; ")
		}
	}
	d.add(name, status, strings.Join(said, "; "), mend)
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func days(d time.Duration) string {
	if d/(24*time.Hour) == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

// observed are the rules that refuse nothing, whatever they find.
func (d *doctor) observed(c *config.Config, rules *checker.Checker) {
	if c.Gate.Mode == config.Observe {
		d.add("gate", report.Warn, "no rule refuses anything: gate.mode is observe ("+c.From["gate.mode"].Pos.String()+")", "when ocjail log shows nothing to mend any more, delete it")
	}
	for _, r := range rules.Rules() {
		s := rules.Setting(r.ID)
		if !s.Observe {
			continue
		}
		by := ""
		if s.From != nil {
			by = fmt.Sprintf(", says the %s (%s)", s.From.Layer, s.From.Pos)
		}
		d.add("observed", report.Warn, r.ID+" refuses nothing"+by, `when ocjail log shows nothing to mend any more, delete mode = "observe"`)
	}
}

// waivers are the exceptions in force, and those that do not count.
func (d *doctor) waivers(rules *checker.Checker, now time.Time) {
	problems := rules.WaiverProblems(now)
	for _, r := range rules.Rules() {
		for _, w := range rules.Setting(r.ID).Waivers {
			if slices.ContainsFunc(problems, func(p config.WaiverProblem) bool { return p.Pos == w.Pos }) {
				continue
			}
			status, mend := report.OK, ""
			if w.Expires.Before(now.Add(soon)) {
				status, mend = report.Warn, "mend what it waives, or have "+w.Owner+" renew it"
			}
			d.add("waiver", status, fmt.Sprintf("%s for %s until %s, the %s's (%s): %s, %s", w.Rule, w.Subject, w.LastDay(), w.Layer, w.Pos, w.Owner, w.Reason), mend)
		}
	}
	for _, p := range problems {
		d.add("waiver", report.Warn, fmt.Sprintf("%s: %s", p.Pos, p.Message), p.Remedy)
	}
}
