package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"sync"
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
	// Makes are directories of the host that are made before bwrap starts, where they
	// are absent; clean and absolute. When linting they count as there, and empty.
	Makes []string
	// Descriptor returns the host path of an open descriptor, for --bind-fd.
	Descriptor func(fd int) (string, error)
	// Like, when not nil, is the tree of a similar sandbox, made with the same Config:
	// sources of the same name are where they were found for it. Only where Strict is
	// set, for others can be guesses, each of which is told anew.
	Like *Tree
}

// SetupError says that bwrap would fail or, where Err is ErrRefused, that ocjail
// will not follow it.
type SetupError struct {
	Option int // index in Sandbox.Options
	Name   string
	Path   string // the source or destination that fails
	Err    error
}

func (e *SetupError) Error() string { return fmt.Sprintf("%s %s: %v", e.Name, e.Path, e.Err) }

// Unwrap gives the cause: fs.ErrNotExist, ErrUnknown, ErrRefused, ….
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

// LinkUse is a symbolic link of the host that the jail can replace, and through
// which an operation's destination is reached: an agent can steer it.
type LinkUse struct {
	Option int
	Link   string // host path
}

// Tree is the mount tree that bwrap builds from a Sandbox. It is for one goroutine at a
// time, but for Ops, Mounts, MountOf, Located, InJail and Point, which remember nothing.
type Tree struct {
	Effects []Effect
	Links   []LinkUse
	// Guessed is set when host facts were unknown and taken to be harmless.
	guessed bool

	host    HostFS
	strict  bool
	made    map[spot]Stat // what the simulation made on the host
	mounts  []*Mount      // in the order in which they are made
	base    *Mount        // bwrap's staging root
	oldroot *Mount
	root    place           // of the jail
	uppers  map[string]bool // upper and work directories of overlays so far
	ops     []Op
	byOp    map[int]*Mount
	hostT   hostTree
	sources map[string]string // canonical sources by written ones
	folders map[string]place  // of the host, that sources are in, reached without a link
	// absentee are sources that only another host has, when linting, and future those
	// that are made before the launch.
	absentee []string
	future   map[string]bool
	located  func() []Located   // once
	index    *index             // memoised
	ways     map[string][]Reach // memoised
}

// Guessed tells whether a host fact was unknown, so that the tree is not certain.
func (t *Tree) Guessed() bool { return t.guessed }

// Lacks returns the sources that this host lacks and the tree has guesses in place of.
func (t *Tree) Lacks() []string { return t.absentee }

// Mounts returns all mounts in the order in which they are made.
func (t *Tree) Mounts() []*Mount { return t.mounts }

// Ops returns the operations that made the tree, in bwrap's order.
func (t *Tree) Ops() []Op { return t.ops }

// MountOf returns the mount that the option at index i made, or nil when it made
// none (a -try without source, a --dir).
func (t *Tree) MountOf(i int) *Mount { return t.byOp[i] }

// Simulate builds the mount tree step by step as setup_newroot in bubblewrap.c
// does. It returns *SetupError where bwrap would fail, and where its outcome can
// not be told (ErrRefused, ErrUnknown).
func (s *Sandbox) Simulate(c Config) (*Tree, error) {
	t, err := newTree(c)
	if err != nil {
		return nil, err
	}
	t.ops = s.Ops()
	ownProc := s.Namespaces()["pid"] != "shared" || s.Has("--pidns")
	b := &builder{Tree: t, s: s, c: c, ownProc: ownProc}
	real := make([]origin, len(t.ops))
	for i, op := range t.ops { // bwrap resolves all sources before it mounts anything
		if real[i], err = b.resolve(op); err != nil {
			return nil, b.fail(op, op.Source, err)
		}
	}
	for i, op := range t.ops {
		if err := b.apply(op, real[i]); err != nil {
			return nil, b.fail(op, op.Dest, err)
		}
	}
	t.root = t.newroot()
	t.Links = t.steerable(b.links)
	return t, nil
}

type builder struct {
	*Tree
	s       *Sandbox
	c       Config
	ownProc bool // --proc mounts a new procfs
	links   []LinkUse
	recent  parent // the last destination's
}

