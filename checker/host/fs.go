// Package host gathers facts about the machine a jail is about to start on:
// files, mounts, the user, git, bubblewrap, watched paths. It reads and never
// executes (but for [Bwrap.Supports] on a wrapper script and [Bwrap.Version]).
//
// A fact that cannot be had is unknown, with a reason, and never false.
package host

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// FS answers questions about the host's file system from one snapshot: each
// path has one answer. Make a new one after changing files. It is
// safe for concurrent use.
type FS struct {
	disk  Disk
	stats *answers[string, *looked]
	reals *answers[string, *resolved]
	names *answers[listing, []string]

	mountsOnce sync.Once
	mounts     []sandbox.HostMount
	mountsErr  error

	listenOnce sync.Once
	listening  []int
	listenErr  error

	expanding atomic.Pointer[expansion] // see Help

	indexMu sync.Mutex
	indexes map[string][]byte // git's that were read last, by path
}

type looked struct {
	stat sandbox.Stat
	err  error
}

var _ sandbox.HostFS = (*FS)(nil)

// NewFS returns an FS of this machine that has looked at nothing yet.
func NewFS() *FS {
	return newFS(Local(), 512, 256) // as many as a launch asks for
}

// NewFSOn returns one of another machine.
func NewFSOn(d Disk) *FS {
	return newFS(d, 0, 0)
}

func newFS(d Disk, stats, reals int) *FS {
	return &FS{disk: d, stats: newAnswers[string, *looked](stats), reals: newAnswers[string, *resolved](reals), names: newAnswers[listing, []string](0)}
}

// Preload begins to ask the kernel what every launch wants to know soon.
func (f *FS) Preload() { go f.Mounts() }

// Lstat implements [sandbox.HostFS]. That no parent is a symbolic link is
// checked, not assumed: one that is a link makes the answer unknown.
func (f *FS) Lstat(path string) (sandbox.Stat, error) {
	if !isClean(path) {
		return sandbox.Stat{}, fmt.Errorf("look up %q: %w: the path is not absolute and clean", path, sandbox.ErrUnknown)
	}
	return f.lstat(path)
}

// lstat looks path up after its parents, so that nothing below an absent
// directory costs a system call.
func (f *FS) lstat(path string) (sandbox.Stat, error) {
	l, ok := f.stats.of(path)
	if !ok {
		st, err := f.lookup(path)
		l = f.stats.note(path, &looked{st, err})
	}
	return l.stat, l.err
}

func (f *FS) lookup(path string) (sandbox.Stat, error) {
	if path == "/" {
		return f.disk.Lstat(path)
	}
	parent := parentOf(path)
	st, err := f.lstat(parent)
	switch {
	case err != nil:
		return sandbox.Stat{}, err
	case st.Type == sandbox.Symlink:
		return sandbox.Stat{}, fmt.Errorf("look up %s: %w: its parent %s is a symbolic link", path, sandbox.ErrUnknown, parent)
	case st.Type != sandbox.Dir:
		return sandbox.Stat{}, absent(path)
	}
	return f.disk.Lstat(path)
}

// lookup asks the kernel. With the parents seen to be real directories, one
// newfstatat(2) says what openat2(2) with RESOLVE_NO_SYMLINKS, fstat and close
// say, at a third of the calls and less than half the time, without
// descriptors, and on kernels that lack openat2. A parent swapped for a link
// in between could deceive either, as the name is used again later; against
// that the gate verifies the real mounts before the program starts.
func lookup(path string) (sandbox.Stat, error) {
	var st unix.Stat_t
	if err := unix.Fstatat(unix.AT_FDCWD, path, &st, unix.AT_SYMLINK_NOFOLLOW|noAutomount); err != nil {
		return sandbox.Stat{}, lookupError(path, err)
	}
	s := toStat(&st)
	if s.Type == sandbox.Symlink {
		target, err := readlink(path)
		if err != nil {
			return sandbox.Stat{}, lookupError(path, err)
		}
		s.Target = target
	}
	return s, nil
}

// readlink returns a link's text, at most PATH_MAX bytes (symlink(2)).
func readlink(path string) (string, error) {
	var buf [unix.PathMax]byte
	n, err := unix.Readlinkat(unix.AT_FDCWD, path, buf[:])
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}

// types maps the S_IFMT bits of st_mode, shifted right by 12 (inode(7)).
var types = [16]sandbox.FileType{
	unix.S_IFIFO >> 12:  sandbox.FIFO,
	unix.S_IFCHR >> 12:  sandbox.CharDevice,
	unix.S_IFDIR >> 12:  sandbox.Dir,
	unix.S_IFBLK >> 12:  sandbox.BlkDevice,
	unix.S_IFREG >> 12:  sandbox.Regular,
	unix.S_IFLNK >> 12:  sandbox.Symlink,
	unix.S_IFSOCK >> 12: sandbox.Socket,
}

func toStat(st *unix.Stat_t) sandbox.Stat {
	t := types[st.Mode&unix.S_IFMT>>12]
	if t == "" {
		t = sandbox.Unknown
	}
	return sandbox.Stat{
		Type:  t,
		Dev:   uint64(st.Dev), // 32 bits wide on some architectures
		Ino:   st.Ino,
		UID:   st.Uid,
		Mode:  uint32(st.Mode) & 0o7777, // 16 bits wide on some systems
		Nlink: uint64(st.Nlink),         // likewise
	}
}

// lookupError tells absence, which is a fact, from everything else, which is not.
func lookupError(path string, err error) error {
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return absent(path)
	}
	return fmt.Errorf("look up %s: %w: %w", path, sandbox.ErrUnknown, err)
}

func absent(path string) error {
	return &fs.PathError{Op: "look up", Path: path, Err: unix.ENOENT}
}

// isClean tells whether path is absolute and as filepath.Clean would write it.
func isClean(path string) bool {
	for i := 0; i < len(path); i++ {
		if path[i] != '/' {
			continue
		}
		name := path[i+1:]
		if end := strings.IndexByte(name, '/'); end >= 0 {
			name = name[:end]
		}
		if name == "." || name == ".." || name == "" && path != "/" {
			return false
		}
	}
	return path != "" && path[0] == '/'
}

func parentOf(path string) string {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		return path[:i]
	}
	return "/"
}

func join(dir, name string) string {
	if dir == "/" {
		return "/" + name
	}
	return dir + "/" + name
}
