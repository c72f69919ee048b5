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
// and goes on when it is told to. All calls belong to the thread that seized
// bwrap. A nil tether does nothing: where tracing is forbidden (Yama, some
// containers), and with a script around bwrap, a process that waits for ever can be
// left over when we are killed. It never runs the command.
type tether struct {
	pid  int
	gone bool // ended and reaped
}

// follow are the events in which bwrap makes the process of the jail, whichever
// call it uses, and the end of both with us.
const follow = unix.PTRACE_O_EXITKILL | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACECLONE

// seize traces a process, and what it makes from now on. It is false where that is
// not allowed, or the process has ended.
//
// A process that asks for it itself (PTRACE_TRACEME), between vfork(2) and execve(2),
// stops there at any signal, and we with it, for its parent waits for the execve.
func seize(pid int) (bool, error) {
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(pid), 0, follow, 0, 0)
	switch errno {
	case 0:
		return true, nil
	case unix.EPERM, unix.EACCES, unix.ENOSYS: // the last is user-mode emulation's
		return false, nil
	}
	return false, fmt.Errorf("trace process %d, which is bwrap: %w", pid, errno)
}

// tetherFork follows bwrap, which was seized, until it forks, and lets go of it. What
// it forked is ours from its first instruction on. The tether is nil when bwrap ended
// instead, and was reaped.
func tetherFork(bwrap int) (*tether, error) {
	b := &tether{pid: bwrap}
	for {
		stopped, ws, err := b.wait(0)
		if err != nil || !stopped {
			return nil, err
		}
		if !forks(ws) {
			if err := b.resume(ws); err != nil {
				return nil, err
			}
			continue
		}
		t, err := b.made()
		if err != nil {
			return nil, err
		}
		if t != nil {
			return t, errors.Join(b.failed("let go of", unix.PtraceDetach(bwrap)), t.begin())
		}
	}
}

// begin lets a new process go on, which starts with a stop.
func (t *tether) begin() error {
	stopped, ws, err := t.wait(0)
	if err != nil || !stopped {
		return err
	}
	return t.resume(ws)
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
	if err := t.failed("stop", unix.PtraceInterrupt(t.pid)); err != nil {
		return err
	}
	for {
		stopped, ws, err := t.wait(0)
		switch {
		case err != nil:
			return err
		case !stopped:
			return errSetup
		case event(ws) == unix.PTRACE_EVENT_STOP:
			if err := release(); err != nil {
				return err
			}
			err := unix.PtraceDetach(t.pid)
			if errors.Is(err, unix.ESRCH) { // killed where it stood; bwrap waits until we have seen it
				return errors.Join(errSetup, t.reap())
			}
			return t.failed("let go of", err)
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

// event is what stopped a process, one of PTRACE_EVENT_*; 0 is a signal that it has not
// taken yet.
func event(ws unix.WaitStatus) int { return int(ws) >> 16 }

// forks tells whether the process stopped because it has made another.
func forks(ws unix.WaitStatus) bool {
	e := event(ws)
	return e == unix.PTRACE_EVENT_FORK || e == unix.PTRACE_EVENT_VFORK || e == unix.PTRACE_EVENT_CLONE
}

// made is what the process has forked, in a stop that forks tells of; nil when it was
// killed meanwhile.
func (t *tether) made() (*tether, error) {
	child, err := unix.PtraceGetEventMsg(t.pid)
	if err != nil {
		return nil, t.failed("follow", err)
	}
	return &tether{pid: int(child)}, nil
}

// resume hands the signal on, but for stops by the terminal (^Z): they stopped us as
// well, and we are here again.
func (t *tether) resume(ws unix.WaitStatus) error {
	if forks(ws) {
		return t.forked()
	}
	s := ws.StopSignal()
	switch {
	case event(ws) != 0, s == unix.SIGSTOP, s == unix.SIGTSTP, s == unix.SIGTTIN, s == unix.SIGTTOU:
		s = 0
	}
	return t.failed("continue", unix.PtraceCont(t.pid, int(s)))
}

// forked ends what the process has forked, and tells that it is not the jail's: that
// one forks nothing before it may run the command (bubblewrap.c, main). What it
// forks is traced too (ptrace(2)), and would never be let go.
func (t *tether) forked() error {
	inner, err := t.made()
	if err != nil || inner == nil {
		return err
	}
	if err := unix.Kill(inner.pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		return inner.failed("end", err)
	}
	return errors.Join(errAround, inner.reap())
}

// failed says what could not be done. What was killed meanwhile is no failure: the next
// wait tells of it.
func (t *tether) failed(what string, err error) error {
	if err == nil || errors.Is(err, unix.ESRCH) {
		return nil
	}
	return fmt.Errorf("%s process %d, which holds the command back: %w", what, t.pid, err)
}
