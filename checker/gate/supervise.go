package gate

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// keyboard are the signals that reach the jail by themselves, for it is in our
// process group.
var keyboard = []os.Signal{unix.SIGINT, unix.SIGQUIT}

// forwarded are signals that somebody sends to end the jail.
var forwarded = []os.Signal{unix.SIGTERM, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2}

// signals would end us before bwrap.
type signals chan os.Signal

// catchSignals takes them from here on, but for SIGHUP and SIGINT where the caller
// ignores them, as nohup(1) does: they stay ignored, in the jail too. Of the others Go's
// runtime does not tell whether they were.
func catchSignals() signals {
	runtimesQuit()
	s := make(signals, 16)
	for _, sig := range append(keyboard, forwarded...) {
		if !signal.Ignored(sig) {
			signal.Notify(s, sig)
		}
	}
	return s
}

// action is the kernel's struct sigaction; all zero is the default.
type action [4]uintptr

// swapAction sets what a signal does past Go's runtime, which is not to know, and returns
// what it did.
func swapAction(s syscall.Signal, to action) (was action) {
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(&to)), uintptr(unsafe.Pointer(&was)), 8, 0, 0)
	return was
}

// runtimesQuit undoes plainQuit.
var runtimesQuit = func() {}

// plainQuit has SIGQUIT end this process as it ends others, until signals are caught. Go's
// runtime would print the stacks of its goroutines.
func plainQuit() {
	was := swapAction(unix.SIGQUIT, action{})
	runtimesQuit = sync.OnceFunc(func() { swapAction(unix.SIGQUIT, was) })
}

// catching catches signals. Until the function that it returns is called, they end this
// process as if they were not caught, also while it waits for a file system that does not
// answer.
func catching() func() signals {
	s, called := catchSignals(), make(chan struct{})
	go func() {
		select {
		case sig := <-s:
			if n, ok := sig.(syscall.Signal); ok {
				os.Exit(dieBy(n))
			}
		case <-called:
		}
	}()
	return func() signals {
		close(called)
		return s
	}
}

// interrupted says which signal ended a launch before the command ran.
type interrupted struct{ signal syscall.Signal }

func (e *interrupted) Error() string {
	return fmt.Sprintf("ended by %v before the command was started", unix.SignalName(e.signal))
}

// fatal returns an interrupted if a signal has come.
func (s signals) fatal() error {
	select {
	case sig := <-s:
		if n, ok := sig.(syscall.Signal); ok {
			return &interrupted{n}
		}
		return fmt.Errorf("unknown signal %v", sig)
	default:
		return nil
	}
}

// give has signals end this process again, and ends it if one has come: err may have the
// launch tried once more, which would not know of that.
func (s signals) give(err error) (int, error) {
	signal.Stop(s)
	var by *interrupted
	if errors.As(errors.Join(err, s.fatal()), &by) {
		return dieBy(by.signal), err
	}
	return Broken, err
}

// ending is how bwrap ended.
type ending struct {
	status int
	signal syscall.Signal // 0 when it exited by itself
}

// finish ends this process in the same way, or returns its exit status.
func (e ending) finish() int {
	if e.signal != 0 {
		return dieBy(e.signal)
	}
	return e.status
}

// supervise waits for bwrap as a shell would not notice.
func (j *jailStart) supervise(std *stdio, s signals) (ending, error) {
	done := make(chan struct{})
	go j.forward(s, done)
	ws, err := wait(j.bwrap)
	close(done)
	if j.handle >= 0 {
		// bwrap's --die-with-parent misses a jail that has just been released. This
		// reaches it under its own identity; mostly it has ended, which is no error.
		_ = unix.PidfdSendSignal(j.handle, unix.SIGKILL, nil, 0)
	}
	if err != nil {
		return ending{status: Broken}, err
	}
	err = std.drain()
	if ws.Signaled() {
		return ending{signal: ws.Signal()}, err
	}
	if err != nil && ws.ExitStatus() == 0 {
		return ending{status: Broken}, err // output is missing that the command believes written
	}
	return ending{status: ws.ExitStatus()}, err
}

// gone waits for the end of the jail's first process, with which the kernel ends
// all others of its PID namespace (pid_namespaces(7)).
func (j *jailStart) gone() error {
	if j.handle < 0 {
		return nil // it had ended before anybody could ask for a handle
	}
	for end := time.Now().Add(goneLimit); time.Now().Before(end); {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(j.handle), Events: unix.POLLIN}}, int(goneLimit.Milliseconds()))
		if n == 1 || err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
	}
	return errors.New("the jail does not end, though it was killed: a process in it waits for a device or a server")
}

const goneLimit = 10 * time.Second

func (j *jailStart) forward(s signals, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case sig := <-s:
			if n, ok := sig.(syscall.Signal); ok && n != unix.SIGINT && n != unix.SIGQUIT {
				// It may have ended meanwhile; wait tells.
				_ = unix.Kill(j.bwrap, n)
			}
		}
	}
}

// dieBy ends this process as bwrap was ended, so that a shell sees the same. It
// sets the default action past the runtime, which would print its stacks for
// some signals and ignore others. It returns if the signal does not end us.
func dieBy(s syscall.Signal) int {
	swapAction(s, action{})
	if unix.Kill(unix.Getpid(), s) == nil {
		time.Sleep(100 * time.Millisecond) // any thread may take it
	}
	return 128 + int(s)
}
