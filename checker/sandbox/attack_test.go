package sandbox_test

import (
	"math/rand/v2"
	"path"
	"slices"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// attack lets the probe do whatever damage it can, at random: no path of the
// host may change unless HostAccess says that it can be written.
func (c *comparison) attack(paths []string) {
	allowed := map[string]bool{}
	may := func(h string) bool {
		if _, ok := allowed[h]; !ok {
			allowed[h] = slices.ContainsFunc(c.tree.HostAccess(h), func(r sandbox.Reach) bool {
				return r.Access.Writes() && r.How != sandbox.ByBelow
			})
		}
		return allowed[h]
	}
	before, err := c.w.snapshot()
	must(c.t, err)
	r := rand.New(rand.NewPCG(uint64(len(paths)), 2))
	for range 40 {
		c.damage(r, paths)
	}
	after, err := c.w.snapshot()
	must(c.t, err)
	for h, old := range before {
		now, still := after[h]
		same := still && old.Ino == now.Ino && old.Content == now.Content && old.Mode == now.Mode
		if !same && !may(h) && (!still || now.Nlink <= 1 && old.Nlink <= 1) {
			c.differ("attack: %s changed from %v to %v (exists: %v), HostAccess says %v", h, old, now, still, c.tree.HostAccess(h))
		}
	}
	for h := range after {
		if _, was := before[h]; !was && !may(h) {
			c.differ("attack: %s is new, HostAccess says %v", h, c.tree.HostAccess(h))
		}
	}
}

func (c *comparison) damage(r *rand.Rand, paths []string) {
	p, q := pick(r, paths), pick(r, paths)
	if q == "/" || p == "/" {
		return
	}
	switch r.IntN(8) {
	case 0:
		c.ask("append", p, "damage")
	case 1:
		c.ask("create", p, "damage")
	case 2:
		c.ask("mkdir", p)
	case 3:
		c.ask("rename", p, q)
	case 4:
		c.ask("rename", p, path.Join(path.Dir(p), "aside"))
	case 5:
		c.ask("unlink", p)
	case 6:
		c.ask("link", p, q)
	case 7:
		c.ask("symlink", q, p)
	}
}
