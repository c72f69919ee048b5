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
// and goes on when it is told to. All calls belong to the thread that forked
// bwrap. A nil tether does nothing: where tracing is forbidden (Yama, some
// containers), and with a script around bwrap, a process that waits for ever can be
// left over when we are killed. It never runs the command.
type tether struct {
	pid  int
	gone bool // ended and reaped
}

// forks are the events in which bwrap makes the process of the jail, whichever
// call it uses.
const forks = unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACECLONE

// tetherFork follows bwrap, started with PTRACE_TRACEME, until it forks, and
// lets go of it. What it forked is ours from its first instruction on. The
// tether is nil when bwrap ended instead, and was reaped.
func tetherFork(bwrap int) (*tether, error) {
	b := &tether{pid: bwrap}
	for first := true; ; first = false {
		stopped, ws, err := b.wait(0)
		if err != nil || !stopped {
			return nil, err
		}
		if first {
			if err := unix.PtraceSetOptions(bwrap, unix.PTRACE_O_EXITKILL|forks); err != nil {
				return nil, b.failed("follow", err)
			}
		}
		if ws.StopSignal() == unix.SIGTRAP && ws.TrapCause() > 0 {
			child, err := unix.PtraceGetEventMsg(bwrap)
			if err != nil {
				return nil, b.failed("follow", err)
			}
			t := &tether{pid: int(child)}
			return t, errors.Join(b.failed("let go of", unix.PtraceDetach(bwrap)), t.begin())
		}
		if err := b.resume(ws); err != nil {
			return nil, err
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
	if err := unix.Kill(t.pid, unix.SIGSTOP); err != nil {
		return t.failed("stop", err)
	}
	for {
		stopped, ws, err := t.wait(0)
		switch {
		case err != nil:
			return err
		case !stopped:
			return errSetup
		case ws.StopSignal() == unix.SIGSTOP:
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

// resume hands the signal on, but for tracing's own, and for stops by the
// terminal (^Z): they stopped us as well, and we are here again.
func (t *tether) resume(ws unix.WaitStatus) error {
	if ws.TrapCause() > 0 {
		return t.forked()
	}
	s := ws.StopSignal()
	switch s {
	case unix.SIGTRAP, unix.SIGSTOP, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU:
		s = 0
	}
	err := unix.PtraceCont(t.pid, int(s))
	if errors.Is(err, unix.ESRCH) { // killed meanwhile; the next wait tells
		return nil
	}
	return t.failed("continue", err)
}

// forked ends what the process has forked, and tells that it is not the jail's: that
// one forks nothing before it may run the command (bubblewrap.c, main). What it
// forks is traced too (ptrace(2)), and would never be let go.
func (t *tether) forked() error {
	child, err := unix.PtraceGetEventMsg(t.pid)
	if err != nil {
		return t.failed("follow", err)
	}
	inner := &tether{pid: int(child)}
	if err := unix.Kill(inner.pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		return inner.failed("end", err)
	}
	return errors.Join(errAround, inner.reap())
}

func (t *tether) failed(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s process %d, which holds the command back: %w", what, t.pid, err)
}
