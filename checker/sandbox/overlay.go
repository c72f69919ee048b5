package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
)

// overlay mounts layers of host directories.
func (b *builder) overlay(op Op, src origin, at place) error {
	if err := b.checkLayers(src); err != nil {
		return err
	}
	root := &node{typ: Dir}
	if src.path != "" {
		root.layers = append(root.layers, src.path)
		b.uppers[src.path], b.uppers[src.work] = true, true
		if work := path.Join(src.work, "work"); !b.exists(work) {
			b.onHost(op, work, Stat{Type: Dir}, CreatesDir)
		}
	}
	root.layers = append(root.layers, src.layers...)
	return b.mount(&Mount{Option: op.Option, Kind: MountOverlay, ReadOnly: op.ReadOnly, Upper: src.path, work: src.work, root: file{made: root}}, at)
}

func (t *Tree) exists(p string) bool {
	_, err := t.lstat(p)
	return err == nil
}

// checkLayers refuses what overlayfs does: layers that are no directories or lie
// in each other (ovl_get_layers and ovl_get_workdir in fs/overlayfs/super.c). An
// upper directory may lie in a lower layer.
func (b *builder) checkLayers(src origin) error {
	all := append([]string{}, src.layers...)
	if src.path != "" {
		all = append(all, src.path, src.work)
		if overlap(src.path, src.work) {
			return fmt.Errorf("overlay: %s and %s lie in each other", src.path, src.work)
		}
	}
	for i, l := range all {
		if st, err := b.lstat(l); err != nil || st.Type != Dir && st.Type != Unknown {
			return fmt.Errorf("overlay layer %s: %w", l, errors.Join(err, errNotDir))
		}
		if b.hostT.mountedBelow(l) {
			return fmt.Errorf("overlay layer %s: %w: the overlay would show what the mounts below it hide, or fail: name a directory without mounts below it", l, ErrRefused)
		}
		if b.uppers[l] {
			return fmt.Errorf("overlay layer %s: %w: another overlay writes there", l, ErrRefused)
		}
		for k, other := range all {
			if _, in := Below(other, l); in && k != i && i < len(src.layers) {
				return fmt.Errorf("overlay: layer %s lies in layer %s", l, other)
			}
		}
	}
	return nil
}

func overlap(a, b string) bool {
	_, in := Below(a, b)
	_, around := Below(b, a)
	return in || around
}

// lookupLayers finds name in an overlay's directory: a directory merges those of
// its layers down to the first that has something else there (the kernel's
// Documentation/filesystems/overlayfs.rst).
func (t *Tree) lookupLayers(n *node, name string) (file, error) {
	if len(n.layers) == 0 {
		return file{}, fs.ErrNotExist
	}
	child := &node{}
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
