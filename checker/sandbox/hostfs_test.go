package sandbox_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// liveFS asks the kernel, once for each path. What lies below frozen is known
// from the start, so that what a jail does there later is not seen.
type liveFS struct {
	frozen string
	stats  map[string]sandbox.Stat
	absent map[string]bool
	mounts []sandbox.HostMount
}

func newLiveFS(t testing.TB, frozen string) *liveFS {
	t.Helper()
	h := &liveFS{frozen: frozen, stats: map[string]sandbox.Stat{}, absent: map[string]bool{}, mounts: mountTable(t)}
	if frozen == "" {
		return h
	}
	err := filepath.WalkDir(frozen, func(p string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		h.stats[p], err = lstat(p)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *liveFS) Mounts() []sandbox.HostMount { return h.mounts }

func (h *liveFS) Lstat(p string) (sandbox.Stat, error) {
	if st, ok := h.stats[p]; ok {
		return st, nil
	}
	if _, inside := sandbox.Below(h.frozen, p); h.frozen != "" && inside {
		return sandbox.Stat{}, fs.ErrNotExist
	}
	if h.absent[p] {
		return sandbox.Stat{}, fs.ErrNotExist
	}
	st, err := lstat(p)
	switch err {
	case nil:
		h.stats[p] = st
	case fs.ErrNotExist:
		h.absent[p] = true
	}
	return st, err
}

var fileTypes = map[uint32]sandbox.FileType{
	syscall.S_IFDIR: sandbox.Dir, syscall.S_IFREG: sandbox.Regular, syscall.S_IFLNK: sandbox.Symlink,
	syscall.S_IFSOCK: sandbox.Socket, syscall.S_IFIFO: sandbox.FIFO,
	syscall.S_IFCHR: sandbox.CharDevice, syscall.S_IFBLK: sandbox.BlkDevice,
}

func lstat(p string) (sandbox.Stat, error) {
	var st syscall.Stat_t
	err := syscall.Lstat(p, &st)
	if err == syscall.ENOENT || err == syscall.ENOTDIR {
		return sandbox.Stat{}, fs.ErrNotExist
	}
	if err != nil {
		return sandbox.Stat{}, fmt.Errorf("%s: %w: %w", p, sandbox.ErrUnknown, err)
	}
	s := sandbox.Stat{Type: fileTypes[st.Mode&syscall.S_IFMT], Dev: st.Dev, Ino: st.Ino, UID: st.Uid, Mode: st.Mode & 0o7777, Nlink: st.Nlink}
	if s.Type == sandbox.Symlink {
		s.Target, err = os.Readlink(p)
	}
	return s, err
}

// mountTable reads /proc/self/mountinfo, whose paths are taken to be plain.
func mountTable(t testing.TB) []sandbox.HostMount {
	t.Helper()
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	var table []sandbox.HostMount
	for line := range strings.Lines(string(data)) {
		left, right, _ := strings.Cut(line, " - ")
		f, tail := strings.Fields(left), strings.Fields(right)
		id, err1 := strconv.Atoi(f[0])
		parent, err2 := strconv.Atoi(f[1])
		var major, minor uint32
		_, err3 := fmt.Sscanf(f[2], "%d:%d", &major, &minor)
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		has := func(list, o string) bool { return strings.Contains(","+list+",", ","+o+",") }
		table = append(table, sandbox.HostMount{ID: id, Parent: parent, Major: major, Minor: minor, Root: f[3], Point: f[4],
			ReadOnly: has(f[5], "ro"), NoDev: has(f[5], "nodev"), SuperRO: has(tail[len(tail)-1], "ro"), FSType: tail[0]})
	}
	return table
}

// fakeFS is a host made of a map; what it does not hold does not exist, and a
// path that it holds brings its parents.
type fakeFS struct {
	stats  map[string]sandbox.Stat
	mounts []sandbox.HostMount
}

var rootMount = sandbox.HostMount{ID: 1, Parent: 0, Root: "/", Point: "/"}

// newFakeFS makes a host of paths: "dir/" is a directory, "link -> target" a
// symbolic link, "socket=" a socket, everything else a file.
func newFakeFS(paths ...string) *fakeFS {
	h := &fakeFS{stats: map[string]sandbox.Stat{}, mounts: []sandbox.HostMount{rootMount}}
	for _, p := range paths {
		st := sandbox.Stat{Type: sandbox.Regular}
		if link, target, ok := strings.Cut(p, " -> "); ok {
			p, st = link, sandbox.Stat{Type: sandbox.Symlink, Target: target}
		} else if socket, ok := strings.CutSuffix(p, "="); ok {
			p, st.Type = socket, sandbox.Socket
		} else if dir, ok := strings.CutSuffix(p, "/"); ok {
			p, st.Type = dir, sandbox.Dir
		}
		h.add(p, st)
	}
	return h
}

func (h *fakeFS) add(p string, st sandbox.Stat) {
	if p != "/" {
		h.add(filepath.Dir(p), sandbox.Stat{Type: sandbox.Dir})
	} else {
		p = "/"
	}
	if _, ok := h.stats[p]; ok {
		return
	}
	st.Dev, st.Ino, st.Nlink = 1, uint64(len(h.stats)+1), 1
	h.stats[p] = st
}

func (h *fakeFS) clone() *fakeFS {
	return &fakeFS{stats: maps.Clone(h.stats), mounts: h.mounts}
}

func (h *fakeFS) Mounts() []sandbox.HostMount { return h.mounts }

func (h *fakeFS) Lstat(p string) (sandbox.Stat, error) {
	if st, ok := h.stats[p]; ok {
		return st, nil
	}
	return sandbox.Stat{}, fs.ErrNotExist
}
