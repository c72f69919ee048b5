package corpus

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// disk shows the files below root as if it were the machine's.
type disk struct {
	root  *os.File
	kinds map[string]byte // marks of what is other than it looks
	owner func(path string) uint32
	real  host.Disk
}

func newDisk(root string, kinds map[string]byte, owner func(string) uint32) (*disk, error) {
	f, err := os.Open(root)
	return &disk{root: f, kinds: kinds, owner: owner, real: host.Local()}, err
}

var types = map[byte]sandbox.FileType{'=': sandbox.Socket, '|': sandbox.FIFO, '%': sandbox.CharDevice, '#': sandbox.BlkDevice}

// Lstat implements host.Disk.
func (d *disk) Lstat(path string) (sandbox.Stat, error) {
	st, err := d.real.Lstat(d.below(path))
	return d.dress(path, st), d.undress(err)
}

// Follow implements host.Disk: the kernel resolves links within the root.
func (d *disk) Follow(path string) (sandbox.Stat, error) {
	how := &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT}
	fd, err := unix.Openat2(int(d.root.Fd()), path, how)
	if err != nil {
		return sandbox.Stat{}, &os.PathError{Op: "look up", Path: path, Err: err}
	}
	defer unix.Close(fd)
	real, err := os.Readlink("/proc/self/fd/" + itoa(fd))
	if err != nil {
		return sandbox.Stat{}, err
	}
	return d.Lstat("/" + strings.TrimPrefix(strings.TrimPrefix(real, d.root.Name()), "/"))
}

// Open implements host.Disk.
func (d *disk) Open(path string, flags int) (int, error) {
	fd, err := d.real.Open(d.below(path), flags)
	return fd, d.undress(err)
}

func (d *disk) below(path string) string { return filepath.Join(d.root.Name(), path) }

// dress makes a file look as the machine's.
func (d *disk) dress(path string, st sandbox.Stat) sandbox.Stat {
	if mark, ok := d.kinds[path]; ok && st.Type == sandbox.Regular {
		st.Type = types[mark]
	}
	st.UID = d.owner(path)
	return st
}

// undress takes the root out of an error's path.
func (d *disk) undress(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		p.Path = "/" + strings.TrimPrefix(strings.TrimPrefix(p.Path, d.root.Name()), "/")
	}
	return err
}
