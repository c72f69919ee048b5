package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

var (
	errNotDir   = errors.New("not a directory")
	errLoop     = errors.New("too many levels of symbolic links")
	errReadOnly = errors.New("read-only file system")
	errIsDir    = errors.New("is a directory")
	errExists   = errors.New("exists already")
	errNotMount = errors.New("not a mount point")
	errDangling = errors.New("a symbolic link to nothing")
)

// ErrRefused says that bwrap may go on, but that ocjail will not follow it: the
// outcome depends on what can not be known beforehand, or on a trick that no
// honest jail plays.
var ErrRefused = errors.New("refused")

// maxLinks is the kernel's MAXSYMLINKS (path_resolution(7)).
const maxLinks = 40

// found is the outcome of a path walk.
type found struct {
	place
	stat Stat
	// missing is set when the last component does not exist; then place is the
	// directory where it would be made, and name its name.
	missing bool
	name    string
	// rest is what is left after name, where a parent is missing already. The
	// walk then ends in fs.ErrNotExist, and missing is set only if mkdir -p would
	// help.
	rest string
}

// walker resolves paths in a mount tree as the kernel does.
type walker struct {
	tree *Tree
	root place // where absolute symbolic links start
	left int   // symbolic links that may still be followed
	// links collects the symbolic links followed in file systems that the jail
	// could write: an agent may have made or may change them.
	links []place
}

// walk resolves p from start. A symbolic link in the last component is followed
// only if follow is set; a dangling one then ends in missing.
func (w *walker) walk(start place, p string, follow bool) (found, error) {
	at, st, err := w.settle(start)
	if err != nil {
		return found{}, err
	}
	for name, rest := cutName(p); name != ""; {
		last := rest == ""
		if st.Type != Dir && st.Type != Unknown {
			return found{}, fmt.Errorf("%s: %w", w.tree.describe(at), errNotDir)
		}
		f, linked, err := w.step(at, name, follow || !last)
		switch {
		case err != nil:
			return found{}, err
		case f.missing && last:
			return f, nil
		case f.missing:
			if linked { // mkdir(2) does not make what a link leads to
				f = found{place: at}
			}
			f.rest = tidy(rest)
			return f, fmt.Errorf("%s/%s: %w", w.tree.describe(at), name, fs.ErrNotExist)
		}
		at, st = f.place, f.stat
		name, rest = cutName(rest)
	}
	if strings.HasSuffix(p, "/") && st.Type != Dir && st.Type != Unknown {
		return found{}, fmt.Errorf("%s: %w", w.tree.describe(at), errNotDir)
	}
	return found{place: at, stat: st}, nil
}

// cutName returns the first name in p, "" for none, and what follows from the next
// name on.
func cutName(p string) (name, rest string) {
	p = strings.TrimLeft(p, "/")
	if i := strings.IndexByte(p, '/'); i >= 0 {
		return p[:i], strings.TrimLeft(p[i:], "/")
	}
	return p, ""
}

// tidy leaves one slash between the names of p and none around them.
func tidy(p string) string {
	return strings.Join(strings.FieldsFunc(p, func(r rune) bool { return r == '/' }), "/")
}

// step goes from directory at to its entry name; linked tells that this was a
// symbolic link, now followed.
func (w *walker) step(at place, name string, follow bool) (f found, linked bool, err error) {
	var st Stat
	switch name {
	case ".":
		at, st, err = w.settle(at)
	case "..":
		at, st, err = w.settle(w.up(at))
	default:
		dir := at
		at, st, err = w.child(dir, name)
		if errors.Is(err, fs.ErrNotExist) {
			return found{place: dir, missing: true, name: name}, false, nil
		}
		if err == nil && st.Type == Symlink && follow {
			f, err = w.link(dir, at, st.Target)
			return f, true, err
		}
	}
	return found{place: at, stat: st}, false, err
}

func (w *walker) up(p place) place {
	if p == w.root {
		return p
	}
	return p.up()
}

func (w *walker) link(dir, link place, target string) (found, error) {
	if w.left--; w.left < 0 {
		return found{}, fmt.Errorf("%s: %w", w.tree.describe(link), errLoop)
	}
	w.links = append(w.links, link)
	if path.IsAbs(target) {
		dir = w.root
	}
	f, err := w.walk(dir, target, true)
	if err != nil {
		return found{}, err
	}
	return f, nil
}

// settle crosses to the topmost mount at p and describes what is there.
func (w *walker) settle(p place) (place, Stat, error) {
	p = p.mount.top(p.file)
	st, err := w.tree.stat(p)
	return p, st, err
}

// child looks name up in directory dir.
func (w *walker) child(dir place, name string) (place, Stat, error) {
	f, st, err := w.tree.lookup(dir, name)
	if err != nil {
		return place{}, Stat{}, err
	}
	at := place{dir.mount, f}
	if top := at.mount.top(f); top != at {
		st, err = w.tree.stat(top)
		return top, st, err
	}
	return at, st, nil
}

// lookup finds name in directory dir and describes it, without crossing into
// mounts.
func (t *Tree) lookup(dir place, name string) (file, Stat, error) {
	if dir.file.made == nil {
		f := file{host: join(dir.file.host, "/"+name)}
		st, err := t.lstat(f.host)
		return f, st, err
	}
	n := dir.file.made
	child, ok := n.children[name]
	switch {
	case ok:
	case n.opaque:
		child = n.add(name, &node{typ: Unknown, opaque: true})
	default:
		f, err := t.lookupLayers(n, name)
		if err != nil {
			return file{}, Stat{}, err
		}
		st, err := t.stat(place{file: f})
		return f, st, err
	}
	return file{made: child}, child.stat(), nil
}

func (n *node) stat() Stat { return Stat{Type: n.typ, Target: n.target} }

// stat describes the file at p itself.
func (t *Tree) stat(p place) (Stat, error) {
	if n := p.file.made; n != nil {
		return n.stat(), nil
	}
	return t.lstat(p.file.host)
}

// lstat asks the host, after what the simulation itself made there.
func (t *Tree) lstat(p string) (Stat, error) {
	if len(t.made) > 0 {
		at := t.spot(p)
		if st, ok := t.made[at]; ok {
			return st, nil
		}
		if t.inMade(at) {
			return Stat{}, fs.ErrNotExist
		}
	}
	st, err := t.host.Lstat(p)
	if errors.Is(err, fs.ErrNotExist) && t.future[p] {
		return Stat{Type: Dir, Mode: 0o700}, nil
	}
	if errors.Is(err, fs.ErrNotExist) && t.onOtherHost(p) {
		return Stat{Type: Unknown}, nil
	}
	if errors.Is(err, ErrUnknown) && !t.strict {
		t.guessed = true
		return Stat{Type: Unknown}, nil
	}
	return st, err
}

func (t *Tree) onOtherHost(p string) bool {
	return slices.ContainsFunc(t.absentee, func(dir string) bool {
		_, in := Below(dir, p)
		return in
	})
}

// inMade tells whether a place lies in a directory that the simulation made,
// where only what it made can be.
func (t *Tree) inMade(at spot) bool {
	for at.path != "/" {
		at.path = parentOf(at.path)
		if _, ok := t.made[at]; ok {
			return true
		}
	}
	return false
}

func (t *Tree) spot(p string) spot { return t.hostT.covering(p).spot(p) }

// describe names a place for a message.
func (t *Tree) describe(p place) string {
	if p.file.made == nil {
		return p.file.host
	}
	return "/" + strings.TrimPrefix(p.file.made.path(), "/")
}
