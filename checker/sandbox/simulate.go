package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Config is what the simulation needs to know besides the options.
type Config struct {
	Host HostFS
	// Strict makes an unknown host fact an error, as a launch needs; without it
	// the simulation goes on with a guess and says so (Tree.Guessed).
	Strict bool
	Cwd    string // where relative sources start; absolute
	// Terminal is the device that descriptor 1 is, if it is one: --dev binds it
	// as console.
	Terminal string
	// Descriptor returns the host path of an open descriptor, for --bind-fd.
	Descriptor func(fd int) (string, error)
}

// SetupError says that bwrap would fail, or that ocjail will not follow it.
type SetupError struct {
	Option int // index in Sandbox.Options
	Name   string
	Path   string // the source or destination that fails
	Err    error
}

func (e *SetupError) Error() string { return fmt.Sprintf("%s %s: %v", e.Name, e.Path, e.Err) }

// Unwrap gives the cause: fs.ErrNotExist, ErrUnknown, ….
func (e *SetupError) Unwrap() error { return e.Err }

// EffectKind says how setting the jail up changes the host.
type EffectKind string

// The kinds of effect.
const (
	CreatesDir     EffectKind = "creates directory"
	CreatesFile    EffectKind = "creates file"
	CreatesSymlink EffectKind = "creates symbolic link"
	Truncates      EffectKind = "overwrites"
	ChangesMode    EffectKind = "changes the mode of"
)

// Effect is a change to the host's files that bwrap makes before the command
// starts, by working through a writable bind.
type Effect struct {
	Option int
	Kind   EffectKind
	Path   string // on the host
}

// LinkUse is a symbolic link in a writable host directory through which an
// operation's destination is reached: whoever writes there can steer it.
type LinkUse struct {
	Option int
	Link   string // host path
}

// Tree is the mount tree that bwrap builds from a Sandbox.
type Tree struct {
	Effects []Effect
	Links   []LinkUse
	// Guessed is set when host facts were unknown and taken to be harmless.
	guessed bool

	host    HostFS
	strict  bool
	made    map[string]Stat // what the simulation made on the host, by path
	mounts  []*Mount        // in the order in which they are made
	base    *Mount          // bwrap's staging root
	oldroot *Mount
	root    place // of the jail
	byOp    map[int]*Mount
	hostT   hostTree
	sources map[string]string // canonical sources by written ones
	located []Located         // memoised
	index   *index            // memoised
}

// Guessed tells whether a host fact was unknown, so that the tree is not certain.
func (t *Tree) Guessed() bool { return t.guessed }

// Mounts returns all mounts in the order in which they are made.
func (t *Tree) Mounts() []*Mount { return t.mounts }

// MountOf returns the mount that the option at index i made, or nil when it made
// none (a -try without source, a --dir).
func (t *Tree) MountOf(i int) *Mount { return t.byOp[i] }

// Simulate builds the mount tree step by step as setup_newroot in bubblewrap.c
// does. It returns *SetupError where bwrap would fail.
func (s *Sandbox) Simulate(c Config) (*Tree, error) {
	t := newTree(c)
	b := &builder{Tree: t, s: s, c: c, pidShared: s.Namespaces()["pid"] == "shared"}
	ops := s.Ops()
	real := make([]string, len(ops))
	for i, op := range ops { // bwrap resolves all sources before it mounts anything
		var err error
		if real[i], err = b.resolveSource(op); err != nil {
			return nil, b.fail(op, op.Source, err)
		}
	}
	for i, op := range ops {
		if op.Kind == OpBind && real[i] == "" {
			continue // a -try whose source is absent
		}
		if err := b.apply(op, real[i]); err != nil {
			return nil, b.fail(op, op.Dest, err)
		}
	}
	t.root = t.base.top(file{made: t.base.root.made.children["newroot"]})
	return t, nil
}

type builder struct {
	*Tree
	s         *Sandbox
	c         Config
	pidShared bool
}

func (b *builder) fail(op Op, at string, err error) error {
	return &SetupError{Option: op.Option, Name: b.s.Options[op.Option].Name, Path: at, Err: err}
}

// newTree builds the staging root: a tmpfs with newroot, mounted onto itself, and
// oldroot, the host's own tree.
func newTree(c Config) *Tree {
	t := &Tree{host: c.Host, strict: c.Strict, made: map[string]Stat{}, byOp: map[int]*Mount{}, sources: map[string]string{}}
	staging := newDir()
	newroot := staging.add("newroot", newDir())
	oldroot := staging.add("oldroot", newDir())
	t.base = &Mount{Option: -1, Kind: MountTmpfs, root: file{made: staging}}
	t.mounts = append(t.mounts, t.base.attach(&Mount{Option: -1, Kind: MountTmpfs, root: file{made: newroot}}, file{made: newroot}))
	t.hostT = newHostTree(c.Host.Mounts())
	t.oldroot = t.base.attach(t.hostT.mount("/", Mount{Option: -1}, nil), file{made: oldroot})
	return t
}

