package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"
)

// Access is what a program in the jail can do with a path, as far as mounts
// decide it; permission bits may forbid more.
type Access string

// The kinds of access.
const (
	ReadWrite Access = "rw"      // writes change the host's files
	ReadOnly  Access = "ro"      // reads the host's files
	Device    Access = "dev"     // as rw, and device files work
	Scratch   Access = "scratch" // writable, gone with the jail
	Proc      Access = "proc"    // a kernel file system
	None      Access = "none"    // not there
)

// rank orders kinds of access by what the host has to fear from them.
var rank = map[Access]int{None: 0, Proc: 1, Scratch: 1, ReadOnly: 2, ReadWrite: 3, Device: 4}

// WiderThan tells whether a lets the jail do more to the host than b.
func (a Access) WiderThan(b Access) bool { return rank[a] > rank[b] }

// Writes tells whether a changes the host's files.
func (a Access) Writes() bool { return a == ReadWrite || a == Device }

// Access is what the jail can do with the files that m itself shows.
func (m *Mount) Access() Access {
	switch {
	case m.Kind == MountProc, m.Kind == MountKernel:
		return Proc
	case m.ReadOnly:
		return ReadOnly
	case m.Kind == MountHost && m.Devices:
		return Device
	case m.Kind == MountHost, m.Upper != "":
		return ReadWrite
	}
	return Scratch
}

// Reach is one way in which a path is reachable in the jail.
type Reach struct {
	Access Access
	Mount  *Mount // nil for none
	Inside string // the path in the jail
	Host   string // the host file behind it, or ""
	Exists bool
	Type   FileType
	How    How
}

// How says how a host path is reached.
type How string

// The ways to reach a host path.
const (
	ByMount  How = "mount"  // a mount shows it
	ByCreate How = "create" // it does not exist and can be created
	ByRename How = "rename" // a directory above it, no mount point itself, can be moved away and made anew
	ByAlias  How = "alias"  // a mount shows it under another name
	ByBelow  How = "below"  // a mount shows part of what lies below it
)

// Access tells what a program in the jail can do at the absolute path p there,
// as things stand. A path that does not exist has the access of the directory
// that it, or the first of its missing parents, would be made in, Exists unset;
// None means that neither opening nor mkdir -p would give it.
func (t *Tree) Access(p string) (Reach, error) {
	w := &walker{tree: t, left: maxLinks, root: t.root}
	f, err := w.walk(t.root, p, true)
	if errors.Is(err, fs.ErrNotExist) && f.missing {
		if strings.Contains(f.rest+"/", "../") {
			return Reach{}, fmt.Errorf("%s: %w: goes up from what does not exist: write it without \"..\"", p, ErrRefused)
		}
		err = nil
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) || errors.Is(err, errLoop) {
		return Reach{Access: None, Inside: p}, nil
	}
	if err != nil {
		return Reach{}, err
	}
	r := Reach{Access: f.mount.Access(), Mount: f.mount, Inside: p, Exists: !f.missing, Type: f.stat.Type, How: ByMount}
	if f.missing {
		r.Type, r.How = "", ByCreate
	}
	r.Host = f.host()
	return r, nil
}

// host returns the host file that f is, or would be.
func (f found) host() string {
	switch {
	case f.file.made != nil && f.mount.Upper != "":
		return path.Join(f.mount.Upper, f.file.made.path(), f.name, f.rest)
	case f.file.made != nil:
		return ""
	case f.missing:
		return path.Join(f.file.host, f.name, f.rest)
	}
	return f.file.host
}

// Located is a mount with where it is in the jail.
type Located struct {
	*Mount
	Point    string // mount point in the jail
	HiddenBy *Mount // what is mounted over it or above it; nil when it is visible
}

// Located returns every mount of the jail, parents before children, siblings in
// the order in which they were made.
func (t *Tree) Located() []Located { return t.located() }

func (t *Tree) locate() (located []Located) {
	points := map[*Mount]string{t.mounts[0]: "/"}
	for _, m := range t.mounts {
		if m != t.mounts[0] {
			parent, ok := points[m.parent]
			if !ok {
				continue // mounted below the old root, which is gone
			}
			rel, _ := below(m.parent.root, m.at)
			points[m] = path.Join(parent, rel)
		}
		hidden := m.children[m.root]
		if hidden == nil {
			hidden = t.buriedBy(m)
		}
		located = append(located, Located{Mount: m, Point: points[m], HiddenBy: hidden})
	}
	return located
}

// Visible yields, in the order of Located, the mounts that the jail can look into:
// nothing hides them, or the jail can bring them to light.
func (t *Tree) Visible() iter.Seq[Located] {
	return func(yield func(Located) bool) {
		for _, l := range t.Located() {
			if (l.HiddenBy == nil || t.surfaces(l.Mount)) && !yield(l) {
				return
			}
		}
	}
}

// buriedBy returns the mount that hides the way to m's mount point, or nil: one
// on a directory above it.
func (t *Tree) buriedBy(m *Mount) *Mount {
	for ; m != t.mounts[0]; m = m.parent {
		for f := m.at; f != m.parent.root; {
			f = place{m.parent, f}.up().file
			if c := m.parent.children[f]; c != nil {
				return c
			}
		}
	}
	return nil
}

// surfaces tells whether m, buried below another mount, can be brought to light: a
// directory between the two is moved away through another, writable name of it,
// and m goes with it.
func (t *Tree) surfaces(m *Mount) bool {
	if m.children[m.root] != nil || m == t.mounts[0] || m.parent.Kind != MountHost || m.at.host == "" {
		return false
	}
	between := path.Dir(m.at.host)
	if between == m.parent.root.host || m.parent.children[file{host: between}] != nil {
		return false
	}
	at := t.spot(between)
	return slices.ContainsFunc(t.Located(), func(l Located) bool {
		if l.HiddenBy != nil || l.Kind != MountHost || l.Mount == m.parent || !l.Access().Writes() {
			return false
		}
		s := t.spot(l.Source)
		_, shows := Below(s.path, at.path)
		return shows && s.major == at.major && s.minor == at.minor
	})
}

// InJail returns Located without what bwrap leaves behind when a bind onto the
// jail's "/" takes the place of its own root.
func (t *Tree) InJail() []Located {
	var list []Located
	for _, l := range t.Located() {
		m := l.Mount
		for m != nil && m != t.root.mount {
			m = m.parent
		}
		if m != nil {
			list = append(list, l)
		}
	}
	return list
}

// Point returns where m is mounted in the jail, "" when it is not in the jail.
func (t *Tree) Point(m *Mount) string {
	for _, l := range t.Located() {
		if l.Mount == m {
			return l.Point
		}
	}
	return ""
}
