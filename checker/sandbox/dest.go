package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// parents makes the missing parents of the destination (mkdir_with_parents) and
// returns its directory and its last component.
func (b *builder) parents(op Op, w *walker) (place, string, error) {
	slash := strings.LastIndexByte(op.Dest, '/') + 1
	dir, last := op.Dest[:slash], op.Dest[slash:]
	isDir := last == ""
	if isDir {
		last = "."
	}
	if dir == b.recent.dir && len(b.mounts) == b.recent.mounts {
		return b.recent.at, last, nil
	}
	at := b.newroot()
	for name, rest := cutName(dir); name != ""; name, rest = cutName(rest) {
		next, err := b.ensureDir(op, w, at, name)
		if errors.Is(err, errDangling) && (rest != "" || !isDir) {
			err = fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		}
		if err != nil {
			return place{}, "", err
		}
		at = next
	}
	if len(w.links) == 0 {
		b.recent = parent{dir, len(b.mounts), at}
	}
	return at, last, nil
}

// parent is where the directory of a destination was found, without a link that the
// jail could replace. It is there until something else is mounted: many links are
// made in one folder, and nothing that an operation makes takes another's place.
type parent struct {
	dir    string
	mounts int // how many there were
	at     place
}

// ensureDir makes directory name in dir unless one is there; a link to one will
// do. A link to nothing is errDangling: mkdir(2) says EEXIST, which bwrap takes
// for success.
func (b *builder) ensureDir(op Op, w *walker, dir place, name string) (place, error) {
	f, err := w.walk(dir, name, true)
	switch {
	case err == nil && f.missing && f.name == name && f.place == dir:
		return b.create(op, dir, name, Stat{Type: Dir}, CreatesDir)
	case err == nil && f.missing, errors.Is(err, fs.ErrNotExist), errors.Is(err, errLoop), errors.Is(err, errNotDir):
		return place{}, fmt.Errorf("%s: %w", name, errDangling)
	case err != nil:
		return place{}, err
	case f.stat.Type != Dir && f.stat.Type != Unknown:
		return place{}, fmt.Errorf("%s: %w", b.describe(f.place), errNotDir)
	}
	return f.place, b.ordinary(f)
}

// ensureFile makes an empty file unless something that is no directory is there.
// Unlike mkdir, creat(2) follows a dangling link and makes its target.
func (b *builder) ensureFile(op Op, w *walker, dir place, name string) (place, error) {
	f, err := w.walk(dir, name, true)
	if err != nil {
		return place{}, err
	}
	if f.missing {
		return b.create(op, f.place, f.name, Stat{Type: Regular}, CreatesFile)
	}
	if f.stat.Type == Dir {
		return place{}, fmt.Errorf("%s: %w", b.describe(f.place), errIsDir)
	}
	return f.place, b.ordinary(f)
}

// ensureAny stands in for ensureDir or ensureFile when the source's type is not
// known: nothing can be said against what is there.
func (b *builder) ensureAny(op Op, w *walker, dir place, name string) (place, error) {
	f, err := w.walk(dir, name, true)
	if err != nil || !f.missing {
		return f.place, err
	}
	return b.create(op, f.place, f.name, Stat{Type: Unknown}, CreatesFile)
}

// ordinary refuses what lies in a kernel file system, for only the kernel knows
// what is there.
func (b *builder) ordinary(f found) error {
	if f.file.made != nil && f.stat.Type == Unknown {
		return fmt.Errorf("%s: %w: whether it exists in a new %s can not be told", b.describe(f.place), ErrRefused, f.mount.Kind)
	}
	return nil
}

// inside refuses a place outside the jail to be, which a destination reaches
// through ".." or through an absolute link: bwrap follows those from its staging
// root, where /oldroot is the host.
func (b *builder) inside(p place) error {
	for m := p.mount; m != nil; m = m.parent {
		if m == b.mounts[0] {
			return nil
		}
	}
	return fmt.Errorf("%s: %w: the destination leads out of the jail", b.describe(p), ErrRefused)
}

// writable is asked before anything is changed at p.
func (b *builder) writable(p place) error {
	if err := b.inside(p); err != nil {
		return err
	}
	if p.mount.Access() == Proc {
		return fmt.Errorf("%s: %w: what bwrap can make in a %s can not be told", b.describe(p), ErrRefused, p.mount.Kind)
	}
	if p.mount.ReadOnly {
		return fmt.Errorf("%s: %w", b.describe(p), errReadOnly)
	}
	return nil
}

// create makes a file in directory dir, on the host or in memory.
func (b *builder) create(op Op, dir place, name string, st Stat, kind EffectKind) (place, error) {
	if err := b.writable(dir); err != nil {
		return place{}, fmt.Errorf("can not create %s: %w", name, err)
	}
	if n := dir.file.made; n != nil {
		child := n.add(name, &node{typ: st.Type, target: st.Target})
		if dir.mount.Upper != "" {
			b.onHost(op, path.Join(b.upper(op, dir.mount, n), name), st, kind)
		}
		return place{dir.mount, file{made: child}}, nil
	}
	p := path.Join(dir.file.host, name)
	b.onHost(op, p, st, kind)
	return place{dir.mount, file{host: p}}, nil
}

// onHost notes that bwrap makes p on the host.
func (b *builder) onHost(op Op, p string, st Stat, kind EffectKind) {
	b.Effects = append(b.Effects, Effect{op.Option, kind, p})
	b.made[b.spot(p)] = st
}

// change notes a change to an existing file.
func (b *builder) change(op Op, f found, kind EffectKind) error {
	if err := b.writable(f.place); err != nil {
		return err
	}
	p := f.file.host
	if f.file.made != nil {
		if f.mount.Upper == "" {
			return nil
		}
		before := len(b.Effects)
		if p = b.upper(op, f.mount, f.file.made); len(b.Effects) > before {
			return nil // it was copied up, changed
		}
	}
	b.Effects = append(b.Effects, Effect{op.Option, kind, p})
	return nil
}

// upper returns where an overlay keeps its own copy of n, which it makes, parents
// first, when something below is changed.
func (b *builder) upper(op Op, m *Mount, n *node) string {
	if n == m.root.made {
		return m.Upper
	}
	p := path.Join(b.upper(op, m, n.parent), n.name)
	if _, err := b.lstat(p); errors.Is(err, fs.ErrNotExist) {
		kind := CreatesFile
		if n.typ == Dir {
			kind = CreatesDir
		}
		b.onHost(op, p, Stat{Type: n.typ, Target: n.target}, kind)
	}
	return p
}
