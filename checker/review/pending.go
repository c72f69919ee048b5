package review

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// pending is what nobody has looked at yet, of all sessions.
type pending struct {
	Version int       `json:"version"` // 1
	Project string    `json:"project"`
	Areas   []string  `json:"areas"`
	Git     *host.Git `json:"git,omitempty"`
	Changes []Change  `json:"changes"`
}

func (s store) pending() (*pending, error) {
	p := &pending{Version: 1, Project: s.project}
	file := filepath.Join(s.dir, pendingFile)
	err := s.read(file, p)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p, nil
	case err != nil:
		return nil, err
	case p.Version != 1 || p.Project != s.project:
		return nil, &BrokenError{file, fmt.Errorf("it is that of %q, version %d", p.Project, p.Version)}
	}
	return p, nil
}

// merge adds a session's changes. What was pending keeps what it was before the
// first of the sessions.
func (p *pending) merge(plan Plan, changes []Change) {
	for _, a := range slices.Concat(plan.Areas, plan.Parents) {
		if !slices.Contains(p.Areas, a) {
			p.Areas = append(p.Areas, a)
		}
	}
	p.Git = joined(plan.Git, p.Git)
	for _, c := range changes {
		i := slices.IndexFunc(p.Changes, func(o Change) bool { return o.Path == c.Path && (o.What == Many) == (c.What == Many) })
		if i < 0 {
			p.Changes = append(p.Changes, c)
			continue
		}
		old := p.Changes[i]
		c.Before, c.Since, c.Tracked = old.Before, old.Since, old.Tracked || c.Tracked
		c.Count += old.Count
		if old.What == Repository || old.What == New && c.What == Changed {
			c.What = old.What
		}
		if old.Level.Rank() > c.Level.Rank() {
			c.Level = old.Level
		}
		p.Changes[i] = c
	}
	slices.SortFunc(p.Changes, order)
	if over := len(p.Changes) - maxChanges; over > 0 {
		p.Changes = p.Changes[:maxChanges]
		p.overflow(over)
	}
}

// joined is g with the nested repositories of old that it lacks: what is pending of
// them is asked of them, also after a session that began elsewhere in the project.
func joined(g, old *host.Git) *host.Git {
	if g == nil || old == nil {
		return cmp.Or(g, old)
	}
	all := *g
	all.Nested = slices.Clone(g.Nested)
	for _, n := range old.Nested {
		if !slices.ContainsFunc(all.Nested, func(o host.Git) bool { return o.Root == n.Root }) {
			all.Nested = append(all.Nested, n)
		}
	}
	return &all
}

// overflow stands for changes that were too many to be kept. Reverting the others
// leaves it.
func (p *pending) overflow(count int) {
	c := Change{Path: p.Project, What: Many, Level: finding.Warning, Count: count, Since: time.Now().UTC(), Before: Entry{Type: sandbox.Dir},
		Reason: "more was changed than is kept one by one, here and in other folders that the jail could write: look yourself (git status --ignored)"}
	i := slices.IndexFunc(p.Changes, func(o Change) bool { return o.Path == c.Path && o.What == Many })
	if i < 0 {
		p.Changes = append(p.Changes, c)
	} else {
		c.Count, c.Since = c.Count+p.Changes[i].Count, p.Changes[i].Since
		p.Changes[i] = c
	}
	slices.SortFunc(p.Changes, order)
}

// settle drops what is as it was before, by whoever's hand.
func (p *pending) settle() (changed bool, err error) {
	if len(p.Changes) == 0 {
		return false, nil
	}
	all, err := openAreas(p.Areas, nil)
	if err != nil {
		return false, err
	}
	defer all.close()
	tracked := p.index()
	var left []Change
	for _, c := range p.Changes {
		open, err := all.open(c, tracked)
		if err != nil {
			return false, err
		}
		if open {
			left = append(left, c)
		}
	}
	before := len(p.Changes)
	p.Changes = p.orphans(left)
	return len(p.Changes) != before, nil
}

// orphans drops folders that only were tracked for the sake of files below them.
func (p *pending) orphans(changes []Change) []Change {
	return slices.DeleteFunc(changes, func(c Change) bool {
		return c.What == Tracked && c.Before.Type == sandbox.Dir && !slices.ContainsFunc(changes, func(o Change) bool {
			_, below := sandbox.Below(c.Path, o.Path)
			return below && o.Tracked && o.Path != c.Path
		})
	})
}

// index asks git which of the paths that it tracks since a session it tracks
// still; what is missing nobody can tell.
func (p *pending) index() map[string]bool {
	var paths []string
	for _, c := range p.Changes {
		if c.Tracked {
			paths = append(paths, c.Path)
		}
	}
	return trackedNow(p.Git, paths)
}

// open tells whether a change is still one.
func (all areas) open(c Change, tracked map[string]bool) (bool, error) {
	if is, known := tracked[c.Path]; c.Tracked && (is || !known) {
		return true, nil
	}
	l := newLooker(all)
	now, err := l.entry(c.Path)
	if err != nil {
		return false, err
	}
	switch c.What {
	case Many:
		return !now.Absent(), nil
	case Repository:
		if isDotGit(filepath.Base(c.Path)) {
			return !now.Absent(), nil
		}
		return l.isGitDir(c.Path)
	}
	if c.Before.Digest == "valid" { // a HEAD
		err := l.head(c.Path)
		now = l.found[c.Path]
		if err != nil {
			return false, err
		}
	}
	return !c.Before.same(now), nil
}
