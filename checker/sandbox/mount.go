package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
)

// act does the operation itself in directory dir, on its entry name.
func (b *builder) act(op Op, src origin, w *walker, dir place, name string) error {
	switch op.Kind {
	case OpBind:
		return b.bind(op, src.path, w, dir, name)
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
		data := &node{typ: Regular}
		return b.mount(&Mount{Option: op.Option, Kind: MountData, ReadOnly: op.ReadOnly, Flag: op.ReadOnly, root: file{made: data}}, at)
	}
	at, err := b.ensureDir(op, w, dir, name)
	if err != nil {
		return err
	}
	switch op.Kind {
	case OpDir:
		return nil
	case OpTmpfs:
		return b.mount(&Mount{Option: op.Option, Kind: MountTmpfs, root: file{made: newDir()}}, at)
	case OpMqueue:
		if b.isMqueue(at) {
			return errors.New("an mqueue is mounted there already, and one IPC namespace has only one (EBUSY, mount(2))")
		}
		return b.mount(&Mount{Option: op.Option, Kind: MountKernel, root: file{made: opaqueDir()}}, at)
	case OpProc:
		return b.proc(op, at)
	case OpDev:
		return b.dev(op, at)
	case OpOverlay:
		return b.overlay(op, src, at)
	}
	return fmt.Errorf("operation %q is not modelled", op.Kind)
}

// isMqueue tells whether what is seen at p is the root of an --mqueue.
func (b *builder) isMqueue(p place) bool {
	p = p.mount.top(p.file)
	return p.mount.Kind == MountKernel && p.file == p.mount.root && b.s.Options[p.mount.Option].Name == "--mqueue"
}

func opaqueDir() *node { return &node{typ: Dir, opaque: true} }

// mountable returns the topmost place at p, if one can mount there: the kernel
// mounts nothing on a file that is deleted, which those of --bind-data are.
func (b *builder) mountable(p place) (place, error) {
	p = p.mount.top(p.file)
	if p.mount.Kind == MountData {
		return p, errors.New("nothing can be mounted on what --bind-data or --ro-bind-data made")
	}
	return p, b.inside(p)
}

// mount attaches m at a place that was reached through mounts.
func (b *builder) mount(m *Mount, at place) error {
	at, err := b.mountable(at)
	if err != nil {
		return err
	}
	at.mount.attach(m, at.file)
	b.mounts = append(b.mounts, m)
	if !m.Implied {
		b.byOp[m.Option] = m
	}
	return nil
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
	return b.bindTree(Mount{Option: op.Option, ReadOnly: op.ReadOnly, Devices: op.Devices}, src, at)
}

// bindTree binds the host's src and what is mounted below it.
func (b *builder) bindTree(proto Mount, src string, at place) error {
	at, err := b.mountable(at)
	if err != nil {
		return err
	}
	var all []*Mount
	m := b.hostT.mount(src, proto, &all)
	at.mount.attach(m, at.file)
	b.mounts = append(b.mounts, all...)
	b.byOp[proto.Option] = m
	return nil
}

// remount makes one mount read-only, not those below it.
func (b *builder) remount(w *walker, dir place, name string) error {
	f, err := w.walk(dir, name, true)
	if err != nil {
		return err
	}
	switch {
	case f.missing:
		return fs.ErrNotExist
	case f.mount.Kind == MountData:
		return errors.New("bwrap can not remount what --bind-data or --ro-bind-data made")
	case f.file != f.mount.root:
		return fmt.Errorf("%s: %w", b.describe(f.place), errNotMount)
	}
	if err := b.inside(f.place); err != nil {
		return err
	}
	f.mount.ReadOnly, f.mount.Flag = true, true
	return nil
}

func (b *builder) symlink(op Op, dir place, name string) error {
	w := &walker{tree: b.Tree, left: maxLinks, root: place{b.base, b.base.root}}
	if op.Source == "" {
		return errors.New("a symbolic link needs a target")
	}
	f, err := w.walk(dir, name, false)
	if err != nil {
		return err
	}
	if f.missing {
		_, err = b.create(op, f.place, f.name, Stat{Type: Symlink, Target: op.Source}, CreatesSymlink)
		return err
	}
	if f.stat.Type == Symlink && f.stat.Target == op.Source || f.stat.Type == Unknown {
		return b.ordinary(f)
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
	case f.stat.Type != Regular:
		return fmt.Errorf("%s: %w: what writing to a %s does can not be told", b.describe(f.place), ErrRefused, f.stat.Type)
	}
	return b.change(op, f, Truncates)
}

func (b *builder) chmod(op Op, w *walker) error {
	f, err := w.walk(b.newroot(), op.Dest, true)
	if err == nil && f.missing {
		err = fs.ErrNotExist
	}
	if err != nil {
		return err
	}
	return b.change(op, f, ChangesMode)
}

// proc mounts a new procfs, or the host's where its processes are visible
// anyway. bwrap also covers some entries with themselves, read-only; whether a
// given one needs it depends on the user, so they are not modelled one by one.
func (b *builder) proc(op Op, at place) error {
	if !b.ownProc {
		return b.bindTree(Mount{Option: op.Option, Kind: MountProc}, "/proc", at)
	}
	return b.mount(&Mount{Option: op.Option, Kind: MountProc, root: file{made: opaqueDir()}}, at)
}

// devNodes are the device files that bwrap binds below --dev (bubblewrap.c).
var devNodes = []string{"null", "zero", "full", "random", "urandom", "tty"}

// devLinks are the symbolic links that it makes there.
var devLinks = map[string]string{
	"stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
	"fd": "/proc/self/fd", "core": "/proc/kcore", "ptmx": "pts/ptmx",
}

func (b *builder) dev(op Op, at place) error {
	dir := newDir()
	dev := &Mount{Option: op.Option, Kind: MountTmpfs, root: file{made: dir}}
	if err := b.mount(dev, at); err != nil {
		return err
	}
	var errs []error
	inside := func(m *Mount, n *node) {
		m.Option, m.Implied = op.Option, true
		errs = append(errs, b.mount(m, place{dev, file{made: n}}))
	}
	device := func(name, source string) {
		inside(&Mount{Kind: MountHost, Devices: true, Source: source, root: file{host: source}}, dir.add(name, &node{typ: Regular}))
	}
	for _, name := range devNodes {
		device(name, "/dev/"+name)
	}
	for name, target := range devLinks {
		dir.add(name, &node{typ: Symlink, target: target})
	}
	dir.add("shm", newDir())
	inside(&Mount{Kind: MountKernel, root: file{made: opaqueDir()}}, dir.add("pts", newDir()))
	if b.c.Terminal != "" {
		device("console", b.c.Terminal)
	}
	return errors.Join(errs...)
}
