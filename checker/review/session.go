package review

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// record is what a session starts from. It is written before the command runs.
type record struct {
	Version int              `json:"version"` // 1
	Plan    Plan             `json:"plan"`
	Started moment           `json:"started"`
	Entries map[string]Entry `json:"entries"` // by path
	// Repositories are all that were in the areas, with the markers of other projects,
	// and GitDirs the repositories' git directories, of worktrees and submodules too.
	Repositories []string `json:"repositories"`
	GitDirs      []string `json:"git_dirs"`
	// Tracked are the paths of Entries that git's index holds.
	Tracked []string `json:"tracked"`
}

func (r *record) since() time.Time { return time.Unix(0, r.Started.Wall).UTC() }

// take records what plan says. known are the repositories that the last session
// left; nil when there was none, whereupon they are looked for.
func take(plan Plan, known []string) (*record, error) {
	all, err := openAreas(plan.Areas, plan.Parents)
	if err != nil {
		return nil, err
	}
	defer all.close()
	r := &record{Version: 1, Plan: plan, Repositories: known}
	if r.Started, err = now(); err != nil {
		return nil, err
	}
	l := newLooker(all)
	if known == nil {
		if r.Repositories, _, err = l.scan(); err != nil {
			return nil, err
		}
	}
	if r.GitDirs, err = l.repositories(plan, r.Repositories); err != nil {
		return nil, err
	}
	if err := l.roots(plan, r.GitDirs); err != nil {
		return nil, err
	}
	if r.Repositories, err = l.present(r.Repositories); err != nil {
		return nil, err
	}
	if len(l.crowded) > 0 {
		return nil, fmt.Errorf("%s holds more than a review looks through: remove what is of no use there", l.crowded[0])
	}
	r.Entries = l.found
	roots := plan.byPath()
	for p := range r.Entries {
		if root, ok := roots.of(p); ok && root.Tracked && !within(r.GitDirs, p) {
			r.Tracked = append(r.Tracked, p)
		}
	}
	r.Tracked = append(r.Tracked, trackedMarkers(plan, r.Repositories)...)
	slices.Sort(r.Tracked)
	r.Tracked = slices.Compact(r.Tracked)
	return r, nil
}

// present leaves out what is no repository any more: made anew, it is a new one.
func (l *looker) present(found []string) ([]string, error) {
	var left []string
	for _, p := range found {
		is := !l.found[p].Absent()
		if is && !isDotGit(filepath.Base(p)) && !isMarker(p) {
			var err error
			if is, err = l.isGitDir(p); err != nil {
				return nil, err
			}
		}
		if is {
			left = append(left, p)
		}
	}
	return left, nil
}

// repositories keeps the control files of all repositories and of the project's
// own and nested ones, which may lie elsewhere than in a .git.
func (l *looker) repositories(plan Plan, found []string) ([]string, error) {
	paths := append([]string{filepath.Join(plan.Project, ".git")}, found...)
	if g := plan.Git; g != nil {
		paths = append(paths, g.Dir, g.CommonDir)
		for _, n := range g.Nested {
			paths = append(paths, filepath.Join(n.Root, ".git"), n.Dir, n.CommonDir)
		}
	}
	var dirs []string
	for _, p := range paths {
		if p == "" {
			continue
		}
		if isMarker(p) {
			if _, err := l.add(p); err != nil {
				return nil, err
			}
			continue
		}
		more, err := l.repository(p)
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, more...)
	}
	slices.Sort(dirs)
	return slices.Compact(dirs), nil
}

// roots keeps what lies at and below the roots, but within folders that are
// looked at otherwise.
func (l *looker) roots(plan Plan, others []string) error {
	for _, p := range plan.Patterns {
		if err := l.pattern(plan.Project, p.Glob); err != nil {
			return err
		}
	}
	for _, root := range plan.Roots {
		if within(others, root.Path) {
			continue
		}
		limit := maxFolder
		if root.Held {
			limit = maxHeld
		}
		if err := l.folder(root.Path, limit, nil); err != nil {
			return err
		}
	}
	return nil
}

func within(dirs []string, path string) bool {
	return slices.ContainsFunc(dirs, func(d string) bool {
		_, in := sandbox.Below(d, path)
		return in
	})
}

// roots are a plan's, by path.
type roots map[string]Root

func (p *Plan) byPath() roots {
	all := make(roots, len(p.Roots))
	for _, r := range p.Roots {
		all[r.Path] = r
	}
	return all
}

// of returns the closest root that path is, or lies below.
func (all roots) of(path string) (Root, bool) {
	for {
		if r, ok := all[path]; ok {
			return r, true
		}
		if path == "/" {
			return Root{}, false
		}
		path = filepath.Dir(path)
	}
}
