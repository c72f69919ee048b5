package sandbox_test

import (
	"errors"
	"fmt"
	"io/fs"
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
	if err == nil {
		h.stats[p] = st
	} else if errors.Is(err, fs.ErrNotExist) {
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
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ENOTDIR) {
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
