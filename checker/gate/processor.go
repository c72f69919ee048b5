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
	var mine unix.CPUSet
	if unix.SchedGetaffinity(0, &mine) != nil {
		return
	}
	var here uint32
	if _, _, errno := unix.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&here)), 0, 0); errno != 0 {
		return
	}
	others := mine
	others.Clear(int(here))
	if others.Count() == 0 {
		return
	}
	all, ok := unrestricted(j.bwrap, mine)
	if !ok {
		return
	}
	j.processors = &all // whatever comes of the next call: it may have more now than it began with
	others = all
	others.Clear(int(here))
	_ = unix.SchedSetaffinity(j.bwrap, &others) // else it is not kept apart, which costs time alone
}

// unrestricted is the set of processors that gives a process of ours, which began with
// mine, what it began with; it has all of them now. Where nobody had chosen mine, as with
// taskset(1), that is all there might ever be: of what was chosen the kernel takes away
// what the cpuset loses, and adds nothing that it gains, as when a laptop on battery has
// its slow processors only (sched_setaffinity(2), cpuset(7)).
func unrestricted(pid int, mine unix.CPUSet) (set unix.CPUSet, ok bool) {
	var every, cpuset unix.CPUSet
	every.Fill()
	if unix.SchedSetaffinity(pid, &every) != nil {
		return mine, false
	}
	if unix.SchedGetaffinity(pid, &cpuset) != nil || cpuset != mine {
		return mine, true
	}
	return every, true
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
