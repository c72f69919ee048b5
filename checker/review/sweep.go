package review

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// sweep is the comparison of a record with what is there now.
type sweep struct {
	*record
	l       *looker
	roots   roots
	found   []string // repositories in the areas
	dirs    []string // git directories of those and of the recorded ones
	done    []string // repositories that are judged as a whole
	later   moment
	tracked map[string]bool
	changes []Change
}

// sweep returns what changed since r was taken, and the repositories that there
// are now. It changes nothing.
func (r *record) sweep() ([]Change, []string, error) {
	all, err := openAreas(r.Plan.Areas, r.Plan.Parents)
	if err != nil {
		return nil, nil, err
	}
	defer all.close()
	s := &sweep{record: r, l: newLooker(all), roots: r.Plan.byPath()}
	if s.later, err = now(); err != nil {
		return nil, nil, err
	}
	for _, step := range []func() error{s.look, s.repositories, s.folders, s.paths} {
		if err := step(); err != nil {
			return nil, nil, err
		}
	}
	slices.SortFunc(s.changes, order)
	return s.changes, s.found, nil
}

// look gathers what is there now under every path of the record, and beside.
func (s *sweep) look() error {
	var deep []string
	var err error
	if s.found, deep, err = s.l.scan(); err != nil {
		return err
	}
	for _, p := range deep {
		s.add(Change{Path: p, What: Many, Level: finding.Warning, Reason: "too deep, or too much, to be looked through for repositories"})
	}
	held := s.held()
	if s.dirs, err = s.l.repositories(s.Plan, append(slices.Clone(s.Repositories), s.found...)); err != nil {
		return err
	}
	if err := s.l.roots(s.Plan, append(held, s.dirs...)); err != nil {
		return err
	}
	for p := range s.Entries {
		if _, err := s.l.add(p); err != nil {
			return err
		}
	}
	slices.Sort(s.l.crowded)
	for _, p := range slices.Compact(s.l.crowded) {
		s.add(Change{Path: p, What: Many, Level: finding.Warning, Reason: "more than is looked through, so what lies there can not be told"})
	}
	slices.Sort(s.l.closed)
	for _, p := range slices.Compact(s.l.closed) {
		s.add(Change{Path: p, What: Many, Level: finding.Warning, Reason: "it can not be listed, so what lies there can not be told (chmod u+rx)"})
	}
	s.index()
	return nil
}

// held takes over what was read-only all the time, with what lies below, and
// returns it.
func (s *sweep) held() (paths []string) {
	for _, root := range s.Plan.Roots {
		before, ok := s.Entries[root.Path]
		if !root.Held || !ok || before.Absent() {
			continue
		}
		e, err := s.l.entry(root.Path)
		if err != nil || e.Dev != before.Dev || e.Ino != before.Ino || e.Type != before.Type {
			continue // compared as any other, or an error there too
		}
		for p, e := range s.Entries {
			if _, in := sandbox.Below(root.Path, p); in {
				s.l.found[p] = e
			}
		}
		paths = append(paths, root.Path)
	}
	return paths
}

func (s *sweep) add(c Change) {
	c.Since = s.since()
	s.changes = append(s.changes, c)
}

// paths compares path by path.
func (s *sweep) paths() error {
	for p, after := range s.l.found {
		if slices.Contains(s.done, p) {
			continue
		}
		before := s.Entries[p]
		if dir, c, ok := controlOf(p, s.dirs); ok {
			if err := s.control(p, before, after, dir, c); err != nil {
				return err
			}
			continue
		}
		s.path(p, before, after)
	}
	return nil
}

// path compares a path that is no part of a git directory.
func (s *sweep) path(p string, before, after Entry) {
	root, wanted := s.watched(p)
	if p != root.Path && s.Entries[root.Path].Large {
		return // the folder tells
	}
	c := Change{Path: p, Before: before, Reason: root.Reason, Level: s.level(p, root, wanted), What: whatOf(before, after), Tracked: s.flipped(p, after, root)}
	switch {
	case c.What == "" && !c.Tracked:
		return
	case c.What == "":
		c.What, c.Reason = Tracked, "git tracks it now, so that from now on its diff would be all that tells: "+root.Reason
		if !s.tracked[p] {
			c.Reason = "git's index can not be read since the session (it may be split: git update-index --no-split-index), and may hold it now: " + root.Reason
		}
	case c.What == Removed && root.Path == "" && !wanted && !s.own(p) && !isMarker(p):
		return // a repository less, such as a worktree's
	}
	s.add(c)
}

