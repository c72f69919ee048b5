package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// origin is where on the host an operation takes its files from, canonical.
type origin struct {
	path   string   // of a bind, or the upper layer of an overlay; "" for none
	work   string   // of an overlay
	layers []string // lower ones of an overlay, top first
}

// canonical resolves a source path as realpath(3) does; it is memoised.
func (t *Tree) canonical(p string) (string, error) {
	if real, ok := t.sources[p]; ok {
		return real, nil
	}
	w := &walker{tree: t, left: maxLinks, root: t.oldroot.top(file{host: "/"})}
	f, err := t.source(w, p)
	for _, l := range w.links {
		if t.onProc(l.file.host) {
			return "", fmt.Errorf("%s: %w: a link on /proc means another file to each process: name that file itself", l.file.host, ErrRefused)
		}
	}
	if err == nil && f.missing {
		err = fmt.Errorf("%s: %w", p, fs.ErrNotExist)
	}
	if err != nil {
		return "", err
	}
	t.sources[p] = f.file.host
	return f.file.host, nil
}

// source walks to p, from the folder that it is in where that is known.
func (t *Tree) source(w *walker, p string) (found, error) {
	slash := strings.LastIndexByte(p, '/')
	dir, name := p[:slash], p[slash+1:]
	if at, known := t.folders[dir]; known && name != "" && name != "." && name != ".." {
		return w.walk(at, name, true)
	}
	f, err := w.walk(w.root, p, true)
	if err == nil && !f.missing && len(w.links) == 0 && path.Clean(p) == p && p != "/" { // which is in no folder
		t.folders[dir] = f.up()
	}
	return f, err
}

func (t *Tree) onProc(p string) bool {
	m := t.hostT.covering(p)
	_, below := Below("/proc", p)
	return below || m != nil && m.FSType == "proc"
}

// resolve finds the sources of op; path stays "" for a -try whose source is
// absent.
func (b *builder) resolve(op Op) (origin, error) {
	switch {
	case op.Kind == OpOverlay:
		return b.resolveLayers(op)
	case op.Kind != OpBind:
		return origin{}, nil
	case op.FD >= 0:
		p, err := b.descriptor(op.FD)
		return origin{path: p}, err
	}
	p, err := b.canonical(b.absolute(op.Source))
	if !errors.Is(err, fs.ErrNotExist) {
		return origin{path: p}, err
	}
	if op.Try {
		return origin{}, nil
	}
	return b.elsewhere(op, err)
}

// elsewhere takes a source that this host lacks for one that another host has,
// unless the jail is to be launched here.
func (b *builder) elsewhere(op Op, err error) (origin, error) {
	if b.strict {
		return origin{}, err
	}
	p := path.Clean(b.absolute(op.Source))
	if slices.Contains(b.c.Makes, p) {
		return b.toCome(p)
	}
	b.guessed = true
	b.absentee = append(b.absentee, p)
	return origin{path: p}, nil
}

// toCome is the origin of a directory that is made before the launch: below what is
// there of the folders above it.
func (b *builder) toCome(p string) (origin, error) {
	for dir, rest := parentOf(p), path.Base(p); ; dir, rest = parentOf(dir), path.Base(dir)+"/"+rest {
		real, err := b.canonical(dir)
		if errors.Is(err, fs.ErrNotExist) && dir != "/" {
			continue
		}
		if err == nil {
			real = join(real, "/"+rest)
			b.future[real] = true
		}
		return origin{path: real}, err
	}
}

// descriptor returns the path behind a descriptor. bwrap mounts by that path and
// fails when it then finds another file there, such as what a link leads to.
func (b *builder) descriptor(n int) (string, error) {
	if b.c.Descriptor == nil {
		return "", fmt.Errorf("descriptor %d: %w", n, ErrUnknown)
	}
	at, err := b.c.Descriptor(n)
	if err != nil {
		return "", err
	}
	real, err := b.canonical(at)
	if err == nil && real != at {
		err = fmt.Errorf("descriptor %d is a symbolic link, which bwrap does not bind", n)
	}
	return real, err
}

func (b *builder) resolveLayers(op Op) (o origin, err error) {
	if op.Source != "" {
		if o.path, err = b.canonical(b.absolute(op.Source)); err != nil {
			return o, err
		}
		if o.work, err = b.canonical(b.absolute(op.Work)); err != nil {
			return o, err
		}
	}
	for i := len(op.Lower) - 1; i >= 0; i-- {
		real, err := b.canonical(b.absolute(op.Lower[i]))
		if err != nil {
			return o, err
		}
		o.layers = append(o.layers, real)
	}
	return o, nil
}

func (b *builder) absolute(p string) string {
	if path.IsAbs(p) {
		return p
	}
	return b.c.Cwd + "/" + p
}

// absent tells whether op is a -try to leave out. bwrap looks a second time, in
// its staging root: what an earlier operation made, or what a link leads to
// there, would be bound after all.
func (b *builder) absent(op Op, src origin) (bool, error) {
	if op.Kind != OpBind || src.path != "" {
		return false, nil
	}
	w := &walker{tree: b.Tree, left: maxLinks, root: place{b.base, b.base.root}}
	f, err := w.walk(b.oldroot.top(b.oldroot.root), strings.TrimLeft(op.Source, "/"), true)
	if err == nil && !f.missing {
		err = fmt.Errorf("%s: %w: it does not exist, but would while bwrap sets up: write the path that it has then, or leave it out", op.Source, ErrRefused)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return true, err
}
