package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
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

	optionsOnce sync.Once
	options     options
	optionsErr  error
}

// FindBwrap returns the bwrap at the absolute path explicit, or, when that is
// empty, the first in $PATH; relative entries of PATH, files that cannot be
// executed and ocjail itself under the name bwrap are passed over. A program
// that another user could change is refused, and not passed over, for the next
// one would be no better known.
func FindBwrap(f *FS, explicit string) (*Bwrap, error) {
	self, err := selfID()
	if err != nil {
		return nil, err
	}
	if explicit != "" {
		b, err := f.bwrapAt(explicit, self)
		if err != nil {
			return nil, fmt.Errorf("bwrap: %w", err)
		}
		return b, nil
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if !filepath.IsAbs(dir) {
			continue
		}
		b, err := f.bwrapAt(filepath.Join(dir, "bwrap"), self)
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

func (f *FS) bwrapAt(path string, self sandbox.ID) (*Bwrap, error) {
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
	if err := f.othersMayWrite(real); err != nil {
		return nil, err
	}
	return &Bwrap{Path: real.Path, ID: st.ID(), Setuid: st.Mode&unix.S_ISUID != 0}, nil
}

// selfID identifies this program: ocjail may be installed as bwrap.
func selfID() (sandbox.ID, error) {
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/exe", &st); err != nil {
		return sandbox.ID{}, fmt.Errorf("look up /proc/self/exe: %w: mount /proc", err)
	}
	return toStat(&st).ID(), nil
}

// othersMayWrite refuses a program that a user other than root and ourselves
// could write, or put another in the place of.
func (f *FS) othersMayWrite(real Real) error {
	const mend = "use one from a package"
	if real.Stat.Mode&0o022 != 0 {
		return fmt.Errorf("%s can be written by others (mode %04o): chmod go-w it, or %s", real.Path, real.Stat.Mode, mend)
	}
	for path := real.Path; path != "/"; path = parentOf(path) {
		st, err := f.Lstat(path)
		if err != nil {
			return err
		}
		if st.Mode&0o002 != 0 && st.Mode&unix.S_ISVTX == 0 {
			return fmt.Errorf("%s can be replaced, for anybody can write %s: %s", real.Path, path, mend)
		}
		trusted, err := trustedOwner(st.UID)
		if err != nil {
			return err
		}
		if !trusted {
			return fmt.Errorf("%s can be replaced by user %d, who owns %s: %s", real.Path, st.UID, path, mend)
		}
	}
	return nil
}

// overflowUID is shown for owners that the user namespace has no number for
// (user_namespaces(7)), as root of the host is inside a jail.
const overflowUID = 65534

func trustedOwner(uid uint32) (bool, error) {
	if uid == 0 || int(uid) == os.Getuid() {
		return true, nil
	}
	if uid != overflowUID {
		return false, nil
	}
	data, err := readProc("/proc/self/uid_map", 64<<10)
	return err == nil && !mapped(string(data), overflowUID), err
}

// mapped tells whether uid has a meaning of its own in a uid_map.
func mapped(uidMap string, uid uint64) bool {
	for line := range strings.Lines(uidMap) {
		var inside, outside, count uint64
		if _, err := fmt.Sscan(line, &inside, &outside, &count); err != nil {
			return true
		}
		if inside <= uid && uid-inside < count {
			return true
		}
	}
	return false
}
