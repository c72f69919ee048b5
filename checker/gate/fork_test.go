package gate

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// forked starts programs that fork, and ends them, as a launch starts bwrap.
func forked(t *testing.T, times int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for range times {
		hold, err := newHold()
		if err != nil {
			t.Fatal(err)
		}
		block, err := endless()
		if err != nil {
			t.Fatal(err)
		}
		j := &jailStart{block: block, handle: -1}
		p := &pending{bwrap: "/bin/sh", argv: []string{"sh", "-c", "read held <&3; (exec true)"}, files: []*os.File{os.Stdin, os.Stdout, os.Stderr, hold}}
		if err = j.fork(p); err == nil {
			j.seized, err = seize(j.bwrap)
		}
		if err == nil {
			err = errors.Join(letGo(hold), j.tie())
		}
		if err != nil || j.tether == nil {
			t.Fatal(j.tether, err)
		}
		if err := j.kill(); err != nil {
			t.Fatal(err)
		}
		if err := hold.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A process that has itself traced between vfork(2) and execve(2) stops there at a signal,
// and with it who forked it, for ever. In some hundred launches one signal hits that moment.
func TestSignalsDuringTheFork(t *testing.T) {
	const role = "OCJAIL_TEST_FORKS"
	if n, err := strconv.Atoi(os.Getenv(role)); err == nil {
		forked(t, n)
		return
	}
	for name, storm := range map[string]struct {
		forks   int
		signals []syscall.Signal
	}{
		"resized": {300, []syscall.Signal{unix.SIGWINCH}},
		"stopped": {25, []syscall.Signal{unix.SIGSTOP, unix.SIGCONT}},
	} {
		t.Run(name, func(t *testing.T) {
			c := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestSignalsDuringTheFork$")
			c.Env = append(os.Environ(), role+"="+strconv.Itoa(storm.forks))
			c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			hung := time.AfterFunc(2*time.Minute, func() { _ = unix.Kill(-c.Process.Pid, unix.SIGKILL) }) // it may end just then
			over := make(chan struct{})
			go func() {
				defer close(over)
				for {
					for _, s := range storm.signals {
						if unix.Kill(-c.Process.Pid, s) != nil {
							return
						}
					}
				}
			}()
			err := c.Wait()
			hung.Stop()
			<-over
			if err != nil {
				t.Error(err)
			}
		})
	}
}
