package sandbox

import (
	"cmp"
	"slices"
	"strings"
)

// index finds mounts by what they show of the host.
type index struct {
	at    map[spot][]shown  // at their root, by where it lies in its file system
	byID  map[ID][]shown    // the same, by identity
	above map[key][]Located // that show something below this directory
	// spots and ids are at and byID for a directory and all above it, memoised: the
	// paths that are asked for share most of them.
	spots map[spot][]anchor
	ids   map[string][]anchor
}

// anchor is a mount that shows the host's directory dir; of spots it is the directory
// in its file system.
type anchor struct {
	shown
	dir string
}

// shown is a mount with the host directory (or file) that it shows at its root;
// an overlay has several.
type shown struct {
	Located
	source string
	spot   spot
}

// key identifies a host file: by device and inode, or by path where these are
// unknown.
type key struct {
	id   ID
	path string
}

func keyOf(p string, id ID) key {
	if id != (ID{}) {
		return key{id: id}
	}
	return key{path: p}
}

// id returns the identity of a host file, zero when it is not known.
func (t *Tree) id(p string) ID {
	st, err := t.lstat(p)
	if err != nil {
		return ID{}
	}
	return st.ID()
}

func (t *Tree) buildIndex() *index {
	x := &index{at: map[spot][]shown{}, byID: map[ID][]shown{}, above: map[key][]Located{}, spots: map[spot][]anchor{}, ids: map[string][]anchor{}}
	for l := range t.Visible() {
		for _, src := range l.sources() {
			s := shown{l, src, t.spot(src)}
			x.at[s.spot] = append(x.at[s.spot], s)
			if id := t.id(src); id != (ID{}) {
				x.byID[id] = append(x.byID[id], s)
			}
			for p := src; p != "/"; {
				p = parentOf(p)
				k := keyOf(p, t.id(p))
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
		if l.work != "" {
			return append([]string{l.work}, l.root.made.layers...)
		}
		return l.root.made.layers
	}
	return nil
}

// Index makes what HostAccess looks things up in, once. Who has time may call it before.
func (t *Tree) Index() {
	if t.index == nil {
		t.index = t.buildIndex()
	}
}

// HostAccess returns every way in which the jail reaches the canonical host path
// h, widest first. It need not exist. Another name of the same directory counts,
// by the host's mount table as well as by device and inode. Other hard links of a
// file do not: nothing tells their names (see Stat.Nlink).
func (t *Tree) HostAccess(h string) []Reach {
	t.Index()
	ways, known := t.ways[h]
	if !known {
		ways = t.hostAccess(h)
		t.ways[h] = ways
	}
	return ways
}

func (t *Tree) hostAccess(h string) []Reach {
	st, err := t.lstat(h)
	exists := err == nil
	var ways []Reach
	add := func(r Reach, ok bool) {
		same := func(w Reach) bool { return w.Mount == r.Mount && w.Inside == r.Inside }
		if ok && !slices.ContainsFunc(ways, same) {
			ways = append(ways, r)
		}
	}
	on := t.hostT.covering(h)
	t.eachAt(h, on, st.ID(), func(s shown, rel string) { add(s.through(rel, h, exists, on)) })
	for above := t.hostT.parent(on); above != nil; on, above = above, t.hostT.parent(above) {
		tail, _ := Below(on.Point, h)
		t.eachAt(on.Point, above, t.id(on.Point), func(s shown, rel string) { add(s.aroundMount(rel, tail, h, exists, above)) })
	}
	if exists {
		for _, l := range t.index.above[keyOf(h, st.ID())] {
			ways = append(ways, Reach{Access: l.Access(), Mount: l.Mount, Inside: l.Point, Host: l.Source, Exists: true, How: ByBelow})
		}
	}
	slices.SortStableFunc(ways, func(a, b Reach) int { return cmp.Compare(rank[b.Access], rank[a.Access]) })
	return ways
}

// eachAt calls f with every mount that shows p, whose identity is id, of the host's
// mount on, or a directory above it there, and with p's path below that. Two names of a
// directory have one spot in its file system; where the mount table does not
// tell so, their identity does.
func (t *Tree) eachAt(p string, on *HostMount, id ID, f func(s shown, rel string)) {
	whole := on.spot(p)
	for _, s := range t.index.at[whole] {
		f(s, "")
	}
	for _, a := range t.index.aboveSpot(whole) {
		rel, _ := Below(a.dir, whole.path)
		f(a.shown, rel)
	}
	if t.hostT.covering(p) != on {
		return
	}
	if id != (ID{}) {
		for _, s := range t.index.byID[id] {
			f(s, "")
		}
	}
	for _, a := range t.aboveFile(p, on) {
		rel, _ := Below(a.dir, p)
		f(a.shown, rel)
	}
}

// aboveSpot returns the mounts that show a directory above at, the nearest first.
func (x *index) aboveSpot(at spot) []anchor {
	if at.path == "/" {
		return nil
	}
	at.path = parentOf(at.path)
	list, known := x.spots[at]
	if !known {
		list = anchored(x.at[at], at.path, x.aboveSpot(at))
		x.spots[at] = list
	}
	return list
}

// aboveFile likewise returns those that show a directory above p, by its identity, as
// far as it lies on the host's mount on.
func (t *Tree) aboveFile(p string, on *HostMount) []anchor {
	if p == "/" {
		return nil
	}
	p = parentOf(p)
	if t.hostT.covering(p) != on {
		return nil
	}
	list, known := t.index.ids[p]
	if !known {
		var here []shown
		if id := t.id(p); id != (ID{}) {
			here = t.index.byID[id]
		}
		list = anchored(here, p, t.aboveFile(p, on))
		t.index.ids[p] = list
	}
	return list
}

// anchored puts what shows dir before what shows directories above it.
func anchored(here []shown, dir string, above []anchor) []anchor {
	if len(here) == 0 {
		return above
	}
	list := make([]anchor, 0, len(here)+len(above))
	for _, s := range here {
		list = append(list, anchor{s, dir})
	}
	return append(list, above...)
}

// through tells how a mount reaches the host file h, which is rel below what it
// shows and lies on the host's mount on.
func (s shown) through(rel, h string, exists bool, on *HostMount) (Reach, bool) {
	r := Reach{Access: s.Access(), Mount: s.Mount, Inside: join(s.Point, rel), Host: h, Exists: exists, How: ByMount}
	if join(s.source, rel) != h {
		r.How = ByAlias
	}
	if s.Kind == MountOverlay {
		return s.throughOverlay(r)
	}
	if s.HiddenBy != nil {
		r.How = ByRename
		return r, exists || r.Access.Writes()
	}
	depth, hidden := s.firstMountPoint(rel)
	switch {
	case hidden:
		r.How = ByRename
		return r, r.Access.Writes() && s.moves(rel, depth-1, on)
	case !exists:
		r.How = ByCreate
		return r, r.Access.Writes()
	}
	return r, true
}

// aroundMount: the host's mount that h lies on is mounted at rel of on. Whoever
// moves a directory above that mount point away can make h's path anew.
func (s shown) aroundMount(rel, tail, h string, exists bool, on *HostMount) (Reach, bool) {
	r := Reach{Access: s.Access(), Mount: s.Mount, Inside: join(s.Point, rel+tail), Host: h, Exists: exists, How: ByRename}
	depth, hidden := s.firstMountPoint(rel)
	if !hidden {
		depth = strings.Count(rel, "/") + 1
	}
	return r, s.Kind == MountHost && r.Access.Writes() && s.moves(rel, depth-1, on)
}

// moves tells whether renaming one of the first n directories of rel moves what
// the host sees through its mount on. A mount point itself can not be renamed
// (EBUSY), and on stays on its directory whatever happens above that.
func (s shown) moves(rel string, n int, on *HostMount) bool {
	if n < 1 {
		return false
	}
	last := strings.Join(strings.SplitN(rel, "/", n+2)[:n+1], "/")
	rest, below := Below(on.root(), join(s.spot.path, last))
	return below && rest != ""
}

// throughOverlay: the lower layers of an overlay can be read, its upper one is
// written, and the kernel keeps files of its own in the work directory.
func (s shown) throughOverlay(r Reach) (Reach, bool) {
	if s.source != s.Upper && s.source != s.work {
		r.Access = ReadOnly
	}
	if !r.Exists {
		r.How = ByCreate
	}
	return r, r.Exists || r.Access.Writes()
}

// firstMountPoint returns how many components below l's root the first mount
// point on the way to rel lies (1 for a direct entry); found is false when there
// is none.
func (l Located) firstMountPoint(rel string) (depth int, found bool) {
	if len(l.children) == 0 {
		return 0, false
	}
	all := join(l.root.host, rel)
	for end := len(all) - len(rel); end < len(all); {
		next := strings.IndexByte(all[end+1:], '/')
		if end += 1 + next; next < 0 {
			end = len(all)
		}
		depth++
		if l.children[file{host: all[:end]}] != nil {
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
