package review

import (
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// index asks git's indexes which of the paths they hold now. One that can not be
// read says nothing: then a change counts as one that git does not show, and what is
// there as held (see flipped).
func (s *sweep) index() {
	var paths []string
	for p := range s.l.found {
		if !within(s.dirs, p) {
			paths = append(paths, p)
		}
	}
	s.tracked = trackedNow(s.Plan.Git, paths)
}

// trackedNow tells of paths whether an index of g's work trees holds them, whichever:
// who can remove a .git decides which of them the next launch asks. What is missing
// nobody can tell.
func trackedNow(g *host.Git, paths []string) map[string]bool {
	tracked := map[string]bool{}
	if g == nil || len(paths) == 0 {
		return tracked
	}
	unknown := map[string]bool{}
	fs := host.NewFS()
	outer := *g
	outer.Nested = nil
	for _, tree := range append([]host.Git{outer}, g.Nested...) {
		for i, is := range fs.Tracked(&tree, paths) {
			p := paths[i]
			if is != nil {
				tracked[p] = tracked[p] || *is
			} else if _, in := sandbox.Below(tree.Root, p); in {
				unknown[p] = true
			}
		}
	}
	for p := range unknown {
		if !tracked[p] {
			delete(tracked, p)
		}
	}
	return tracked
}

// trackedMarkers are those which git's index holds. One that can not be read says
// nothing: then a change counts as one that git does not show.
func trackedMarkers(plan Plan, found []string) []string {
	var markers, tracked []string
	for _, p := range found {
		if isMarker(p) {
			markers = append(markers, p)
		}
	}
	for i, is := range host.NewFS().Tracked(plan.Git, markers) {
		if is != nil && *is {
			tracked = append(tracked, markers[i])
		}
	}
	return tracked
}
