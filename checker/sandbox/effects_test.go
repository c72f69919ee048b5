package sandbox_test

import (
	"io/fs"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// effects compares what setting up did to the host.
func (c *comparison) effects() {
	var err error
	c.ready, err = c.w.snapshot()
	must(c.t, err)
	made, changed := map[string]string{}, map[string]string{}
	inodes := map[uint64]bool{} // of what changes: it may show under other names too
	for _, e := range c.tree.Effects {
		switch e.Kind {
		case sandbox.CreatesDir, sandbox.CreatesFile, sandbox.CreatesSymlink:
			made[e.Path] = string(e.Kind)
			inodes[c.ready[e.Path].Ino] = true
		default:
			changed[e.Path] = string(e.Kind)
			inodes[c.before[e.Path].Ino] = true
		}
	}
	kinds := map[fs.FileMode]sandbox.EffectKind{fs.ModeDir: sandbox.CreatesDir, 0: sandbox.CreatesFile, fs.ModeSymlink: sandbox.CreatesSymlink}
	for p, now := range c.ready {
		old, was := c.before[p]
		switch {
		case !was && made[p] != string(kinds[now.Type]) && (made[p] != "" || !inodes[now.Ino]):
			c.differ("effects: %s %s, the model says %q", kinds[now.Type], p, made[p])
		case was && old != now && changed[p] == "" && !inodes[old.Ino] && old.Nlink == now.Nlink:
			c.differ("effects: %s changed from %v to %v, the model says nothing", p, old, now)
		case was && old == now && changed[p] != "":
			c.differ("effects: %s did not change, the model says %s", p, changed[p])
		}
	}
	for p := range made {
		if _, ok := c.ready[p]; !ok {
			c.differ("effects: %s was not made, the model says %s", p, made[p])
		}
	}
}