// canonical resolves a source path as realpath(3) does; it is memoised.
func (t *Tree) canonical(p string) (string, error) {
	if real, ok := t.sources[p]; ok {
		return real, nil
	}
	w := &walker{tree: t, left: maxLinks, root: t.oldroot.top(file{host: "/"})}
	f, err := w.walk(w.root, p, true)
	if err == nil && f.missing {
		err = fs.ErrNotExist
	}
	if err != nil {
		return "", err
	}
	t.sources[p] = f.file.host
	return f.file.host, nil
}

// resolveSource returns the canonical host path of op's source, "" when it has
// none or may do without it.
func (b *builder) resolveSource(op Op) (string, error) {
	p := op.Source
	switch {
	case op.Kind == OpBind && op.FD >= 0:
		if b.c.Descriptor == nil {
			return "", fmt.Errorf("descriptor %d: %w", op.FD, ErrUnknown)
		}
		at, err := b.c.Descriptor(op.FD)
		if err != nil {
			return "", err
		}
		p = at
	case op.Kind == OpBind, op.Kind == OpOverlay && p != "":
	default:
		return "", nil
	}
	real, err := b.canonical(b.absolute(p))
	if op.Try && errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return real, err
}

func (b *builder) absolute(p string) string {
	if path.IsAbs(p) {
		return p
	}
	return b.c.Cwd + "/" + p
}

// apply does one operation. It mirrors the order in setup_newroot: first the
// parents of the destination, then the destination, then the mount.
func (b *builder) apply(op Op, src string) error {
	w := &walker{tree: b.Tree, left: maxLinks, root: place{b.base, b.base.root}}
	if op.Kind == OpChmod {
		return b.chmod(op, w)
	}
	dir, name, err := b.parents(op, w)
	if err != nil {
		return err
	}
	err = b.act(op, src, w, dir, name)
	for _, l := range w.links {
		if l.file.made == nil && l.mount != b.oldroot && !l.mount.ReadOnly {
			b.Links = append(b.Links, LinkUse{op.Option, l.file.host})
		}
	}
	return err
}

// parents makes the missing parents of the destination (mkdir_with_parents) and
// returns its directory and its last component.
func (b *builder) parents(op Op, w *walker) (place, string, error) {
	at := b.base.top(file{made: b.base.root.made.children["newroot"]})
	parts := strings.FieldsFunc(op.Dest, func(r rune) bool { return r == '/' })
	last := len(parts) - 1
	if strings.HasSuffix(op.Dest, "/") || last < 0 {
		last = len(parts)
	}
	for _, name := range parts[:last] {
		next, err := b.ensureDir(op, w, at, name)
		if err != nil {
			return place{}, "", err
		}
		at = next
	}
	if last == len(parts) {
		return at, ".", nil
	}
	return at, parts[last], nil
}

// ensureDir makes directory name in dir unless one is there; a link to one will
// do.
func (b *builder) ensureDir(op Op, w *walker, dir place, name string) (place, error) {
	f, err := w.walk(dir, name, true)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return place{}, err
	}
	if err == nil && !f.missing {
		if f.stat.Type != Dir && f.stat.Type != Unknown {
			return place{}, fmt.Errorf("%s: %w", b.describe(f.place), errNotDir)
		}
		return f.place, nil
	}
	if err != nil || f.name != name || f.place != dir {
		// A dangling link: mkdir(2) says EEXIST, which bwrap takes for success,
		// and the mount fails.
		return place{}, fmt.Errorf("%s: dangling symbolic link: %w", name, fs.ErrNotExist)
	}
	return b.create(op, dir, name, Stat{Type: Dir}, CreatesDir)
}

// create makes a file in directory dir, on the host or in memory.
func (b *builder) create(op Op, dir place, name string, st Stat, kind EffectKind) (place, error) {
	if dir.mount.ReadOnly {
		return place{}, fmt.Errorf("can not create %s in %s: %w", name, b.describe(dir), errReadOnly)
	}
	if n := dir.file.made; n != nil {
		if dir.mount.Upper != "" && len(n.layers) > 0 {
			b.effect(op, kind, path.Join(dir.mount.Upper, n.path(), name))
		}
		child := n.add(name, &node{typ: st.Type, target: st.Target, children: map[string]*node{}})
		return place{dir.mount, file{made: child}}, nil
	}
	p := path.Join(dir.file.host, name)
	b.effect(op, kind, p)
	b.made[p] = st
	return place{dir.mount, file{host: p}}, nil
}

func (b *builder) effect(op Op, kind EffectKind, p string) {
	b.Effects = append(b.Effects, Effect{op.Option, kind, p})
}
