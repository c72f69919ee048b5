package sandbox

import "slices"

// hostTree is the host's mount table as a tree.
type hostTree struct {
	root     *HostMount
	byID     map[int]*HostMount
	children map[int][]*HostMount // by parent ID, in table order
}

func newHostTree(table []HostMount) hostTree {
	t := hostTree{byID: map[int]*HostMount{}, children: map[int][]*HostMount{}}
	for i := range table {
		t.byID[table[i].ID] = &table[i]
	}
	for i := range table {
		m := &table[i]
		if m.Point == "/" && (t.byID[m.Parent] == nil || m.Parent == m.ID) && t.root == nil {
			t.root = m
			continue
		}
		t.children[m.Parent] = append(t.children[m.Parent], m)
	}
	return t
}

// covering returns the mount that path p, canonical, lies on; nil when unknown.
func (t hostTree) covering(p string) *HostMount {
	at := t.root
	for at != nil {
		next := t.descend(at, p)
		if next == nil {
			return at
		}
		at = next
	}
	return nil
}

// spot is a place in a file system, whichever mount one sees it through.
type spot struct {
	major, minor uint32
	path         string
}

// spot returns where p, which lies on m, is in m's file system. Without a mount
// table (m is nil) paths stand for themselves.
func (m *HostMount) spot(p string) spot {
	if m == nil {
		return spot{path: p}
	}
	rest, _ := Below(m.Point, p)
	return spot{m.Major, m.Minor, join(m.root(), rest)}
}

// root returns the directory of its file system that m shows; "/" for nil.
func (m *HostMount) root() string {
	if m == nil || m.Root == "" {
		return "/"
	}
	return m.Root
}

// parent returns the mount that m is mounted on, nil for the root.
func (t hostTree) parent(m *HostMount) *HostMount {
	if m == nil || m == t.root {
		return nil
	}
	return t.byID[m.Parent]
}

// mountedBelow tells whether anything is mounted below the canonical path p.
func (t hostTree) mountedBelow(p string) bool {
	on := t.covering(p)
	return on != nil && slices.ContainsFunc(t.children[on.ID], func(c *HostMount) bool {
		_, in := Below(p, c.Point)
		return in
	})
}

// descend returns the child of m on the way to p that lies nearest to m's root,
// or nil. Among those at one point there is only one child of m.
func (t hostTree) descend(m *HostMount, p string) *HostMount {
	var best *HostMount
	for _, c := range t.children[m.ID] {
		if _, ok := Below(c.Point, p); ok && (best == nil || len(c.Point) < len(best.Point)) {
			best = c
		}
	}
	return best
}

// mount returns proto as a recursive bind of src, submounts attached, and
// appends what it made to all. Flags are those of mount(8): a read-only mount of
// the host stays so, and bwrap makes those below a read-only bind read-only too.
func (t hostTree) mount(src string, proto Mount, all *[]*Mount) *Mount {
	under := t.covering(src)
	m := t.one(src, proto, under)
	if all != nil {
		*all = append(*all, m)
	}
	if under != nil {
		t.submounts(m, src, proto, under, all)
	}
	return m
}

// covered tells whether another mount lies on the root of m. bwrap leaves the flags of
// such a one as they are, which it can not reach either (parse_mountinfo, bind-mount.c).
func (t hostTree) covered(m *HostMount) bool {
	return slices.ContainsFunc(t.children[m.ID], func(o *HostMount) bool { return o.Point == m.Point })
}

// beside tells whether a directory above the point of m, a child of under, was mounted
// on later. That covers m, and all that is mounted on m.
func (t hostTree) beside(m, under *HostMount) bool {
	return slices.ContainsFunc(t.children[under.ID], func(o *HostMount) bool {
		rest, in := Below(o.Point, m.Point)
		return in && rest != ""
	})
}

func (t hostTree) one(src string, proto Mount, under *HostMount) *Mount {
	m := proto
	if m.Kind == "" {
		m.Kind = MountHost
	}
	m.Source, m.root, m.under = src, file{host: src}, under
	m.Flag = proto.ReadOnly
	if under != nil {
		m.Flag = m.Flag || under.ReadOnly
		m.Shared = under.Shared
	}
	m.ReadOnly = m.Flag || under != nil && under.SuperRO
	return &m
}

// submounts attaches to m the host's mounts on under that lie below src.
func (t hostTree) submounts(m *Mount, src string, proto Mount, under *HostMount, all *[]*Mount) {
	for _, c := range t.children[under.ID] {
		if _, ok := Below(src, c.Point); !ok {
			continue
		}
		on := proto
		on.ReadOnly = proto.ReadOnly && !t.beside(c, under)
		sub := on
		sub.Implied, sub.ReadOnly = true, on.ReadOnly && !t.covered(c)
		child := m.attach(t.one(c.Point, sub, c), file{host: c.Point})
		if all != nil {
			*all = append(*all, child)
		}
		t.submounts(child, c.Point, on, c, all)
	}
}
