package checker

import (
	"cmp"
	"errors"
	"fmt"
	iofs "io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// maxProtections bounds the mounts that hardening adds: each costs bwrap about
// 0.2 ms, and more the more there are: 750, for 150 submodules, take it two seconds.
const maxProtections = 1600

// protection is one mount that hardening adds below a writable one.
type protection struct {
	inside, host string
	readOnly     bool
	why          string
}

// protect returns a copy of s in which two things can not be undone from inside:
// the watched paths that ask for it, exist, are not tracked by git and lie below
// a writable mount are read-only; and what the jail itself mounts below a
// writable mount, to make it read-only or to hide it, stays where it is.
//
// A mount on the path is not enough for either: a directory above it that is no
// mount point can be renamed and made anew. So these are pinned, each bound onto
// itself, whereupon rename(2) fails with EBUSY. The mounts go in right behind
// the writable one: at the end they would lie over, and widen, what the jail
// itself binds read-only deeper down.
func protect(s *sandbox.Sandbox, tree *sandbox.Tree, watched []Watched, fs sandbox.HostFS) (*sandbox.Sandbox, error) {
	planned := protections{}
	for _, w := range watched {
		if !w.protectable() {
			continue
		}
		for _, way := range tree.HostAccess(w.Path) {
			if way.Access.Writes() && way.How != sandbox.ByBelow {
				planned.readOnly(tree, way)
			}
		}
	}
	for _, l := range tree.InJail() {
		parent := l.Parent()
		if l.HiddenBy == nil && !l.Implied && !l.Access().Writes() && parent != nil && parent.Kind == sandbox.MountHost && parent.Access().Writes() {
			planned.pin(tree, parent, l.Point)
		}
	}
	return planned.insert(s, fs)
}

// protectable tells whether a read-only mount can and should protect w. One that
// git tracks must stay replaceable, or switching branches fails half-way; a link
// can not be mounted on.
func (w *Watched) protectable() bool {
	return w.Protect && w.Exists != nil && *w.Exists && w.Type != sandbox.Symlink &&
		(w.Tracked == nil || !*w.Tracked)
}

// protections are the mounts to add, by inside path, behind each option.
type protections map[int]map[string]protection

func (p protections) behind(m *sandbox.Mount) map[string]protection {
	if p[m.Option] == nil {
		p[m.Option] = map[string]protection{}
	}
	return p[m.Option]
}

// readOnly plans a read-only mount over what way reaches, and the pins above it.
func (p protections) readOnly(tree *sandbox.Tree, way sandbox.Reach) {
	rel, ok := p.pin(tree, way.Mount, way.Inside)
	if ok {
		p.behind(way.Mount)[way.Inside] = protection{inside: way.Inside, host: path.Join(way.Mount.Written(), rel), readOnly: true, why: "the host runs or reads it later"}
	}
}

// pin plans a mount onto itself for each directory of m between its root and
// inside, which is below m, and returns inside relative to m.
func (p protections) pin(tree *sandbox.Tree, m *sandbox.Mount, inside string) (rel string, ok bool) {
	base := tree.Point(m)
	rel, ok = sandbox.Below(base, inside)
	if !ok || rel == "" {
		return rel, ok
	}
	parts := strings.Split(rel[1:], "/")
	for i := range parts[:len(parts)-1] {
		below := path.Join(parts[:i+1]...)
		at := path.Join(base, below)
		if _, taken := p.behind(m)[at]; !taken {
			p.behind(m)[at] = protection{inside: at, host: path.Join(m.Written(), below), why: "keeps the directory above a protected path in place"}
		}
	}
	return rel, true
}

// insert puts the planned mounts behind the options they belong to, parents
// before children; what lies below a directory that is read-only needs none.
func (p protections) insert(s *sandbox.Sandbox, fs sandbox.HostFS) (*sandbox.Sandbox, error) {
	hardened := s.Clone()
	total := 0
	for _, i := range slices.Backward(slices.Sorted(maps.Keys(p))) {
		list := ordered(p[i])
		total += len(list)
		var options []sandbox.Option
		for _, m := range list {
			if _, err := fs.Lstat(m.host); errors.Is(err, iofs.ErrNotExist) {
				continue // bwrap would make it: gate/host-effect tells
			}
			name := "--bind"
			if m.readOnly {
				name = "--ro-bind"
			}
			options = append(options, sandbox.Option{Name: name, Args: []string{m.host, m.inside}, Origin: s.Options[i].Origin, Added: m.why})
		}
		hardened.Insert(i+1, options...)
	}
	if total > maxProtections {
		return nil, fmt.Errorf("%d protective mounts would be needed, more than %d: bind fewer writable directories", total, maxProtections)
	}
	return hardened, nil
}

// protects tells whether insert has added o.
func protects(o sandbox.Option) bool {
	return o.Added != "" && (o.Name == "--bind" || o.Name == "--ro-bind")
}

func ordered(mounts map[string]protection) []protection {
	var all []protection
	for _, p := range mounts {
		covered := false
		for dir := path.Dir(p.inside); dir != "/"; dir = path.Dir(dir) {
			covered = covered || mounts[dir].readOnly
		}
		if !covered {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b protection) int {
		return cmp.Or(cmp.Compare(strings.Count(a.inside, "/"), strings.Count(b.inside, "/")), cmp.Compare(a.inside, b.inside))
	})
	return all
}

// errWidened says that hardening would have granted more than the jail asked for.
var errWidened = errors.New("hardening would widen the jail, which is a bug of ocjail's; nothing was started")

// survey is what a tree grants at its mount points, and of watched paths.
type survey struct {
	points  []opening
	watched []opening
	err     error
}

type opening struct {
	path   string
	access sandbox.Access
}

func newSurvey(t *sandbox.Tree, watched []Watched) *survey {
	s := &survey{}
	for _, l := range t.InJail() {
		if l.HiddenBy != nil || l.Implied {
			continue
		}
		r, err := t.Access(l.Point)
		if err != nil {
			s.err = err
			return s
		}
		s.points = append(s.points, opening{l.Point, r.Access})
	}
	for _, w := range watched {
		s.watched = append(s.watched, opening{w.Path, t.Widest(w.Path).Access})
	}
	return s
}

// notWider checks that none of it is more open in after.
func (s *survey) notWider(after *sandbox.Tree) error {
	if s.err != nil {
		return s.err
	}
	for _, o := range s.points {
		now, err := after.Access(o.path)
		if err != nil {
			return err
		}
		if err := o.notWider(now.Access); err != nil {
			return err
		}
	}
	for _, o := range s.watched {
		if err := o.notWider(after.Widest(o.path).Access); err != nil {
			return err
		}
	}
	return nil
}

func (o opening) notWider(now sandbox.Access) error {
	if now.WiderThan(o.access) {
		return fmt.Errorf("%s would be %s instead of %s: %w", o.path, now, o.access, errWidened)
	}
	return nil
}
