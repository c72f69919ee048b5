package gate

import (
	"errors"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// follows starts a shell script and ties the first process that it makes.
func follows(t *testing.T, script string) *tether {
	t.Helper()
	runtime.LockOSThread() // tracing belongs to a thread
	t.Cleanup(runtime.UnlockOSThread)
	hold, err := newHold()
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	sh, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", "read held <&3; " + script}, &syscall.ProcAttr{Files: []uintptr{0, 1, 2, hold.Fd()}})
	if err != nil {
		t.Fatal(err)
	}
	if tied, err := seize(sh); err != nil || !tied {
		t.Fatal(tied, err)
	}
	if err := letGo(hold); err != nil {
		t.Fatal(err)
	}
	held, err := tetherFork(sh)
	if err != nil || held == nil {
		t.Fatalf("%v, %v", held, err)
	}
	t.Cleanup(func() {
		_ = unix.Kill(held.pid, unix.SIGKILL) // it may have ended
		if err := held.reap(); err != nil {
			t.Error(err)
		}
		_ = unix.Kill(sh, unix.SIGKILL)
		if _, err := wait(sh); err != nil {
			t.Error(err)
		}
	})
	return held
}

// pumped is what pump says in the end: nil when the process ended.
func pumped(t *testing.T, held *tether) error {
	t.Helper()
	for end := time.Now().Add(setupLimit); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if err := held.pump(); err != nil || held.gone {
			return err
		}
	}
	t.Fatal("it neither ends nor forks")
	return nil
}

func TestTetherIsOfNoProcessThatForks(t *testing.T) {
	held := follows(t, "(sleep 60; :) ; :")
	if err := pumped(t, held); !errors.Is(err, errAround) {
		t.Errorf("a process that forks: %v", err)
	}
	held = follows(t, "(exec true); :")
	if err := pumped(t, held); err != nil {
		t.Errorf("one that forks nothing: %v", err)
	}
}

// What somebody kills in the moment of its release was ours when it ended: its parent is
// told when we have seen it.
func TestKilledWhenReleased(t *testing.T) {
	held := follows(t, "(sleep 60)")
	err := held.cut(func() error { return unix.Kill(held.pid, unix.SIGKILL) })
	if !errors.Is(err, errSetup) || !held.gone {
		t.Errorf("%v, %+v", err, held)
	}
}