// flipped tells whether git tracks p only since the session, or may if it is there, for an
// index that could be read before can not be any more. Where nothing is protected, what
// the index says changes nothing.
func (s *sweep) flipped(p string, now Entry, root Root) bool {
	_, was := slices.BinarySearch(s.Tracked, p)
	is, known := s.tracked[p]
	return (is || !known && root.Told && !now.Absent()) && !was && root.Path != "" && !root.Work
}

// level is info where git shows the change, and for what the agent is there to
// write, unless somebody wanted to see it.
func (s *sweep) level(p string, root Root, wanted bool) finding.Severity {
	_, was := slices.BinarySearch(s.Tracked, p)
	if shown := was && s.tracked[p]; !wanted && (root.Work || shown) {
		return finding.Info
	}
	return finding.Warning
}

// watched returns the root that tells of p. That of a pattern's file, or of a .git
// that is no folder, has no path.
func (s *sweep) watched(p string) (root Root, wanted bool) {
	reason, wanted := s.Plan.wants(p)
	root, ok := s.roots.of(p)
	switch {
	case ok:
		return root, wanted
	case wanted:
		return Root{Reason: reason}, true
	}
	if isMarker(p) {
		return Root{Reason: markers[filepath.Base(p)]}, false
	}
	return Root{Reason: "it names the repository that git obeys"}, false
}

// whatOf says in which way two entries differ; "" when they do not, or when other
// entries tell: a folder counts for what is in it.
func whatOf(before, after Entry) What {
	switch folder := before.Type == sandbox.Dir && !before.Large || after.Type == sandbox.Dir; {
	case before.same(after):
		return ""
	case before.Absent() && !folder:
		return New
	case after.Absent() && !folder:
		return Removed
	case before.Absent() || after.Absent():
		return ""
	}
	return Changed
}

// control compares a file that git obeys.
func (s *sweep) control(p string, before, after Entry, dir string, c control) error {
	if !slices.Contains(s.GitDirs, dir) {
		return nil // of a repository that is judged as a whole
	}
	if after.Large {
		return s.crowd(Root{Path: p, Reason: c.reason})
	}
	what := whatOf(before, after)
	if what == "" || harmlessly(c, what, before, after) {
		return nil
	}
	if what == Removed && !s.own(dir) {
		if e, err := s.l.entry(dir); err != nil || e.Absent() {
			return err // the repository is gone as a whole
		}
	}
	change := Change{Path: p, What: what, Before: before, Reason: c.reason, Level: finding.Warning}
	change.Obeys = s.l.says(after, c.name, dir, filepath.Base(p))
	old := s.l.says(before, c.name, dir, filepath.Base(p))
	// A remote or a branch more in the configuration runs nothing.
	if what != Removed && (c.name == "gitdir" || c.name == "config" && slices.Equal(old, change.Obeys)) {
		change.Level = finding.Info
	}
	s.add(change)
	return nil
}

// harmlessly tells of changes that git's everyday work makes.
func harmlessly(c control, what What, before, after Entry) bool {
	switch c.name {
	case head:
		return what == New || before.Digest == "invalid"
	case todo:
		return !executes(after)
	}
	return false
}

// executes tells whether a rebase that waits would run a command (git-rebase(1)).
func executes(todo Entry) bool {
	for line := range strings.Lines(string(todo.Content)) {
		if word, _, _ := strings.Cut(strings.TrimSpace(line), " "); word == "exec" || word == "x" {
			return true
		}
	}
	return !todo.Absent() && !todo.readable()
}

// own tells whether a git directory is the project's.
func (s *sweep) own(dir string) bool {
	g := s.Plan.Git
	return dir == filepath.Join(s.Plan.Project, ".git") || g != nil && (dir == g.Dir || dir == g.CommonDir)
}

// folders reports large folders in which files changed.
func (s *sweep) folders() error {
	for _, root := range s.Plan.Roots {
		before, after := s.Entries[root.Path], s.l.found[root.Path]
		if !before.Large && !after.Large || before.Large && after.Absent() {
			continue
		}
		if root.Held && before.Dev == after.Dev && before.Ino == after.Ino {
			continue
		}
		if err := s.crowd(root); err != nil {
			return err
		}
	}
	return nil
}

// crowd reports a large folder, if files in it changed.
func (s *sweep) crowd(root Root) error {
	since := s.Started.fileTime(s.later)
	if a, _, ok := s.l.areas.find(root.Path); ok && !a.local() {
		since = 0
	}
	n, err := s.l.young(root.Path, since)
	if err != nil || n == 0 {
		return err
	}
	c := Change{Path: root.Path, What: Many, Count: n, Reason: root.Reason, Level: finding.Warning, Before: s.Entries[root.Path]}
	if root.Work {
		c.Level = finding.Info
	}
	s.add(c)
	return nil
}
