package checker

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// maxProtections bounds the mounts that hardening adds: each costs bwrap about
// 0.2 ms, and more the more there are.
const maxProtections = 100

// protection is one mount that hardening adds below a writable one.
type protection struct {
	inside, host string
	readOnly     bool
	why          string
}

// protect returns a copy of s in which the watched paths that ask for it, exist,
// are not tracked by git and lie below a writable mount are read-only.
//
// A read-only mount on the path is not enough: a directory above it that is no
// mount point can be renamed and made anew. So these are pinned, each bound onto
// itself, whereupon rename(2) fails with EBUSY. The mounts go in right behind
// the writable one: at the end they would lie over, and widen, what the jail
// itself binds read-only deeper down.
func protect(s *sandbox.Sandbox, tree *sandbox.Tree, watched []Watched) (*sandbox.Sandbox, error) {
	byOption := map[int]map[string]protection{}
	for _, w := range watched {
		if !w.protectable() {
			continue
		}
		for _, way := range tree.HostAccess(w.Path) {
			if !way.Access.Writes() || way.How == sandbox.ByBelow {
				continue
			}
			i := way.Mount.Option
			if byOption[i] == nil {
				byOption[i] = map[string]protection{}
			}
			plan(byOption[i], tree, way, w.Path)
		}
	}
	return insert(s, byOption)
}

// protectable tells whether a read-only mount can and should protect w. One that
// git tracks must stay replaceable, or switching branches fails half-way; a link
// can not be mounted on.
func (w *Watched) protectable() bool {
	return w.Protect && w.Exists != nil && *w.Exists && w.Type != sandbox.Symlink &&
		(w.Tracked == nil || !*w.Tracked)
}

// plan adds the mounts that protect host path h where way reaches it.
func plan(mounts map[string]protection, tree *sandbox.Tree, way sandbox.Reach, h string) {
	base := tree.Point(way.Mount)
	rel, ok := sandbox.Below(base, way.Inside)
	if !ok {
		return
	}
	parts := strings.Split(strings.TrimPrefix(rel, "/"), "/")
	hostDir := strings.TrimSuffix(h, rel)
	for i := range parts[:len(parts)-1] {
		below := path.Join(parts[:i+1]...)
		pin := protection{inside: path.Join(base, below), host: path.Join("/", hostDir, below), why: "keeps the directory above a protected path in place"}
		if _, taken := mounts[pin.inside]; !taken {
			mounts[pin.inside] = pin
		}
	}
	mounts[way.Inside] = protection{inside: way.Inside, host: h, readOnly: true, why: "the host runs or reads it later"}
}

// insert puts the planned mounts behind the options they belong to, parents
// before children; what lies below a directory that is read-only needs none.
func insert(s *sandbox.Sandbox, byOption map[int]map[string]protection) (*sandbox.Sandbox, error) {
	hardened := s.Clone()
	total := 0
	for _, i := range slices.Backward(slices.Sorted(maps.Keys(byOption))) {
		list := ordered(byOption[i])
		total += len(list)
		var options []sandbox.Option
		for _, p := range list {
			name := "--bind"
			if p.readOnly {
				name = "--ro-bind"
			}
			options = append(options, sandbox.Option{Name: name, Args: []string{p.host, p.inside}, Origin: s.Options[i].Origin, Added: p.why})
		}
		hardened.Insert(i+1, options...)
	}
	if total > maxProtections {
		return nil, fmt.Errorf("%d protective mounts would be needed, more than %d: bind fewer writable directories, or name what to protect with protect = […]", total, maxProtections)
	}
	return hardened, nil
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

// notWider checks that no mount point and no watched path is more open in after
// than in before.
func notWider(before, after *sandbox.Tree, watched []Watched) error {
	for _, l := range before.InJail() {
		if l.HiddenBy != nil {
			continue
		}
		old, err := before.Access(l.Point)
		if err != nil {
			return err
		}
		now, err := after.Access(l.Point)
		if err != nil {
			return err
		}
		if now.Access.WiderThan(old.Access) {
			return fmt.Errorf("%s would be %s instead of %s: %w", l.Point, now.Access, old.Access, errWidened)
		}
	}
	for _, w := range watched {
		if old, now := before.Widest(w.Path), after.Widest(w.Path); now.Access.WiderThan(old.Access) {
			return fmt.Errorf("%s would be %s instead of %s: %w", w.Path, now.Access, old.Access, errWidened)
		}
	}
	return nil
}
