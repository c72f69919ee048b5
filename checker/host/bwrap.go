package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

const installBwrap = "install it with `apt-get install bubblewrap` (Debian, Ubuntu), `dnf install bubblewrap` (Fedora), " +
	"`pacman -S bubblewrap` (Arch) or `nix profile install nixpkgs#bubblewrap` (Nix)"

// ErrNoBwrap says that no bwrap was found; the message says how to install it.
var ErrNoBwrap = errors.New("bubblewrap's bwrap was not found in PATH: " + installBwrap)

// Bwrap is the real bubblewrap.
type Bwrap struct {
	Path   string     // resolved, absolute
	ID     sandbox.ID // to compare with what is executed in the end
	Setuid bool       // runs as root for everybody

	programOnce sync.Once
	program     []byte // nil where it names no option of bwrap's
	optionsOnce sync.Once
	options     options
	optionsErr  error
}

// Readable is an error where the user may start bwrap and not read it. The kernel keeps
// such a program's processes from being looked at, and from mapping users in a namespace
// (PR_SET_DUMPABLE in prctl(2), "/proc/PID" in proc(5)), whatever its setuid bit.
func (b *Bwrap) Readable() error {
	if err := unix.Faccessat(unix.AT_FDCWD, b.Path, unix.R_OK, unix.AT_EACCESS); err != nil {
		return fmt.Errorf("%s can not be read by you (%w), so the kernel lets nobody look at what it builds: sudo chmod a+r %[1]s, or name another with --bwrap", b.Path, err)
	}
	return nil
}

// FindBwrap returns the bwrap at the absolute path explicit, or, when that is
// empty, the first in $PATH; relative entries of PATH, files that cannot be
// executed and ocjail itself under the name bwrap are passed over.
//
// A program that another user could change is refused, and not passed over, for
// the next one would be no better known. In $PATH, where shells put folders of
// the project (node_modules/.bin, a venv's bin), so is one that the user himself
// could change: the agent may have put it there, and it runs unjailed.
func FindBwrap(f *FS, explicit string) (*Bwrap, error) {
	self, err := selfID()
	if err != nil {
		return nil, err
	}
	if explicit != "" {
		b, err := f.bwrapAt(explicit, self, f.othersMayWrite)
		if err != nil {
			return nil, fmt.Errorf("--bwrap: %w", err)
		}
		return b, nil
	}
	return f.bwrapInPath(self, f.userMayWrite)
}

func (f *FS) bwrapInPath(self sandbox.ID, refuse func(Real) error) (*Bwrap, error) {
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if !filepath.IsAbs(dir) {
			continue
		}
		b, err := f.bwrapAt(filepath.Join(dir, "bwrap"), self, refuse)
		if err == nil {
			return b, nil
		}
		if !errors.Is(err, errPassOver) {
			return nil, fmt.Errorf("bwrap in PATH: %w", err)
		}
	}
	return nil, ErrNoBwrap
}

// errPassOver marks what execvp(3) would pass over as well.
var errPassOver = errors.New("not a program to start")

// bwrapAt examines one candidate; refuse says who must not be able to change it.
func (f *FS) bwrapAt(path string, self sandbox.ID, refuse func(Real) error) (*Bwrap, error) {
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("%q is not an absolute path: write it out", path)
	}
	real, err := f.RealPath(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EACCES) {
			err = fmt.Errorf("%w: %w", errPassOver, err)
		}
		return nil, err
	}
	st := real.Stat
	switch {
	case st.Type != sandbox.Regular:
		return nil, fmt.Errorf("%s is a %s: %w", path, st.Type, errPassOver)
	case st.Mode&0o111 == 0:
		return nil, fmt.Errorf("%s is not executable: %w", path, errPassOver)
	case st.ID() == self:
		return nil, fmt.Errorf("%s is ocjail itself: %w", path, errPassOver)
	}
	if err := refuse(real); err != nil {
		return nil, err
	}
	return &Bwrap{Path: real.Path, ID: st.ID(), Setuid: st.Mode&unix.S_ISUID != 0}, nil
}
