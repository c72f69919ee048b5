package gate

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// apart keeps bwrap off this thread's processor until the command is to run. The kernel
// leaves it there after the fork, waiting for us, for another processor on which one of
// our threads wakes every few microseconds, as Go's runtime has one do, does not look
// idle to it. Nothing is lost where that is not possible.
func (j *jailStart) apart() {
	var all unix.CPUSet
	if unix.SchedGetaffinity(0, &all) != nil {
		return
	}
	var here uint32
	if _, _, errno := unix.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&here)), 0, 0); errno != 0 {
		return
	}
	others := all
	others.Clear(int(here))
	if others.Count() > 0 && unix.SchedSetaffinity(j.bwrap, &others) == nil {
		j.processors = &all
	}
}

// anywhere lets the jail use all processors again.
func (j *jailStart) anywhere() error {
	if j.processors == nil {
		return nil
	}
	for _, pid := range []int{j.bwrap, j.child} {
		if err := unix.SchedSetaffinity(pid, j.processors); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("let the jail use all processors: %w", err)
		}
	}
	j.processors = nil
	return nil
}
