package host

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

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

// nixStore belongs to root, or to the user where Nix was installed for one user;
// the group of its builders may add to it (Nix manual, "Multi-User Mode").
const nixStore = "/nix/store"

// userMayWrite refuses a program that anybody but root could write, or put
// another in the place of. What lies in the Nix store no jail can write but one
// that binds the store writable.
func (f *FS) userMayWrite(real Real) error {
	stored := strings.HasPrefix(real.Path, nixStore+"/")
	for path, top := real.Path, false; !top; path = parentOf(path) {
		top = path == "/"
		st, err := f.Lstat(path)
		if err != nil {
			return err
		}
		forbidden := uint32(0o022)
		if stored && path == nixStore {
			forbidden = 0o002
		}
		trusted, err := IsRoot(st.UID)
		if stored {
			trusted, err = trustedOwner(st.UID)
		}
		switch {
		case err != nil:
			return err
		case !trusted:
			return notSystem(real.Path, fmt.Sprintf("user %d owns %s", st.UID, path))
		case st.Mode&forbidden != 0:
			return notSystem(real.Path, fmt.Sprintf("others than root may write %s (mode %04o)", path, st.Mode))
		}
	}
	return nil
}

func notSystem(program, why string) error {
	return fmt.Errorf("%s may have been put there by a project or its agent, for %s: "+
		"use the system's by taking its folder out of PATH, or insist with --bwrap %[1]s", program, why)
}

// overflowUID is shown for owners that the user namespace has no number for
// (user_namespaces(7)), as root of the host is inside a jail.
const overflowUID = 65534

func trustedOwner(uid uint32) (bool, error) {
	if int(uid) == os.Getuid() {
		return true, nil
	}
	return IsRoot(uid)
}

// IsRoot tells whether uid is root, or may be the host's seen from a jail.
func IsRoot(uid uint32) (bool, error) {
	if uid == 0 || uid != overflowUID {
		return uid == 0, nil
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
