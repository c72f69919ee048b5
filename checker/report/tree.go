package report

import (
	"path"
	"slices"
	"strings"
)

// node is a directory or mount point in the tree of a jail's mounts.
type node struct {
	name     string // may hold several components: directories that show nothing are joined
	path     string
	mount    *Mount
	children []*node
	implied  int // mounts that came with this one and differ in nothing
}

// mountTree arranges mounts, which are sorted by path.
func mountTree(mounts []Mount) *node {
	root := &node{name: "/", path: "/"}
	for i := range mounts {
		m := &mounts[i]
		if m.Implied && collapses(m, mounts) {
			if parent := root.find(path.Dir(m.Path)); parent != nil {
				parent.implied++
			}
			continue
		}
		root.insert(m)
	}
	root.join()
	return root
}

// collapses tells whether m, which came with another mount, is as accessible as
// that one, or a device of --dev.
func collapses(m *Mount, mounts []Mount) bool {
	if m.Cause.Option == "--dev" {
		return true
	}
	return slices.ContainsFunc(mounts, func(o Mount) bool { return !o.Implied && o.Cause == m.Cause && o.Access == m.Access })
}

// find returns the deepest node with a mount that p lies in.
func (n *node) find(p string) *node {
	for _, c := range n.children {
		if p == c.path || strings.HasPrefix(p, c.path+"/") {
			if found := c.find(p); found != nil {
				return found
			}
		}
	}
	if n.mount == nil {
		return nil
	}
	return n
}

func (n *node) insert(m *Mount) {
	for _, name := range strings.Split(strings.Trim(m.Path, "/"), "/") {
		if name == "" {
			break // m is the root
		}
		i := slices.IndexFunc(n.children, func(c *node) bool { return c.name == name })
		if i < 0 {
			n.children = append(n.children, &node{name: name, path: path.Join(n.path, name)})
			i = len(n.children) - 1
		}
		n = n.children[i]
	}
	n.mount = m
}

// join makes one node of each directory that is no mount point and its only child.
func (n *node) join() {
	slices.SortFunc(n.children, func(a, b *node) int { return strings.Compare(a.name, b.name) })
	for _, c := range n.children {
		c.join()
		if c.mount == nil && len(c.children) == 1 {
			only := c.children[0]
			only.name = c.name + "/" + only.name
			*c = *only
		}
	}
}

// row is one line of the tree.
type row struct {
	access       string
	branch, name string
	source, note string
}

// rows lists n and what is below it, drawn with the usual lines.
func (n *node) rows(p places) []row {
	return n.appendRows(nil, p, "", "")
}

func (n *node) appendRows(list []row, p places, branch, below string) []row {
	r := row{branch: branch, name: Escape(n.name)}
	if m := n.mount; m != nil {
		r.access, r.source, r.note = m.Access, source(m, p), note(m.Cause, n.path == "/")
		if n.implied > 0 {
			r.note += ", with " + plural(n.implied, "mount") + " inside it"
		}
	} else {
		r.name += "/"
	}
	list = append(list, r)
	for i, c := range n.children {
		if i < len(n.children)-1 {
			list = c.appendRows(list, p, below+"├─ ", below+"│  ")
		} else {
			list = c.appendRows(list, p, below+"└─ ", below+"   ")
		}
	}
	return list
}

// source says what a mount shows, when that is not the host's file of its name.
func source(m *Mount, p places) string {
	switch {
	case m.Kind == "overlay" && m.Source != "":
		return "overlay, changes to " + p.short(m.Source)
	case m.Kind == "overlay":
		return "overlay"
	case m.Kind == "data":
		return "data of a descriptor"
	case m.Kind != "host" || m.Source == m.Path:
		return ""
	}
	return "is " + p.short(m.Source)
}

// note says where a mount comes from, and why ocjail added it if it did.
func note(c Cause, root bool) string {
	where := c.Origin
	switch {
	case c.Option == "" && root:
		return "bwrap's own root"
	case where == "":
		where = c.Option
	}
	if c.Added == "" {
		return Escape(where)
	}
	verb, ok := map[string]string{"--bind": "pins: ", "--ro-bind": "protects: "}[c.Option]
	if !ok {
		verb = "ocjail: "
	}
	return verb + Escape(c.Added)
}

// places shortens host paths for people.
type places struct{ home, project string }

// short writes p relative to the project ("." or "./x") or the home ("~/x").
func (l places) short(p string) string {
	for _, place := range []struct{ dir, sign string }{{l.project, "."}, {l.home, "~"}} {
		if place.dir == "" || place.dir == "/" {
			continue
		}
		if rest, ok := strings.CutPrefix(p, place.dir); ok && (rest == "" || rest[0] == '/') {
			return Escape(place.sign + rest)
		}
	}
	return Escape(p)
}
