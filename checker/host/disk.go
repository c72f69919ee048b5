package host

import (
	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Disk is what an FS looks at: this machine's files, or ones that a test makes up.
// Paths are absolute. Absence is [fs.ErrNotExist]; errors that say that something
// is unknown wrap [sandbox.ErrUnknown].
type Disk interface {
	// Lstat describes path, which is clean: of a link, the link.
	Lstat(path string) (sandbox.Stat, error)
	// Follow describes what the kernel finds at path, links followed.
	Follow(path string) (sandbox.Stat, error)
	// Open opens path for reading, with flags of open(2) added.
	Open(path string, flags int) (fd int, err error)
}

// Local is this machine.
func Local() Disk { return local{} }

type local struct{}

func (local) Lstat(path string) (sandbox.Stat, error) { return lookup(path) }

func (local) Follow(path string) (sandbox.Stat, error) {
	var st unix.Stat_t
	if err := unix.Fstatat(unix.AT_FDCWD, path, &st, noAutomount); err != nil {
		return sandbox.Stat{}, lookupError(path, err)
	}
	return toStat(&st), nil
}

func (local) Open(path string, flags int) (int, error) { return open(path, flags) }
