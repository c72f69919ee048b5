package gate

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// tether ties the process that holds the command back to this one: the kernel
// kills it when we die, however that happens (PTRACE_O_EXITKILL, ptrace(2)).
// bwrap's own --die-with-parent reaches its outer process only at that time. A
// signal by O_ASYNC would not do: the first process of a PID namespace is immune
// to all that does not come from a process outside it.
//
// A process that is traced stops at each signal, also at those that it ignores,
// and goes on when it is told to. All methods belong to the thread of newTether.
type tether struct {
	pid  int
	gone bool // ended and reaped
}

// newTether returns nil where tracing is forbidden, by Yama or in a container.
// What is left over then is a process that waits and never runs the command.
func newTether(pid int) *tether {
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(pid), 0, unix.PTRACE_O_EXITKILL, 0, 0)
	if errno != 0 {
		return nil
	}
	return &tether{pid: pid}
}

// pump lets the process go on if a signal stopped it.
func (t *tether) pump() error {
	for t != nil && !t.gone {
		stopped, ws, err := t.wait(unix.WNOHANG)
		if err != nil || !stopped {
			return err
		}
		if err := t.resume(ws); err != nil {
			return err
		}
	}
	return nil
}

// cut stops the process, calls release, and lets go of it. If we die before, the
// process does too; if we die after, the command was meant to run.
func (t *tether) cut(release func() error) error {
	if t == nil {
		return release()
	}
	if t.gone {
		return errSetup
	}
	if err := unix.PtraceInterrupt(t.pid); err != nil {
		return t.failed("interrupt", err)
	}
	for {
		stopped, ws, err := t.wait(0)
		switch {
		case err != nil:
			return err
		case !stopped:
			return errSetup
		case ws.StopSignal() == unix.SIGTRAP:
			if err := release(); err != nil {
				return err
			}
			return t.failed("detach", unix.PtraceDetach(t.pid))
		}
		if err := t.resume(ws); err != nil {
			return err
		}
	}
}

// reap waits for the end of a process that was killed.
func (t *tether) reap() error {
	for t != nil && !t.gone {
		if _, _, err := t.wait(0); err != nil {
			return err
		}
	}
	return nil
}

// wait reports a stop; stopped is false when nothing happened or t is gone.
func (t *tether) wait(flags int) (stopped bool, ws unix.WaitStatus, err error) {
	for {
		pid, err := unix.Wait4(t.pid, &ws, flags|unix.WALL, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ECHILD):
			t.gone = true
			return false, ws, nil
		case err != nil:
			return false, ws, t.failed("wait", err)
		}
		t.gone = pid != 0 && !ws.Stopped()
		return pid != 0 && !t.gone, ws, nil
	}
}

// resume hands the signal on. Stops of the terminal (^Z) are not: they stopped
// us as well, and we are here again.
func (t *tether) resume(ws unix.WaitStatus) error {
	s := ws.StopSignal()
	if ws>>16 != 0 || s == unix.SIGTSTP || s == unix.SIGTTIN || s == unix.SIGTTOU || s == unix.SIGSTOP {
		s = 0
	}
	err := unix.PtraceCont(t.pid, int(s))
	if errors.Is(err, unix.ESRCH) { // killed meanwhile; the next wait tells
		return nil
	}
	return t.failed("continue", err)
}

func (t *tether) failed(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s the process that holds the command back: %w", what, err)
}
