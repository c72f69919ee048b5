//go:build linux && !nojail

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

// refreshTakes is more than a refresh can take.
const refreshTakes = 5 * time.Minute

// refreshed tells what came of fetching in the background, if a policy asks for it.
func (d *doctor) refreshed(files []*config.File, in store.Store, now time.Time) {
	asked := func(p config.Policy) bool { return p.Remote != nil && p.Remote.Background }
	if !slices.ContainsFunc(files, func(f *config.File) bool { return slices.ContainsFunc(f.Policies, asked) }) {
		return
	}
	const name = "refresh"
	began, last, err := in.LastRefresh()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.add(name, report.OK, "none in the background yet: a launch begins it, once what was fetched is an hour old", "")
		return
	case err != nil:
		d.add(name, report.Warn, err.Error(), "")
		return
	case began.After(last.Ended) && now.Sub(began) < refreshTakes:
		d.add(name, report.OK, "under way since "+stamp(began), "")
	case began.After(last.Ended):
		d.add(name, report.Warn, "one began on "+stamp(began)+" and did not end", "see what ocjail bundle pull says")
	}
	for _, s := range last.Sources {
		if s.Error != "" {
			d.add(name, report.Warn, fmt.Sprintf("failed on %s: %s", stamp(last.Ended), s.Error), "see whether ocjail bundle pull says the same; with a proxy, a certificate or credentials that only your shell has, have a timer run it")
			continue
		}
		d.add(name, report.OK, fmt.Sprintf("%s: revision %s, on %s", s.Source, s.Revision, stamp(last.Ended)), "")
	}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
