package gate_test

import (
	"bytes"
	"errors"
	"runtime"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// Signals that end nothing, sent to the whole group as a terminal does, stop no launch,
// whenever they come: neither where bwrap is forked, nor when the jail is done.
func TestSignalsDuringTheLaunch(t *testing.T) {
	w := gatetest.New(t)
	for name, storm := range map[string]struct {
		launches int
		signals  []syscall.Signal
	}{
		"resized":            {4, []syscall.Signal{unix.SIGWINCH}},
		"continued":          {4, []syscall.Signal{unix.SIGCONT}},
		"stopped":            {6, []syscall.Signal{unix.SIGSTOP, unix.SIGCONT}},
		"stopped by the key": {4, []syscall.Signal{unix.SIGTSTP, unix.SIGWINCH, unix.SIGCONT}},
	} {
		t.Run(name, func(t *testing.T) {
			for range storm.launches {
				c := w.Configured("gate { timeout = \"60s\" }\n", sh(w.Jail(), "echo up")...) // which passes while it is stopped, too
				c.SysProcAttr.Setpgid = true
				var stdout, stderr bytes.Buffer
				c.Stdout, c.Stderr = &stdout, &stderr
				if err := c.Start(); err != nil {
					t.Fatal(err)
				}
				hung := time.AfterFunc(30*time.Second, func() { _ = unix.Kill(-c.Process.Pid, unix.SIGKILL) }) // it may end just then
				go blow(-c.Process.Pid, storm.signals)
				if err := c.Wait(); err != nil || stdout.String() != "up\n" {
					t.Errorf("%v, %q, %s", err, stdout.String(), stderr.String())
				}
				hung.Stop()
			}
		})
	}
}

// blow sends signals until nobody is left, or the storm is over.
func blow(group int, signals []syscall.Signal) {
	for end := time.Now().Add(time.Second); time.Now().Before(end); {
		for _, s := range signals {
			if unix.Kill(group, s) != nil {
				return
			}
		}
	}
}

// Where nobody may trace, a launch is as good, but for what is left of one that is killed.
func TestWhereTracingIsForbidden(t *testing.T) {
	w := gatetest.New(t)
	c := w.Ocjail(sh(w.Jail(), "echo up")...)
	done := make(chan gatetest.Outcome)
	go func() {
		defer close(done)
		runtime.LockOSThread() // for ever: the thread ends with its filter
		if err := forbid(unix.SYS_PTRACE, unix.EPERM); err != nil {
			t.Error(err)
			return
		}
		if err := unix.PtraceInterrupt(unix.Getppid()); !errors.Is(err, unix.EPERM) {
			t.Errorf("tracing is not forbidden: %v", err)
		}
		done <- w.Run(c)
	}()
	want(t, <-done, 0, "up\n")
}

// forbid has a system call fail on this thread, and in what it starts.
func forbid(call uint32, with unix.Errno) error {
	code := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // seccomp_data.nr
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: call},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(with)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	p := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&p)), 0, 0)
}
