package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// act does the operation itself in directory dir, on its entry name.
func (b *builder) act(op Op, src string, w *walker, dir place, name string) error {
	switch op.Kind {
	case OpBind:
		return b.bind(op, src, w, dir, name)
	case OpRemount:
		return b.remount(w, dir, name)
	case OpSymlink:
		return b.symlink(op, dir, name)
	case OpFile:
		return b.file(op, w, dir, name)
	case OpData:
		at, err := b.ensureFile(op, w, dir, name)
		if err != nil {
			return err
		}
		data := &node{typ: Regular, children: map[string]*node{}}
		b.mount(&Mount{Option: op.Option, Kind: MountData, ReadOnly: op.ReadOnly, Flag: op.ReadOnly, root: file{made: data}}, at)
		return nil
	}
	at, err := b.ensureDir(op, w, dir, name)
	if err != nil {
		return err
	}
	switch op.Kind {
	case OpDir:
	case OpTmpfs:
		b.mount(&Mount{Option: op.Option, Kind: MountTmpfs, root: file{made: newDir()}}, at)
	case OpMqueue:
		b.mount(&Mount{Option: op.Option, Kind: MountKernel, root: file{made: opaqueDir()}}, at)
	case OpProc:
		b.proc(op, at)
	case OpDev:
		b.dev(op, at)
	case OpOverlay:
		return b.overlay(op, src, at)
	default:
		return fmt.Errorf("operation %q is not modelled", op.Kind)
	}
	return nil
}

func opaqueDir() *node { return &node{typ: Dir, opaque: true, children: map[string]*node{}} }

// mount attaches m at a place that was reached through mounts.
func (b *builder) mount(m *Mount, at place) *Mount {
	at = at.mount.top(at.file)
	at.mount.attach(m, at.file)
	b.mounts = append(b.mounts, m)
	if !m.Implied {
		b.byOp[m.Option] = m
	}
	return m
}

func (b *builder) bind(op Op, src string, w *walker, dir place, name string) error {
	st, err := b.lstat(src)
	if err != nil {
		return err
	}
	var at place
	switch st.Type {
	case Dir:
		at, err = b.ensureDir(op, w, dir, name)
	case Unknown:
		at, err = b.ensureAny(op, w, dir, name)
	default:
		at, err = b.ensureFile(op, w, dir, name)
	}
	if err != nil {
		return err
	}
	b.bindTree(Mount{Option: op.Option, ReadOnly: op.ReadOnly, Devices: op.Devices}, src, at)
	return nil
}

