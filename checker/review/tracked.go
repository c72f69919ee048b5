package review

import (
	"path/filepath"

	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// index asks git's index which of the paths it holds now. One that can not be
// read says nothing: then a change counts as one that git does not show.
func (s *sweep) index() {
	s.tracked = map[string]bool{}
	if s.Plan.Git == nil {
		return
	}
	var wanted []string
	for p := range s.l.found {
		if rel, in := sandbox.Below(s.Plan.Project, p); in && rel != "" && !within(s.dirs, p) {
			wanted = append(wanted, rel[1:])
		}
	}
	index, err := host.NewFS().TrackedOf(*s.Plan.Git, wanted)
	if err != nil {
		return
	}
	for rel, tracked := range index.Tracked {
		s.tracked[filepath.Join(s.Plan.Project, rel)] = tracked
	}
}

// trackedMarkers are those which git's index holds. One that can not be read says
// nothing: then a change counts as one that git does not show.
func trackedMarkers(plan Plan, found []string) []string {
	var wanted, tracked []string
	for _, p := range found {
		if rel, in := sandbox.Below(plan.Project, p); in && rel != "" && isMarker(p) {
			wanted = append(wanted, rel[1:])
		}
	}
	if plan.Git == nil || len(wanted) == 0 {
		return nil
	}
	index, err := host.NewFS().TrackedOf(*plan.Git, wanted)
	if err != nil {
		return nil
	}
	for rel, is := range index.Tracked {
		if is {
			tracked = append(tracked, filepath.Join(plan.Project, rel))
		}
	}
	return tracked
}
