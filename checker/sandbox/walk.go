package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

var (
	errNotDir   = errors.New("not a directory")
	errLoop     = errors.New("too many levels of symbolic links")
	errReadOnly = errors.New("read-only file system")
	errIsDir    = errors.New("is a directory")
	errExists   = errors.New("exists already")
	errNotMount = errors.New("not a mount point")
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
	parts := strings.FieldsFunc(p, func(r rune) bool { return r == '/' })
	for i, name := range parts {
		last := i == len(parts)-1
		if name == "." {
			continue
		}
		if st.Type != Dir && st.Type != Unknown {
			return found{}, fmt.Errorf("%s: %w", w.tree.describe(at), errNotDir)
		}
		if name == ".." {
			if at, st, err = w.settle(w.up(at)); err != nil {
				return found{}, err
			}
			continue
		}
		next, nst, err := w.child(at, name)
		if errors.Is(err, fs.ErrNotExist) {
			if last {
				return found{place: at, stat: st, missing: true, name: name}, nil
			}
			return found{}, fmt.Errorf("%s/%s: %w", w.tree.describe(at), name, fs.ErrNotExist)
		}
		if err != nil {
			return found{}, err
		}
		if nst.Type == Symlink && (!last || follow) {
			return w.link(at, next, nst, strings.Join(parts[i+1:], "/"), follow)
		}
		at, st = next, nst
	}
	return found{place: at, stat: st}, nil
}

func (w *walker) up(p place) place {
	if p == w.root {
		return p
	}
	return p.up()
}

func (w *walker) link(dir, link place, st Stat, rest string, follow bool) (found, error) {
	if w.left--; w.left < 0 {
		return found{}, fmt.Errorf("%s: %w", w.tree.describe(link), errLoop)
	}
	w.links = append(w.links, link)
	start := dir
	if path.IsAbs(st.Target) {
		start = w.root
	}
	target := st.Target
	if rest != "" {
		target += "/" + rest
	}
	return w.walk(start, target, follow)
}

// settle crosses to the topmost mount at p and describes what is there.
func (w *walker) settle(p place) (place, Stat, error) {
	p = p.mount.top(p.file)
	st, err := w.tree.stat(p)
	return p, st, err
}

// child looks name up in directory dir.
func (w *walker) child(dir place, name string) (place, Stat, error) {
	f, err := w.tree.lookup(dir, name)
	if err != nil {
		return place{}, Stat{}, err
	}
	return w.settle(place{dir.mount, f})
}

// lookup finds name in directory dir, without crossing into mounts.
func (t *Tree) lookup(dir place, name string) (file, error) {
	if dir.file.made == nil {
		f := file{host: path.Join(dir.file.host, name)}
		_, err := t.lstat(f.host)
		return f, err
	}
	n := dir.file.made
	if child, ok := n.children[name]; ok {
		return file{made: child}, nil
	}
	if n.opaque {
		return file{made: n.add(name, &node{typ: Unknown, opaque: true, children: map[string]*node{}})}, nil
	}
	return t.lookupLayers(n, name)
}

// lookupLayers finds name in an overlay's directory: a directory merges those of
// its layers down to the first that has something else there (the kernel's
// Documentation/filesystems/overlayfs.rst).
func (t *Tree) lookupLayers(n *node, name string) (file, error) {
	child := &node{children: map[string]*node{}}
	for _, layer := range n.layers {
		at := path.Join(layer, name)
		st, err := t.lstat(at)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return file{}, err
		}
		whiteout := st.Type == CharDevice
		if child.typ == "" && !whiteout {
			child.typ, child.target = st.Type, st.Target
			child.layers = append(child.layers, at)
		} else if st.Type == Dir {
			child.layers = append(child.layers, at)
		}
		if st.Type != Dir || whiteout {
			break
		}
	}
	if child.typ == "" {
		return file{}, fs.ErrNotExist
	}
	return file{made: n.add(name, child)}, nil
}

// stat describes the file at p itself.
func (t *Tree) stat(p place) (Stat, error) {
	if n := p.file.made; n != nil {
		return Stat{Type: n.typ, Target: n.target}, nil
	}
	return t.lstat(p.file.host)
}

// lstat asks the host, after what the simulation itself made there.
func (t *Tree) lstat(p string) (Stat, error) {
	if st, ok := t.made[p]; ok {
		return st, nil
	}
	if inMade(t.made, p) {
		return Stat{}, fs.ErrNotExist
	}
	st, err := t.host.Lstat(p)
	if errors.Is(err, ErrUnknown) && !t.strict {
		t.guessed = true
		return Stat{Type: Unknown}, nil
	}
	return st, err
}

// inMade tells whether p lies in a directory that the simulation made, where
// only what it made can be.
func inMade(made map[string]Stat, p string) bool {
	if len(made) == 0 {
		return false
	}
	for d := path.Dir(p); d != "/"; d = path.Dir(d) {
		if _, ok := made[d]; ok {
			return true
		}
	}
	return false
}

// describe names a place for a message.
func (t *Tree) describe(p place) string {
	if p.file.made == nil {
		return p.file.host
	}
	return "/" + strings.TrimPrefix(p.file.made.path(), "/")
}
