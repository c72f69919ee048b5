package sandbox_test

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// hostAccess compares the ways that HostAccess reports with what happens when
// they are tried.
func (c *comparison) hostAccess() {
	hosts := []string{c.w.path("absent"), c.w.path("a/absent/er"), c.w.path("b/d/absent")}
	for p := range c.ready {
		hosts = append(hosts, p)
	}
	slices.Sort(hosts)
	for _, h := range hosts {
		for _, way := range c.tree.HostAccess(h) {
			c.asked++
			c.way(h, way)
		}
	}
}

func (c *comparison) way(h string, way sandbox.Reach) {
	if way.Mount.Kind != sandbox.MountHost {
		return
	}
	switch way.How {
	case sandbox.ByMount, sandbox.ByAlias:
		if c.ready[h].Type == fs.ModeSymlink {
			return // stat would follow it
		}
		answer, errno := c.ask("stat", way.Inside)
		if want := fmt.Sprint(" ", c.ready[h].Ino); errno != 0 || !strings.HasSuffix(answer, want) {
			c.differ("HostAccess(%s) says %s at %s by %s: stat %v %s, inode%s", h, way.Access, way.Inside, way.How, errno, answer, want)
		}
	case sandbox.ByRename:
		c.renameAttack(h, way)
	}
}

// movable returns the directories on the way that nothing is mounted on, up to
// the first that something is.
func (c *comparison) movable(way sandbox.Reach) []string {
	at := c.tree.Point(way.Mount)
	rel, _ := sandbox.Below(at, way.Inside)
	var found []string
	for _, name := range strings.Split(strings.Trim(rel, "/"), "/") {
		at = path.Join(at, name)
		if e, err := c.tree.EntryAt(at); err != nil || e.Pinned || at == way.Inside {
			break
		}
		found = append(found, at)
	}
	return found
}

// renameAttack moves a directory on the way aside and makes h anew, until that
// works with one of them.
func (c *comparison) renameAttack(h string, way sandbox.Reach) {
	if slices.ContainsFunc(c.tree.Located(), func(l sandbox.Located) bool { return l.Mount == way.Mount && l.HiddenBy != nil }) {
		return // TestHostAccess brings one to light
	}
	dirs := c.movable(way)
	for i := len(dirs) - 1; i >= 0; i-- {
		if c.plant(h, way.Inside, dirs[i]) {
			return
		}
	}
	if len(dirs) > 0 { // else they are held in place through another mount
		c.differ("HostAccess(%s) says %s by rename at %s, but it can not be planted", h, way.Access, way.Inside)
	}
}

func (c *comparison) plant(h, inside, first string) bool {
	if _, errno := c.ask("away", first); errno != 0 {
		return false
	}
	var made []string
	for dir := path.Dir(inside); dir != path.Dir(first); dir = path.Dir(dir) {
		made = append(made, dir)
	}
	for i := len(made) - 1; i >= 0; i-- {
		c.ask("mkdir", made[i])
	}
	mark := "planted at " + h
	_, errno := c.ask("create", inside, mark)
	data, err := os.ReadFile(h)
	if errno == 0 {
		c.ask("unlink", inside)
	}
	for _, dir := range made {
		c.ask("rmdir", dir)
	}
	if _, errno := c.ask("back", first); errno != 0 {
		c.differ("rename %s back: %v", first, errno)
	}
	return errno == 0 && err == nil && string(data) == mark
}
