package sandbox

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// index finds mounts by the identity of the host directory that they show.
type index struct {
	at    map[key][]Located // that show exactly this file
	above map[key][]Located // that show something below this directory
}

// key identifies a host file: by device and inode, or by path where these are
// unknown.
type key struct {
	id   ID
	path string
}

func (t *Tree) key(p string) key {
	if st, err := t.lstat(p); err == nil && st.ID() != (ID{}) {
		return key{id: st.ID()}
	}
	return key{path: p}
}

func (t *Tree) buildIndex() *index {
	x := &index{at: map[key][]Located{}, above: map[key][]Located{}}
	for _, l := range t.Located() {
		if l.HiddenBy != nil {
			continue
		}
		for _, src := range l.sources() {
			k := t.key(src)
			x.at[k] = append(x.at[k], l)
			for p := src; p != "/"; {
				p = path.Dir(p)
				k := t.key(p)
				x.above[k] = append(x.above[k], l)
			}
		}
	}
	return x
}

// sources are the host directories (or the file) that a mount shows at its root.
func (l Located) sources() []string {
	switch l.Kind {
	case MountHost:
		return []string{l.Source}
	case MountOverlay:
		return l.root.made.layers
	}
	return nil
}

// HostAccess returns every way in which the jail reaches the canonical host path
// h, widest first. It need not exist. Directories are compared by device and
// inode, so that another name of the same directory counts.
func (t *Tree) HostAccess(h string) []Reach {
	if t.index == nil {
		t.index = t.buildIndex()
	}
	_, err := t.lstat(h)
	exists := err == nil
	var ways []Reach
	for p, rel := h, ""; ; p, rel = path.Dir(p), "/"+path.Base(p)+rel {
		for _, l := range t.index.at[t.key(p)] {
			if r, ok := t.through(l, p, rel, h, exists); ok {
				ways = append(ways, r)
			}
		}
		if p == "/" {
			break
		}
	}
	if exists {
		for _, l := range t.index.above[t.key(h)] {
			ways = append(ways, Reach{Access: l.Access(), Mount: l.Mount, Inside: l.Point, Host: l.Source, Exists: true, How: ByBelow})
		}
	}
	slices.SortStableFunc(ways, func(a, b Reach) int { return cmp.Compare(rank[b.Access], rank[a.Access]) })
	return ways
}

// through tells how mount l, which shows directory p at its root, reaches p+rel.
func (t *Tree) through(l Located, p, rel, h string, exists bool) (Reach, bool) {
	r := Reach{Access: l.Access(), Mount: l.Mount, Inside: path.Join(l.Point, rel), Host: h, Exists: exists, How: ByMount}
	if p != l.Source {
		r.How = ByAlias
	}
	if l.Kind == MountOverlay {
		return t.throughOverlay(l, p, r)
	}
	depth, hidden := l.firstMountPoint(rel)
	switch {
	case !exists && !hidden:
		if !r.Access.Writes() {
			return r, false
		}
		r.How = ByCreate
	case hidden && depth == 1:
		return r, false // the mount there decides, and is asked itself
	case hidden:
		if !r.Access.Writes() {
			return r, false
		}
		r.How = ByRename
	}
	return r, true
}

// throughOverlay: the lower layers of an overlay can be read, its upper one is
// written.
func (t *Tree) throughOverlay(l Located, p string, r Reach) (Reach, bool) {
	if p == l.Upper {
		r.Access = ReadWrite
		return r, true
	}
	r.Access = ReadOnly
	return r, r.Exists
}

// firstMountPoint returns how many components below l's root the first mount
// point on the way to rel lies (1 for a direct entry); found is false when there
// is none.
func (l Located) firstMountPoint(rel string) (depth int, found bool) {
	at := l.root.host
	for rest := rel; rest != ""; {
		name := rest[1:]
		if i := strings.IndexByte(name, '/'); i >= 0 {
			name, rest = name[:i], name[i:]
		} else {
			rest = ""
		}
		depth++
		at = path.Join(at, name)
		if l.children[file{host: at}] != nil {
			return depth, true
		}
	}
	return 0, false
}

// Widest returns the first of HostAccess, or a None.
func (t *Tree) Widest(h string) Reach {
	if ways := t.HostAccess(h); len(ways) > 0 {
		return ways[0]
	}
	return Reach{Access: None}
}
