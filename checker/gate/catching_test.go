package gate

import (
	"bytes"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// ready starts the running test once more, in a role, and waits for its first word.
func ready(t *testing.T, role string) (c *exec.Cmd, said *bytes.Buffer) {
	t.Helper()
	c, said = exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+t.Name()+"$"), &bytes.Buffer{}
	c.Env, c.Dir, c.Stderr = append(os.Environ(), role), t.TempDir(), said // the folder may get a core dump
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return c, said
}

// A signal ends a launch that hangs in a system call, as a write to a log whose file system
// does not answer; after that it is for whoever supervises the jail.
func TestSignalsWhileCatching(t *testing.T) {
	const role = "OCJAIL_TEST_CATCHES"
	if as := os.Getenv(role); as != "" {
		caught := catching()
		s := signals(nil)
		if as == "called" {
			s = caught()
		}
		if _, err := os.Stdout.WriteString("ready\n"); err != nil {
			os.Exit(1)
		}
		if as == "called" {
			os.Exit(int((<-s).(syscall.Signal)))
		}
		var never [2]int
		if err := unix.Pipe(never[:]); err != nil {
			os.Exit(1)
		}
		_, _ = unix.Read(never[0], make([]byte, 1)) // for ever
		os.Exit(1)
	}
	for as, want := range map[string]func(syscall.WaitStatus) bool{
		"hangs":  func(ws syscall.WaitStatus) bool { return ws.Signal() == unix.SIGTERM },
		"called": func(ws syscall.WaitStatus) bool { return ws.ExitStatus() == int(unix.SIGTERM) },
	} {
		c, _ := ready(t, role+"="+as)
		hung := time.AfterFunc(time.Minute, func() { _ = c.Process.Kill() }) // it may end just then
		if err := c.Process.Signal(unix.SIGTERM); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait() // how it ended is looked at below
		hung.Stop()
		if ws, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || !want(ws) {
			t.Errorf("%s: it ended with %v", as, c.ProcessState)
		}
	}
}

// Whoever presses Ctrl-\ while a launch looks at the host ends it, and reads no stacks of
// goroutines. Once signals are caught it is one of them.
func TestQuitIsPlain(t *testing.T) {
	const role = "OCJAIL_TEST_QUITS"
	if as := os.Getenv(role); as != "" {
		plainQuit()
		s := make(signals)
		if as == "caught" {
			s = catchSignals()
		}
		if _, err := os.Stdout.WriteString("ready\n"); err != nil {
			os.Exit(1)
		}
		os.Exit(int((<-s).(syscall.Signal)))
	}
	for as, want := range map[string]func(syscall.WaitStatus) bool{
		"plain":  func(ws syscall.WaitStatus) bool { return ws.Signal() == unix.SIGQUIT },
		"caught": func(ws syscall.WaitStatus) bool { return ws.ExitStatus() == int(unix.SIGQUIT) },
	} {
		c, said := ready(t, role+"="+as)
		if err := c.Process.Signal(unix.SIGQUIT); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait() // how it ended is looked at below
		if ws, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || !want(ws) || said.Len() > 0 {
			t.Errorf("%s: it ended with %v and said %q", as, c.ProcessState, said.String())
		}
	}
}
