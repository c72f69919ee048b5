package review

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Why a new repository matters.
const (
	whyNested = "git run in this folder, and git status above where it was added, obeys its configuration"
	whyBare   = "git run in this folder takes it for a repository and obeys its configuration"
	whyTop    = "git run in the project can take this folder for the repository and obey its configuration"
	whyParts  = "git enters it with the repository that it belongs to, and obeys its configuration"
)

// repositories reports what git would take for a repository since the session, and
// the markers of other projects.
func (s *sweep) repositories() error {
	for _, p := range s.found {
		if s.compared(p) {
			continue
		}
		s.done = append(s.done, p)
		young, err := s.young(p)
		switch {
		case err != nil:
			return err
		case !young: // of the user's making, between two sessions
		case isMarker(p):
			s.add(Change{Path: p, What: New, Level: finding.Warning, Reason: markers[filepath.Base(p)]})
		default:
			if err := s.repository(p); err != nil {
				return err
			}
		}
	}
	return s.parts()
}

// compared tells what was there before, is a part of what was, or is watched: its
// entries tell.
func (s *sweep) compared(p string) bool {
	if _, known := slices.BinarySearch(s.Repositories, p); known || s.isPart(p) {
		return true
	}
	if _, watched := s.roots[p]; watched && isMarker(p) {
		return true
	}
	return !s.Entries[p].Absent() && (isDotGit(filepath.Base(p)) || isMarker(p) || slices.Contains(s.GitDirs, p))
}

// parts reports submodules and worktrees of repositories that were there.
func (s *sweep) parts() error {
	for _, dir := range s.dirs {
		if slices.Contains(s.done, dir) || slices.Contains(s.GitDirs, dir) || !slices.ContainsFunc(s.GitDirs, func(d string) bool { _, in := sandbox.Below(d, dir); return in }) {
			continue
		}
		if err := s.part(dir); err != nil {
			return err
		}
	}
	return nil
}

// isPart tells a worktree's or a submodule's git directory, which git makes.
func (s *sweep) isPart(p string) bool {
	return !isDotGit(filepath.Base(p)) && slices.ContainsFunc(s.dirs, func(d string) bool {
		rel, in := sandbox.Below(d, p)
		return in && (strings.HasPrefix(rel, "/modules/") || filepath.Dir(rel) == "/worktrees")
	})
}

// repository reports a new .git, or a folder that is one by its content.
func (s *sweep) repository(p string) error {
	e, err := s.l.entry(p)
	if err != nil {
		return err
	}
	c := Change{Path: p, What: Repository, Level: finding.Warning, Reason: whyNested}
	dir := p
	switch {
	case p == s.Plan.Project:
		c.Reason = whyTop
	case !isDotGit(filepath.Base(p)):
		c.Reason = whyBare
	case e.Type != sandbox.Dir:
		c.What = New
		if dir = s.target(p, e); dir == "" { // a link, or a file that is none of git's
			c.Obeys = []string{kindOf(e)}
			s.add(c)
			return nil
		}
	}
	if c.Obeys, err = s.l.obeys(dir); err != nil {
		return err
	}
	known := e.Type == sandbox.Dir || slices.Contains(s.dirs, dir)
	if _, inProject := sandbox.Below(s.Plan.Project, p); len(c.Obeys) == 0 && known && p != s.Plan.Project {
		if !inProject {
			return nil // opencode's snapshots are repositories
		}
		c.Level = finding.Info
	}
	if !known {
		c.Obeys = append(c.Obeys, "gitdir: "+dir)
	}
	s.add(c)
	return nil
}

// target returns the git directory that a .git file names; "" for none.
func (s *sweep) target(p string, e Entry) string {
	target, ok := strings.CutPrefix(strings.TrimRight(string(e.Content), "\r\n"), "gitdir: ")
	switch {
	case !ok || e.Type != sandbox.Regular:
		return ""
	case filepath.IsAbs(target):
		return filepath.Clean(target)
	}
	return filepath.Join(filepath.Dir(p), target)
}

// part reports the git directory of a new submodule or worktree.
func (s *sweep) part(dir string) error {
	c := Change{Path: dir, What: Repository, Level: finding.Warning, Reason: whyParts}
	var err error
	if c.Obeys, err = s.l.obeys(dir); err != nil {
		return err
	}
	s.done = append(s.done, dir)
	if len(c.Obeys) > 0 {
		s.add(c)
	}
	return nil
}

// young tells whether a repository, or a folder above it, was made, moved or
// changed in what counts since the session began.
func (s *sweep) young(p string) (bool, error) {
	a, _, ok := s.l.areas.find(p)
	since := s.Started.fileTime(s.later)
	if !ok || since == 0 || !a.local() {
		return true, nil
	}
	at := []string{p}
	if !isMarker(p) {
		var err error
		if at, err = s.l.parts(p); err != nil {
			return false, err
		}
	}
	for dir := filepath.Dir(p); dir != a.path && len(dir) > len(a.path); dir = filepath.Dir(dir) {
		at = append(at, dir)
	}
	for _, p := range at {
		st, ok, err := s.l.stat(p)
		if err != nil {
			return false, fmt.Errorf("look at %s: %w", p, err)
		}
		if ok && changedSince(&st, since) {
			return true, nil
		}
	}
	return false, nil
}

// parts are the paths of which one changes when a repository is made or what git
// obeys in it is written.
func (l *looker) parts(p string) ([]string, error) {
	at := []string{p, filepath.Join(p, "objects"), filepath.Join(p, "refs")}
	dirs, err := l.gitDirs(p)
	if err != nil {
		return nil, err
	}
	for _, d := range dirs {
		for _, c := range controls {
			at = append(at, filepath.Join(d, c.name))
		}
		hooks, err := l.names(filepath.Join(d, "hooks"))
		if err != nil {
			return nil, err
		}
		for _, h := range hooks {
			at = append(at, filepath.Join(d, "hooks", h.name))
		}
	}
	return at, nil
}

func changedSince(st *unix.Stat_t, since int64) bool { return st.Ctim.Nano() >= since }

// order puts changes as they are shown: what matters first, then by path.
func order(a, b Change) int {
	return cmp.Or(cmp.Compare(b.Level.Rank(), a.Level.Rank()), cmp.Compare(a.Path, b.Path))
}