// bindTree binds the host's src and what is mounted below it.
func (b *builder) bindTree(proto Mount, src string, at place) {
	at = at.mount.top(at.file)
	var all []*Mount
	m := b.hostT.mount(src, proto, &all)
	at.mount.attach(m, at.file)
	b.mounts = append(b.mounts, all...)
	if !proto.Implied {
		b.byOp[proto.Option] = m
	}
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
	return f.place, nil
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

// remount makes one mount read-only, not those below it.
func (b *builder) remount(w *walker, dir place, name string) error {
	f, err := w.walk(dir, name, true)
	if err != nil {
		return err
	}
	if f.missing {
		return fs.ErrNotExist
	}
	if f.file != f.mount.root {
		return fmt.Errorf("%s: %w", b.describe(f.place), errNotMount)
	}
	f.mount.ReadOnly, f.mount.Flag = true, true
	return nil
}

func (b *builder) symlink(op Op, dir place, name string) error {
	w := &walker{tree: b.Tree, left: maxLinks, root: place{b.base, b.base.root}}
	f, err := w.walk(dir, name, false)
	if err != nil {
		return err
	}
	if f.missing {
		_, err = b.create(op, f.place, f.name, Stat{Type: Symlink, Target: op.Source}, CreatesSymlink)
		return err
	}
	if f.stat.Type == Symlink && f.stat.Target == op.Source || f.stat.Type == Unknown {
		return nil
	}
	return fmt.Errorf("%s: %w and is no link to %s", b.describe(f.place), errExists, op.Source)
}

// file writes a file, truncating one that is there.
func (b *builder) file(op Op, w *walker, dir place, name string) error {
	f, err := w.walk(dir, name, true)
	if err != nil {
		return err
	}
	switch {
	case f.missing:
		_, err = b.create(op, f.place, f.name, Stat{Type: Regular}, CreatesFile)
		return err
	case f.stat.Type == Dir:
		return fmt.Errorf("%s: %w", b.describe(f.place), errIsDir)
	case f.mount.ReadOnly:
		return fmt.Errorf("%s: %w", b.describe(f.place), errReadOnly)
	case f.file.made == nil:
		b.effect(op, Truncates, f.file.host)
	}
	return nil
}

func (b *builder) chmod(op Op, w *walker) error {
	start := b.base.top(file{made: b.base.root.made.children["newroot"]})
	f, err := w.walk(start, op.Dest, true)
	if err == nil && f.missing {
		err = fs.ErrNotExist
	}
	if err != nil {
		return err
	}
	if f.mount.ReadOnly {
		return fmt.Errorf("%s: %w", b.describe(f.place), errReadOnly)
	}
	if f.file.made == nil {
		b.effect(op, ChangesMode, f.file.host)
	}
	return nil
}

// proc mounts a new procfs, or the host's where its processes are visible
// anyway. bwrap also covers some entries with themselves, read-only; whether a
// given one needs it depends on the user, so they are not modelled one by one.
func (b *builder) proc(op Op, at place) {
	if b.pidShared {
		b.bindTree(Mount{Option: op.Option, Kind: MountProc}, "/proc", at)
		return
	}
	b.mount(&Mount{Option: op.Option, Kind: MountProc, root: file{made: opaqueDir()}}, at)
}

// devNodes are the device files that bwrap binds below --dev (bubblewrap.c).
var devNodes = []string{"null", "zero", "full", "random", "urandom", "tty"}

// devLinks are the symbolic links that it makes there.
var devLinks = map[string]string{
	"stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
	"fd": "/proc/self/fd", "core": "/proc/kcore", "ptmx": "pts/ptmx",
}

func (b *builder) dev(op Op, at place) {
	dir := newDir()
	dev := b.mount(&Mount{Option: op.Option, Kind: MountTmpfs, root: file{made: dir}}, at)
	inside := func(m *Mount, n *node) {
		m.Option, m.Implied = op.Option, true
		b.mount(m, place{dev, file{made: n}})
	}
	for _, name := range devNodes {
		n := dir.add(name, &node{typ: Regular})
		inside(&Mount{Kind: MountHost, Devices: true, Source: "/dev/" + name, root: file{host: "/dev/" + name}}, n)
	}
	for name, target := range devLinks {
		dir.add(name, &node{typ: Symlink, target: target})
	}
	dir.add("shm", newDir())
	inside(&Mount{Kind: MountKernel, root: file{made: opaqueDir()}}, dir.add("pts", newDir()))
	if tty := b.c.Terminal; tty != "" {
		n := dir.add("console", &node{typ: Regular})
		inside(&Mount{Kind: MountHost, Devices: true, Source: tty, root: file{host: tty}}, n)
	}
}

// overlay mounts layers of host directories; src is the upper one of --overlay.
func (b *builder) overlay(op Op, src string, at place) error {
	root := &node{typ: Dir, children: map[string]*node{}}
	if src != "" {
		root.layers = append(root.layers, src)
	}
	for i := len(op.Lower) - 1; i >= 0; i-- {
		real, err := b.canonical(b.absolute(op.Lower[i]))
		if err != nil {
			return fmt.Errorf("layer %s: %w", op.Lower[i], err)
		}
		root.layers = append(root.layers, real)
	}
	for _, l := range append([]string{op.Work}, root.layers...) {
		if strings.Contains(l, "\x00") {
			return errors.New("layer holds a NUL")
		}
	}
	b.mount(&Mount{Option: op.Option, Kind: MountOverlay, ReadOnly: op.ReadOnly, Flag: op.ReadOnly, Upper: src, root: file{made: root}}, at)
	return nil
}
