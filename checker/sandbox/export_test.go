package sandbox

import "path"

// Entry is what rename(2) sees of a path.
type Entry struct {
	Exists   bool
	Writable bool // the directory that it is in
	Pinned   bool // something is mounted on it
	Overlay  bool
	Kernel   bool
	Host     string
}

// EntryAt describes the last component of p, not following it.
func (t *Tree) EntryAt(p string) (Entry, error) {
	w := &walker{tree: t, left: maxLinks, root: t.root}
	f, err := w.walk(t.root, path.Dir(p), true)
	if err != nil || f.missing {
		return Entry{}, err
	}
	dir := f.place
	e := Entry{Writable: !dir.mount.ReadOnly, Overlay: dir.mount.Kind == MountOverlay}
	e.Kernel = dir.mount.Access() == Proc
	entry, _, err := t.lookup(dir, path.Base(p))
	if err != nil {
		return e, nil
	}
	e.Exists, e.Host = true, entry.host
	for _, m := range t.mounts {
		e.Pinned = e.Pinned || t.inJail(m) && t.same(place{m.parent, m.at}, place{dir.mount, entry})
	}
	return e, nil
}

// inJail tells whether m is attached below the jail's root.
func (t *Tree) inJail(m *Mount) bool {
	for m = m.parent; m != nil; m = m.parent {
		if m == t.root.mount {
			return true
		}
	}
	return false
}

// same tells whether two files, each seen through a mount, are one.
func (t *Tree) same(a, b place) bool {
	if a.file.host == "" || b.file.host == "" {
		return a.file == b.file
	}
	return t.spotOf(a) == t.spotOf(b)
}

func (t *Tree) spotOf(p place) spot {
	s := p.mount.under.spot(p.mount.Source)
	rel, _ := below(p.mount.root, p.file)
	s.path = path.Join(s.path, rel)
	return s
}

// OperandCount returns how many words an option takes.
func OperandCount(name string) int { return len(specByName[name].Operands) }
