//go:build linux && !nojail

package host

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

const noAutomount = unix.AT_NO_AUTOMOUNT

// selfID identifies this program: ocjail may be installed as bwrap.
func selfID() (sandbox.ID, error) {
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/exe", &st); err != nil {
		return sandbox.ID{}, fmt.Errorf("look up /proc/self/exe: %w: mount /proc", err)
	}
	return toStat(&st).ID(), nil
}

// askLandlock returns the version of the kernel's Landlock (landlock(7)).
func askLandlock() *int {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	version := int(abi)
	if errno != 0 { // not built in, switched off, or forbidden by a seccomp filter
		version = 0
	}
	return &version
}

// withoutACL tells whether a file is known to have no access control list (acl(5)). A
// file system that has none, or others, as NFS, does not say so.
func withoutACL(path string) (bool, error) {
	_, err := unix.Getxattr(path, "system.posix_acl_access", nil)
	switch {
	case errors.Is(err, unix.ENODATA):
		return true, nil
	case err == nil || errors.Is(err, unix.ENOTSUP):
		return false, nil
	}
	return false, fmt.Errorf("look for an access control list of %s: %w", path, err)
}
