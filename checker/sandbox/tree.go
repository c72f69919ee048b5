package sandbox

import "strings"

// file is a file in some file system: one of the host's by its canonical host
// path, or one that bwrap makes. Exactly one of the two is set.
type file struct {
	host string
	made *node
}

// node is a file in a file system that bwrap makes.
type node struct {
	typ      FileType
	target   string // of a symbolic link
	parent   *node
	name     string
	children map[string]*node // nil while there are none
	// layers are the host directories that an overlay's directory shows, top
	// first.
	layers []string
	// opaque marks a kernel file system (procfs, mqueue, devpts), whose content
	// is taken to exist, whatever name is asked for.
	opaque bool
}

func newDir() *node { return &node{typ: Dir} }

func (n *node) add(name string, child *node) *node {
	child.parent, child.name = n, name
	if n.children == nil {
		n.children = map[string]*node{}
	}
	n.children[name] = child
	return child
}

// path returns the node's path from its file system's root, "" for the root.
func (n *node) path() string {
	if n.parent == nil {
		return ""
	}
	return n.parent.path() + "/" + n.name
}

// MountKind is the kind of file system that a mount shows.
type MountKind string

// The kinds of mount.
const (
	MountHost    MountKind = "host"    // files of the host
	MountTmpfs   MountKind = "tmpfs"   // in memory, gone with the jail
	MountProc    MountKind = "proc"    // the jail's own procfs
	MountKernel  MountKind = "kernel"  // mqueue, devpts
	MountOverlay MountKind = "overlay" // layers of host directories
	MountData    MountKind = "data"    // a file made from a descriptor
)

// Mount is one mount of the tree that bwrap builds.
type Mount struct {
	Option   int // index in Sandbox.Options of what made it; -1 for bwrap's own root
	Kind     MountKind
	Source   string // canonical host path shown at its root; "" when not MountHost
	Upper    string // host directory that an overlay writes to, or ""
	ReadOnly bool   // flag of the mount, or of the file system below it
	Flag     bool   // the mount's own read-only flag, as mountinfo shows it
	Devices  bool
	// Implied marks mounts that come with another: submounts of a bind's source,
	// what --dev and --proc mount inside.
	Implied bool
	Shared  bool // the source is on a mount that may receive others later

	root     file
	under    *HostMount // the host's mount that Source lies on; nil when unknown
	work     string     // directory that an overlay with an upper one keeps files in
	parent   *Mount
	at       file // where it is mounted, in the parent's file system
	children map[file]*Mount
}

// attach mounts child on f of m. The caller resolved f through mounts, so that
// nothing is mounted there yet.
func (m *Mount) attach(child *Mount, f file) *Mount {
	child.parent, child.at = m, f
	if m.children == nil {
		m.children = map[file]*Mount{}
	}
	m.children[f] = child
	return child
}

// top returns what is seen at f of m: the root of the topmost mount there, or f.
func (m *Mount) top(f file) place {
	for {
		child, ok := m.children[f]
		if !ok {
			return place{m, f}
		}
		m, f = child, child.root
	}
}

// place is a file as reached through a mount.
type place struct {
	mount *Mount
	file  file
}

// up returns the parent directory of p, crossing mount points downwards to what
// they are mounted on, as ".." does.
func (p place) up() place {
	for p.file == p.mount.root {
		if p.mount.parent == nil {
			return p
		}
		p = place{p.mount.parent, p.mount.at}
	}
	if p.file.made != nil {
		return place{p.mount, file{made: p.file.made.parent}}
	}
	return place{p.mount, file{host: parentOf(p.file.host)}}
}

// below returns the path of f relative to root, both of one file system; ok is
// false when f is not at or below root. The root itself gives "".
func below(root, f file) (rel string, ok bool) {
	if root.made != nil || f.made != nil {
		if root.made == nil || f.made == nil {
			return "", false
		}
		for n, rel := f.made, ""; n != nil; n = n.parent {
			if n == root.made {
				return rel, true
			}
			rel = "/" + n.name + rel
		}
		return "", false
	}
	return Below(root.host, f.host)
}

// Below returns what is left of the clean absolute path p after dir, with its
// leading slash; ok is false when p is not dir or below it.
func Below(dir, p string) (rest string, ok bool) {
	if dir == "/" {
		if p == "/" {
			return "", true
		}
		return p, strings.HasPrefix(p, "/")
	}
	rest, ok = strings.CutPrefix(p, dir)
	return rest, ok && (rest == "" || rest[0] == '/')
}

// join appends rest, "" or with a leading slash, to the clean path dir.
func join(dir, rest string) string {
	switch {
	case rest == "":
		return dir
	case dir == "/":
		return rest
	}
	return dir + rest
}

// parentOf returns the directory that the clean path p is in; "/" for "/".
func parentOf(p string) string {
	if i := strings.LastIndexByte(p, '/'); i > 0 {
		return p[:i]
	}
	return "/"
}

// Parent returns the mount that m is mounted on, nil for the topmost one.
func (m *Mount) Parent() *Mount { return m.parent }

// Written returns the host directory whose files change when m is written to: a
// bind's source or an overlay's upper layer, else "".
func (m *Mount) Written() string {
	if m.Upper != "" {
		return m.Upper
	}
	return m.Source
}

// Layers returns the host directories that an overlay shows, top first, the one
// that it writes to among them, and its work directory, "" for none.
func (m *Mount) Layers() (layers []string, work string) {
	if m.Kind != MountOverlay {
		return nil, ""
	}
	return m.root.made.layers, m.work
}
