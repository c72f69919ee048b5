package gate

import (
	"errors"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"golang.org/x/sys/unix"
)

// forwarded are signals that somebody sends to end the jail. Those of the
// keyboard reach it by themselves, for it is in our process group.
var forwarded = []os.Signal{unix.SIGTERM, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2}

// supervise waits for bwrap as a shell would not notice: it takes the signals
// that would end us before bwrap, and ends as bwrap ended.
func (j *jailStart) supervise(s *stdio) (int, error) {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, append([]os.Signal{unix.SIGINT, unix.SIGQUIT}, forwarded...)...)
	done := make(chan struct{})
	go j.forward(signals, done)
	go debug.FreeOSMemory() // the check is over, the jail may run for days
	ws, err := wait(j.bwrap)
	close(done)
	if err != nil {
		return Broken, err
	}
	err = s.drain()
	if ws.Signaled() {
		signal.Stop(signals)
		return dieBy(ws.Signal()), err
	}
	return ws.ExitStatus(), err
}

func (j *jailStart) forward(signals <-chan os.Signal, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case s := <-signals:
			if n, ok := s.(syscall.Signal); ok && n != unix.SIGINT && n != unix.SIGQUIT {
				// It may have ended meanwhile; wait tells.
				_ = unix.Kill(j.bwrap, n)
			}
		}
	}
}

// dieBy ends this process as bwrap was ended, so that a shell sees the same.
func dieBy(s syscall.Signal) int {
	signal.Reset(s)
	if err := unix.Kill(unix.Getpid(), s); err == nil || !errors.Is(err, unix.EINVAL) {
		runtime.Gosched()
	}
	return 128 + int(s)
}
