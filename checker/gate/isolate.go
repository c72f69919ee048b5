package gate

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// isolate takes from this thread, and so from the jail that it forks, what no
// option of bwrap's takes. It returns what the kernel could not do.
func isolate() (missing []string, err error) {
	// A core dump is written into the project, or piped to a program on the host.
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return nil, fmt.Errorf("RLIMIT_CORE: %w", err)
	}
	// A setuid bwrap is no more than another one by it: as root it could be neither
	// traced nor looked at. Landlock wants it too, and bwrap sets it for its command.
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("no_new_privs: %w", err)
	}
	steps := []struct {
		name string
		do   func() error
	}{{"session keyring", newKeyring}, {"Landlock scope", landlockScope}}
	for _, s := range steps {
		if err := s.do(); err != nil {
			missing = append(missing, fmt.Sprintf("%s: %v", s.name, err))
		}
	}
	return missing, nil
}

// newKeyring joins a new, empty session keyring: keys of the login session
// would be readable in the jail (keyctl(2), session-keyring(7)).
func newKeyring() error {
	_, err := unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0) // 0: a new, nameless one
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
		return nil // no keyrings, or none for the jail either
	}
	return err
}

// landlockScope keeps the jail from connecting to abstract Unix sockets and from
// signalling processes outside, which a shared network or PID namespace would
// allow (landlock(7), ABI 6). Mounting is not affected.
func landlockScope() error {
	attr := struct{ fs, net, scoped uint64 }{scoped: unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return errno
	}
	defer unix.Close(int(fd))
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
