package sandbox_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// layout is the small host that each list of mounts is tried on: a name that
// ends in "/" is a directory, "link -> target", "hard => existing name", else a
// file. W stands for the world's own root.
var layout = []string{
	"a/", "a/f", "a/d/", "a/d/f", "a/d/g/", "a/d/g/f", "a/n/", "a/n/f",
	"a/l -> d", "a/lf -> d/f", "a/labs -> /newroot/x", "a/lout -> /oldrootW/b", "a/lup -> ../y", "a/lhost -> W/b",
	"a/dang -> nowhere", "a/dangdir -> no/where", "a/loop -> loop",
	"b/", "b/f", "b/d/", "b/d/f", "b/d/g/", "b/d/g/f", "b/l -> d/g", "b/hard => a/f", "b/try -> /newroot/x/f",
	"c/", "u/", "u/d/", "u/d/f", "w/",
	"f", "lnk -> a", "labs -> W/b", "loop -> loop", "dang -> nowhere",
}

// world is a fresh copy of the layout, owned by the user that the jail runs as.
type world struct {
	root    string
	uid     int
	mounted bool // something is, below root
}

func newWorld(t testing.TB, dir, probe string, uid int) *world {
	t.Helper()
	w := &world{root: dir, uid: uid}
	must(t, os.MkdirAll(dir, 0o755))
	for _, entry := range layout {
		must(t, w.make(entry))
	}
	for _, dir := range []string{"a", "b", "c", "u", "a/d", "b/d", "a/n", ""} {
		must(t, os.Link(probe, w.path(dir, "probe")))
	}
	if uid != os.Getuid() {
		must(t, filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Base(p) == "probe" {
				return err
			}
			return os.Lchown(p, uid, uid)
		}))
	}
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) path(names ...string) string {
	return filepath.Join(append([]string{w.root}, names...)...)
}

func (w *world) make(entry string) error {
	if name, target, ok := strings.Cut(entry, " -> "); ok {
		return os.Symlink(strings.ReplaceAll(target, "W", w.root), w.path(name))
	}
	if name, old, ok := strings.Cut(entry, " => "); ok {
		return os.Link(w.path(old), w.path(name))
	}
	if strings.HasSuffix(entry, "/") {
		return os.Mkdir(w.path(entry), 0o755)
	}
	return os.WriteFile(w.path(entry), []byte(entry+"\n"), 0o644)
}

// remove deletes the world and what is mounted there, whatever the jail did to
// the names.
func (w *world) remove(t testing.TB) {
	t.Helper()
	if w.mounted {
		table := mountTable(t)
		for i := len(table) - 1; i >= 0; i-- {
			if _, in := sandbox.Below(w.root, table[i].Point); in {
				must(t, syscall.Unmount(table[i].Point, syscall.MNT_DETACH))
			}
		}
	}
	must(t, os.RemoveAll(w.root))
}

// state is what a snapshot keeps of a file.
type state struct {
	Type    fs.FileMode
	Mode    fs.FileMode
	Ino     uint64
	Nlink   uint64
	Content string // of a file, or the target of a link
}

// snapshot describes every file of the world by its path.
func (w *world) snapshot() (map[string]state, error) {
	s := map[string]state{}
	err := filepath.WalkDir(w.root, func(p string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Base(p) == "probe" {
			return err
		}
		s[p], err = inspect(p)
		return err
	})
	return s, err
}

func inspect(p string) (state, error) {
	fi, err := os.Lstat(p)
	if err != nil {
		return state{}, err
	}
	st := fi.Sys().(*syscall.Stat_t)
	s := state{Type: fi.Mode().Type(), Mode: fi.Mode().Perm(), Ino: st.Ino, Nlink: st.Nlink}
	switch {
	case fi.Mode().IsRegular():
		data, err := os.ReadFile(p)
		s.Content = string(data)
		return s, err
	case s.Type == fs.ModeSymlink:
		s.Content, err = os.Readlink(p)
	}
	return s, err
}
