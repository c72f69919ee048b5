package review

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Entry is one path as it was at some time. The zero value is one that is absent.
type Entry struct {
	Type  sandbox.FileType `json:"type,omitempty"` // "" for absent, detour and unreadable beside those of sandbox
	Mode  uint32           `json:"mode,omitempty"` // permission bits, 07777
	Size  int64            `json:"size,omitempty"`
	Mtime int64            `json:"mtime,omitempty"` // nanoseconds since 1970
	Ctime int64            `json:"ctime,omitempty"`
	Dev   uint64           `json:"dev,omitempty"`
	Ino   uint64           `json:"ino,omitempty"`
	// Digest is the content's SHA-256; of a HEAD of git's whether git takes it for
	// one. "" when the file is too large.
	Digest  string `json:"digest,omitempty"`
	Content []byte `json:"content,omitempty"` // nil when too large; else whole
	Target  string `json:"target,omitempty"`  // of a symbolic link; of a detour "LINK -> TARGET"
	// Large marks a folder of which only this entry is recorded.
	Large bool `json:"large,omitempty"`
}

// A detour is a path of which a folder above is a symbolic link.
const (
	detour     sandbox.FileType = "detour"
	unreadable sandbox.FileType = "unreadable"
)

// Absent tells whether there was nothing.
func (e Entry) Absent() bool { return e.Type == "" }

// readable tells whether the whole content of a file is recorded.
func (e Entry) readable() bool {
	return e.Type == sandbox.Regular && (e.Content != nil || e.Size == 0)
}

// modeBits are those of a mode that change what running a file does; the others
// follow the umask when git writes a file anew.
const modeBits = 0o7111

func (e Entry) same(o Entry) bool {
	switch {
	case e.Type != o.Type || e.Target != o.Target:
		return false
	case e.Type != sandbox.Regular && e.Type != unreadable:
		return true
	case e.Mode&modeBits != o.Mode&modeBits:
		return false
	case e.Digest != "" && o.Digest != "":
		return e.Digest == o.Digest
	}
	return e.Dev == o.Dev && e.Ino == o.Ino && e.Size == o.Size && e.Mtime == o.Mtime && e.Ctime == o.Ctime
}

// looker reads entries, within bounds.
type looker struct {
	areas areas
	left  int64 // bytes of content that it may still keep
	found map[string]Entry
	// crowded are folders that hold more than it looks through.
	crowded []string
	// closed are paths that it can not look at or list, though others may find
	// what lies there by its name.
	closed []string
}

func newLooker(all areas) *looker {
	return &looker{areas: all, left: maxContents, found: map[string]Entry{}}
}

// add looks path up and keeps it, also when it is absent.
func (l *looker) add(path string) (Entry, error) {
	if e, ok := l.found[path]; ok {
		return e, nil
	}
	e, err := l.entry(path)
	if err == nil {
		l.found[path] = e
	}
	return e, err
}

// entry looks path up. Outside of every area there is nothing.
func (l *looker) entry(path string) (Entry, error) {
	a, rel, ok := l.areas.find(path)
	if !ok {
		return Entry{}, nil
	}
	fd, err := a.open(rel, unix.O_PATH|unix.O_NOFOLLOW)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return Entry{}, nil
	case errors.Is(err, unix.EACCES):
		return Entry{Type: unreadable}, nil
	case errors.Is(err, unix.ENAMETOOLONG):
		l.closed = append(l.closed, path)
		return Entry{Type: unreadable}, nil
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.EXDEV):
		return a.detour(rel)
	case err != nil:
		return Entry{}, fmt.Errorf("look at %s: %w", path, err)
	}
	defer unix.Close(fd)
	e, err := l.read(fd)
	if err != nil {
		return Entry{}, fmt.Errorf("look at %s: %w", path, err)
	}
	return e, nil
}

// detour finds the link on the way to rel.
func (a *area) detour(rel string) (Entry, error) {
	parts := strings.Split(rel, "/")
	for i := range parts {
		at := filepath.Join(parts[:i+1]...)
		fd, err := a.open(at, unix.O_PATH|unix.O_NOFOLLOW)
		if err != nil {
			return Entry{}, fmt.Errorf("look at %s: %w", filepath.Join(a.path, at), err)
		}
		target, err := readlink(fd)
		unix.Close(fd)
		if err == nil {
			return Entry{Type: detour, Target: filepath.Join(a.path, at) + " -> " + target}, nil
		}
	}
	return Entry{}, fmt.Errorf("look at %s: it changes all the time", filepath.Join(a.path, rel))
}

// readlink reads the link that fd, opened with O_PATH, is (readlinkat(2)).
func readlink(fd int) (string, error) {
	var buf [unix.PathMax]byte
	n, err := unix.Readlinkat(fd, "", buf[:])
	return string(buf[:max(n, 0)]), err
}

func (l *looker) read(fd int) (Entry, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return Entry{}, err
	}
	e := Entry{
		Type: types[st.Mode&unix.S_IFMT], Mode: st.Mode & 0o7777, Size: st.Size,
		Mtime: st.Mtim.Nano(), Ctime: st.Ctim.Nano(), Dev: uint64(st.Dev), Ino: st.Ino,
	}
	switch e.Type {
	case sandbox.Symlink:
		var err error
		e.Target, err = readlink(fd)
		return e, err
	case sandbox.Regular:
		return l.content(fd, e)
	}
	return e, nil
}

var types = map[uint32]sandbox.FileType{
	unix.S_IFREG: sandbox.Regular, unix.S_IFDIR: sandbox.Dir, unix.S_IFLNK: sandbox.Symlink, unix.S_IFIFO: sandbox.FIFO,
	unix.S_IFSOCK: sandbox.Socket, unix.S_IFCHR: sandbox.CharDevice, unix.S_IFBLK: sandbox.BlkDevice,
}

// content reads the regular file that fd names, if it is small enough.
func (l *looker) content(fd int, e Entry) (Entry, error) {
	limit := min(maxContent, l.left)
	if e.Size > limit {
		return e, nil
	}
	f, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", fd), os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if errors.Is(err, unix.EACCES) { // which does not keep it from being executed
		e.Type = unreadable
		return e, nil
	}
	if err != nil {
		return e, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil || int64(len(data)) > limit { // it grew meanwhile
		return e, err
	}
	sum := sha256.Sum256(data)
	e.Digest, e.Content, e.Size = hex.EncodeToString(sum[:]), data, int64(len(data))
	l.left -= e.Size
	return e, nil
}
