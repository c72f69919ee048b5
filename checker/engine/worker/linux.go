//go:build linux

package worker

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// attributes: it dies with the thread that starts it (prctl(2)).
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// limits bound the worker besides the time limits, which its parent keeps. It
// has no use for files other than a cache's.
func limits(cached bool) map[int]uint64 {
	all := map[int]uint64{
		unix.RLIMIT_DATA:   1 << 30,
		unix.RLIMIT_CPU:    300,
		unix.RLIMIT_FSIZE:  0,
		unix.RLIMIT_CORE:   0,
		unix.RLIMIT_NOFILE: 16,
	}
	if cached {
		all[unix.RLIMIT_FSIZE] = 64 << 20
	}
	return all
}

// confine sets the limits of a process, before it is told anything.
func confine(pid int, cached bool) error {
	for resource, limit := range limits(cached) {
		if err := unix.Prlimit(pid, resource, &unix.Rlimit{Cur: limit, Max: limit}, nil); err != nil {
			return err
		}
	}
	return nil
}

// widen makes a pipe take so many bytes at once, for each that it does not is a change
// to the other process and back. The kernel may refuse (pipe(7)), which costs time.
func widen(pipe io.Writer, size int) {
	f, ok := pipe.(syscall.Conn)
	if !ok || size <= 64<<10 {
		return
	}
	if c, err := f.SyscallConn(); err == nil {
		_ = c.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, min(size, 1<<20)) })
	}
}

// withhold keeps the descriptors from the next program that is started, which
// this one's caller may have left open for bwrap; open undoes it.
func withhold() (open func() error, err error) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil, fmt.Errorf("list descriptors: %w", err)
	}
	var inherited []uintptr
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd <= 2 {
			continue
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC != 0 {
			continue // closed meanwhile, as that of the directory is; or ours
		}
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, flags|unix.FD_CLOEXEC); err != nil {
			return nil, fmt.Errorf("descriptor %d: %w", fd, err)
		}
		inherited = append(inherited, uintptr(fd))
	}
	return func() error {
		for _, fd := range inherited {
			if _, err := unix.FcntlInt(fd, unix.F_SETFD, 0); err != nil {
				return fmt.Errorf("descriptor %d: %w", fd, err)
			}
		}
		return nil
	}, nil
}
