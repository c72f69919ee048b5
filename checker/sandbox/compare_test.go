package sandbox_test

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// comparison holds a model against the jail that runs.
type comparison struct {
	t      *testing.T
	w      *world
	tree   *sandbox.Tree
	jail   *jail
	before map[string]state // the world before bwrap was started
	ready  map[string]state // and when the program started
	diffs  []string
	asked  int64
}

func (c *comparison) differ(format string, args ...any) {
	c.diffs = append(c.diffs, strings.ReplaceAll(fmt.Sprintf(format, args...), c.w.root, "W"))
}

func (c *comparison) ask(words ...string) (string, syscall.Errno) {
	answer, errno, err := c.jail.ask(words...)
	must(c.t, err)
	return answer, errno
}

// all compares everything but the effects.
func (c *comparison) all(paths []string) {
	slices.Sort(paths)
	var existing, absent []string
	for _, p := range paths {
		if r, ok := c.describe(p); ok {
			if r.Exists {
				existing = append(existing, p)
			} else {
				absent = append(absent, p)
			}
		}
	}
	for _, p := range existing {
		c.write(p)
		c.rename(p)
	}
	for _, p := range absent {
		c.create(p)
	}
	c.hostAccess()
	c.attack(paths)
}

// describe compares whether and as what a path exists and can be read.
func (c *comparison) describe(p string) (sandbox.Reach, bool) {
	c.asked++
	r, err := c.tree.Access(p)
	if err != nil {
		if !errors.Is(err, sandbox.ErrRefused) {
			c.differ("Access(%s): %v", p, err)
		}
		return r, false
	}
	answer, errno := c.ask("stat", p)
	if r.Access == sandbox.Proc {
		return r, false
	}
	if (errno == 0) != r.Exists {
		c.differ("stat %s: %v %s, the model says %s exists=%v", p, errno, answer, r.Access, r.Exists)
		return r, false
	}
	if !r.Exists {
		return r, true
	}
	var mode uint32
	var dev, ino uint64
	if _, err := fmt.Sscanf(answer, "%o %d %d", &mode, &dev, &ino); err != nil {
		c.t.Fatal(err)
	}
	if got := fileTypes[mode&syscall.S_IFMT]; got != r.Type {
		c.differ("stat %s: a %s, the model says %s", p, got, r.Type)
	}
	if r.Host != "" && r.Mount.Kind == sandbox.MountHost {
		if st, err := lstat(r.Host); err != nil || st.Ino != ino || st.Dev != dev {
			c.differ("stat %s: inode %d:%d, the model says %s, which is %d:%d (%v)", p, dev, ino, r.Host, st.Dev, st.Ino, err)
		}
	}
	if _, errno := c.ask("read", p); errno != 0 && (r.Type == sandbox.Dir || r.Type == sandbox.Regular) {
		c.differ("read %s: %v, the model says %s", p, errno, r.Access)
	}
	return r, true
}

func writable(a sandbox.Access) bool { return a.Writes() || a == sandbox.Scratch }

// write compares whether an existing file can be written, and a directory get
// an entry, and where on the host that shows.
func (c *comparison) write(p string) {
	r, _ := c.tree.Access(p)
	mark := "mark of " + p + ";"
	switch r.Type {
	case sandbox.Regular:
		if answer, _ := c.ask("stat", p); strings.HasPrefix(answer, "1004") {
			return // mode 0444 or so: a mount point that bwrap made
		}
		_, errno := c.ask("append", p, mark)
		c.outcome("append to", p, r, errno, mark)
	case sandbox.Dir:
		_, errno := c.ask("create", path.Join(p, "zz"), mark)
		if r.Host != "" {
			r.Host = path.Join(r.Host, "zz")
		}
		c.outcome("create zz in", p, r, errno, mark)
		if errno == 0 {
			if _, errno := c.ask("unlink", path.Join(p, "zz")); errno != 0 {
				c.differ("unlink %s/zz: %v", p, errno)
			}
		}
	}
}

// outcome judges an attempt to write: whether it worked, and which files of the
// host hold the mark now.
func (c *comparison) outcome(what, p string, r sandbox.Reach, errno syscall.Errno, mark string) {
	if (errno == 0) != writable(r.Access) {
		c.differ("%s %s: %v, the model says %s", what, p, errno, r.Access)
	}
	want := ""
	if r.Access.Writes() {
		want = r.Host
	}
	seen := c.marked(mark)
	for _, h := range seen {
		if !c.sameFile(h, want) {
			c.differ("%s %s: shows at %s, the model says %s of %q", what, p, h, r.Access, r.Host)
		}
		ways := c.tree.HostAccess(h)
		if !slices.ContainsFunc(ways, func(way sandbox.Reach) bool { return way.Access.Writes() && way.How != sandbox.ByBelow }) && c.before[h].Nlink <= 1 {
			c.differ("%s %s: shows at %s, HostAccess says %v", what, p, h, ways)
		}
	}
	if errno == 0 && strings.HasPrefix(want, c.w.root) && len(seen) == 0 {
		c.differ("%s %s: does not show at %s", what, p, want)
	}
}

func (c *comparison) sameFile(a, b string) bool {
	x, err1 := lstat(a)
	y, err2 := lstat(b)
	return err1 == nil && err2 == nil && x.ID() == y.ID()
}

// marked returns the host's files that hold a mark.
func (c *comparison) marked(mark string) []string {
	now, err := c.w.snapshot()
	must(c.t, err)
	var found []string
	for p, s := range now {
		if strings.Contains(s.Content, mark) {
			found = append(found, p)
		}
	}
	return found
}

// rename compares whether the entry itself can be moved away.
func (c *comparison) rename(p string) {
	if p == "/" {
		return
	}
	e, err := c.tree.EntryAt(p)
	if err != nil || !e.Exists || e.Kernel || e.Overlay {
		return
	}
	_, errno := c.ask("shuffle", p)
	if ok := e.Writable && !e.Pinned; ok != (errno == 0) {
		c.differ("rename %s: %v, the model says %+v", p, errno, e)
	}
}

// overlay tells whether an overlay writes to the host: it copies files up.
func (c *comparison) overlay() bool {
	return slices.ContainsFunc(c.tree.Mounts(), func(m *sandbox.Mount) bool { return m.Upper != "" })
}

// create compares whether a path that is absent can be made, parents included.
func (c *comparison) create(p string) {
	if _, errno := c.ask("stat", p); errno == 0 {
		return // another name of one that was made before
	}
	r, _ := c.tree.Access(p)
	var made []string
	for dir := path.Dir(p); ; dir = path.Dir(dir) {
		answer, errno := c.ask("stat", dir)
		if errno == 0 && answer[0] != '4' && c.overlay() {
			return // an overlay's upper directory changed under another mount
		}
		if errno == 0 {
			break
		}
		made = append(made, dir)
	}
	for i := len(made) - 1; i >= 0; i-- {
		if _, errno := c.ask("mkdir", made[i]); errno != 0 {
			made = made[i+1:]
			break
		}
	}
	final := p
	if where, errno := c.ask("final", p); errno == 0 {
		final = where
	}
	mark := "made " + p + ";"
	_, errno := c.ask("create", p, mark)
	c.outcome("create", p, r, errno, mark)
	if errno == 0 {
		if _, errno := c.ask("unlink", final); errno != 0 {
			c.differ("unlink %s: %v", final, errno)
		}
	}
	for _, dir := range made {
		if _, errno := c.ask("rmdir", dir); errno != 0 {
			c.differ("rmdir %s: %v", dir, errno)
		}
	}
}