func (b *builder) fail(op Op, at string, err error) error {
	return &SetupError{Option: op.Option, Name: b.s.Options[op.Option].Name, Path: at, Err: err}
}

// newTree builds the staging root: a tmpfs with newroot, mounted onto itself, and
// oldroot, the host's own tree.
func newTree(c Config) (*Tree, error) {
	t := &Tree{host: c.Host, strict: c.Strict, made: map[spot]Stat{}, future: map[string]bool{}, byOp: map[int]*Mount{}, sources: map[string]string{}, folders: map[string]place{}, uppers: map[string]bool{}, ways: make(map[string][]Reach, 512)}
	if c.Like != nil && c.Strict {
		t.sources = maps.Clone(c.Like.sources)
	}
	staging := newDir()
	newroot := staging.add("newroot", newDir())
	oldroot := staging.add("oldroot", newDir())
	t.located = sync.OnceValue(t.locate)
	t.base = &Mount{Option: -1, Kind: MountTmpfs, root: file{made: staging}}
	t.mounts = append(t.mounts, t.base.attach(&Mount{Option: -1, Kind: MountTmpfs, root: file{made: newroot}}, file{made: newroot}))
	t.hostT = newHostTree(c.Host.Mounts())
	if t.hostT.root == nil {
		if c.Strict {
			return nil, fmt.Errorf("the host's mount table: %w: what is mounted below a source can not be told", ErrUnknown)
		}
		t.guessed = true
	}
	t.oldroot = t.base.attach(t.hostT.mount("/", Mount{Option: -1}, nil), file{made: oldroot})
	return t, nil
}

// newroot is the topmost mount at what becomes the jail's root.
func (t *Tree) newroot() place {
	return t.base.top(file{made: t.base.root.made.children["newroot"]})
}

// apply does one operation. It mirrors the order in setup_newroot: first the
// parents of the destination, then the destination, then the mount.
func (b *builder) apply(op Op, src origin) error {
	if absent, err := b.absent(op, src); absent || err != nil {
		return err
	}
	w := &walker{tree: b.Tree, left: maxLinks, root: place{b.base, b.base.root}}
	err := b.steps(op, src, w)
	for _, l := range w.links {
		if l.file.made == nil && l.mount != b.oldroot {
			b.links = append(b.links, LinkUse{op.Option, l.file.host})
		}
	}
	return err
}

func (b *builder) steps(op Op, src origin, w *walker) error {
	if op.Kind == OpChmod {
		return b.chmod(op, w)
	}
	dir, name, err := b.parents(op, w)
	if err == nil {
		err = b.act(op, src, w, dir, name)
	}
	if err == nil {
		err = b.again(op)
	}
	if errors.Is(err, errDangling) && op.Kind == OpDir {
		return nil // mkdir(2) says EEXIST, and that is all that --dir wants
	}
	return err
}

// reopened are the operations after whose mount bwrap resolves the destination
// once more, to set the mount's flags and to fill --dev.
var reopened = map[OpKind]bool{OpBind: true, OpData: true, OpProc: true, OpDev: true}

// again checks that the destination still leads to what was mounted there. A
// path such as /x/l/.. can lead elsewhere once something covers /x: then bwrap
// fails, or makes another mount read-only.
func (b *builder) again(op Op) error {
	m := b.byOp[op.Option]
	if !reopened[op.Kind] || m == nil {
		return nil
	}
	w := &walker{tree: b.Tree, left: maxLinks, root: place{b.base, b.base.root}}
	// After --bind-fd it looks without following a link: lstat(2).
	follow := op.Kind != OpBind || op.FD < 0 || strings.HasSuffix(op.Dest, "/")
	f, err := w.walk(w.root, "newroot/"+op.Dest, follow)
	switch {
	case err != nil:
		return err
	case f.missing:
		return fs.ErrNotExist
	case f.place != place{m, m.root}:
		return fmt.Errorf("%w: the destination leads elsewhere once it is mounted on: write it without links and \"..\"", ErrRefused)
	}
	return nil
}

// steerable returns those of links that the jail can replace.
func (t *Tree) steerable(links []LinkUse) []LinkUse {
	var found []LinkUse
	for _, l := range links {
		if t.Widest(l.Link).Access.Writes() {
			found = append(found, l)
		}
	}
	return found
}
