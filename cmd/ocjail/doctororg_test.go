//go:build linux && !nojail

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

// A script can't make a bundle be fetched long ago: when it was is what the store says.
func TestDoctorWarnsOfAnOldBundle(t *testing.T) {
	now := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	p := config.Policy{
		Name: "acme", Layer: config.Organisation, Opened: &bundle.Bundle{},
		Remote: &config.Remote{Fetched: now.AddDate(0, 0, -8), WarnAfter: config.DefaultWarnAfter, RefuseAfter: config.DefaultRefuseAfter},
	}
	for stale, want := range map[string]report.CheckStatus{"": report.OK, "it was fetched 8 days ago": report.Warn} {
		d := &doctor{}
		p.Remote.Stale = stale
		d.policy(&p, checker.Where{}, nil, now)
		got := d.checks[0]
		if got.Status != want || !strings.Contains(got.Detail, "fetched on 2026-11-18; warns after 7 days, refused after 30 days") {
			t.Errorf("stale %q: %+v", stale, got)
		}
		if (got.Mend == "ocjail bundle pull") != (want == report.Warn) {
			t.Errorf("stale %q: mend %q", stale, got.Mend)
		}
	}
}

func TestDaysInWords(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0 days", 36 * time.Hour: "1 day", 48 * time.Hour: "2 days"} {
		if got := days(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
}
