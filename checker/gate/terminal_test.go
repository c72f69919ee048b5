package gate_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

func TestTypingIntoTheTerminal(t *testing.T) {
	w := gatetest.New(t)
	open, err := os.ReadFile("/proc/sys/dev/tty/legacy_tiocsti")
	legacy := err != nil || strings.TrimSpace(string(open)) != "0"
	try := func(jail func(...string) *exec.Cmd, request string) string {
		c := gatetest.OnTerminal(t, jail(append(w.Jail(), "--", "/probe", "ioctl", request)...))
		return strings.TrimSpace(strings.Trim(c.End().Stdout, "x"))
	}
	plain := try(w.Bwrap, "0x5412")
	if !legacy {
		t.Logf("this kernel refuses TIOCSTI by itself: %s", plain)
		if plain != "EIO" && plain != "EPERM" {
			t.Errorf("TIOCSTI without ocjail: %s", plain)
		}
		return
	}
	if plain != "done" {
		t.Errorf("TIOCSTI without ocjail: %s, so this test proves nothing", plain)
	}
	for _, request := range []string{"0x5412", "0xffffffff00005412", "0x541c", "0x10000541c"} {
		if got := try(w.Ocjail, request); got != "EPERM" {
			t.Errorf("ioctl %s under ocjail: %s", request, got)
		}
	}
}

func TestResizeReachesTheCommand(t *testing.T) {
	w := gatetest.New(t)
	c := gatetest.OnTerminal(t, w.Ocjail(append(w.Jail(), "--", "/probe", "sizes")...))
	c.Expect("width 80")
	if err := pty.Setsize(c.Pty, &pty.Winsize{Rows: 40, Cols: 120}); err != nil {
		t.Fatal(err)
	}
	c.Expect("width 120")
	if o := c.End(); o.Status != 0 {
		t.Errorf("%+v", o)
	}
}

// A process that is traced stops at signals that it ignores: a resize while
// bwrap works must not stop the launch.
func TestResizeDuringTheLaunch(t *testing.T) {
	w := gatetest.New(t)
	for range 10 {
		c := gatetest.OnTerminal(t, w.Ocjail(sh(w.Jail(), "echo up")...))
		for i := range 40 {
			if err := pty.Setsize(c.Pty, &pty.Winsize{Rows: 40, Cols: uint16(80 + i)}); err != nil {
				break // ended
			}
			time.Sleep(time.Millisecond)
		}
		c.Expect("up")
		if o := c.End(); o.Status != 0 {
			t.Errorf("%+v", o)
		}
	}
}

func TestForegroundGroup(t *testing.T) {
	w := gatetest.New(t)
	c := gatetest.OnTerminal(t, w.Ocjail(append(w.Jail(), "--", "/probe", "group")...))
	c.Expect("true")
}

func TestInterruptFromTheKeyboard(t *testing.T) {
	w := gatetest.New(t)
	for name, argv := range map[string][]string{
		"with ocjail":    w.Ocjail(sh(w.Jail(), "echo up; sleep 60")...).Args,
		"without ocjail": w.Bwrap(sh(w.Jail("--die-with-parent"), "echo up; sleep 60")...).Args,
	} {
		t.Run(name, func(t *testing.T) {
			c := w.Job(argv)
			c.Expect("up")
			c.Job()
			c.Type("\x03")
			c.Expect("ready> ") // bash drops the rest of a line whose job died by SIGINT
			c.Type("echo last $?\n")
			c.Expect("last 130")
			c.Type("exit\n")
		})
	}
}

func TestSuspendAndResume(t *testing.T) {
	w := gatetest.New(t)
	for name, jail := range map[string]func(...string) *exec.Cmd{"with ocjail": w.Ocjail, "without ocjail": w.Bwrap} {
		t.Run(name, func(t *testing.T) {
			mark := fmt.Sprintf("suspended-%d-%p", os.Getpid(), jail) // others may run this test too
			c := w.Job(jail(sh(w.Jail(), ": "+mark+"; echo up; read line; echo got $line; exit 9")...).Args)
			c.Expect("up")
			c.Job()
			c.Type("\x1a")
			c.Expect("Stopped")
			c.Expect("ready> ")
			// bash looks at its child alone. Until the reader has seen the signal, it takes
			// what is typed next (n_tty_read in Linux's drivers/tty/n_tty.c).
			gatetest.Until(t, "a stopped reader", func() bool { return stopped(t, mark) })
			c.Type("fg\n")
			c.Expect("job") // bash names what it continues
			c.Job()
			c.Type("hello\n")
			c.Expect("got hello")
			c.Expect("ready> ")
			c.Type("echo last $?\nexit\n")
			c.Expect("last 9")
		})
	}
}

// stopped tells whether the shell with mark is (proc_pid_stat(5)).
func stopped(t *testing.T, mark string) bool {
	t.Helper()
	for _, pid := range processes(t, mark) {
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && strings.Contains(string(stat), " (sh) T ") {
			return true
		}
	}
	return false
}

func TestExitStatus(t *testing.T) {
	w := gatetest.New(t)
	for _, script := range []string{"exit 0", "exit 1", "exit 7", "exit 125", "exit 255", "kill -TERM $$", "kill -KILL $$", "kill -SEGV $$"} {
		argv := sh(w.Jail(), script)
		if plain, jailed := w.Run(w.Bwrap(argv...)), w.Run(w.Ocjail(argv...)); plain != jailed {
			t.Errorf("%s: %+v without ocjail, %+v with it", script, plain, jailed)
		}
	}
	if o := w.Run(w.Ocjail(append(w.Jail(), "--", "no-such-program")...)); o.Status != 127 || !strings.Contains(o.Stderr, "no-such-program") {
		t.Errorf("%+v", o)
	}
}

func TestSignalsToOcjail(t *testing.T) {
	w := gatetest.New(t)
	// Under nohup(1) SIGHUP would be ignored here, and so by what is started.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, unix.SIGHUP)
	defer signal.Stop(caught)
	for _, s := range []syscall.Signal{unix.SIGTERM, unix.SIGHUP, unix.SIGUSR1, unix.SIGKILL} {
		mark := fmt.Sprintf("signal-%d-%d", s, os.Getpid()) // others may run this test too
		c := w.Ocjail(sh(w.Jail(), "echo >"+mark+"; sleep 60")...)
		var stderr bytes.Buffer
		c.Stderr = &stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		gatetest.Until(t, mark, func() bool { return w.Read("project/"+mark) != "" })
		if err := c.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait() // the status is looked at below
		if ws, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || ws.Signal() != s {
			t.Errorf("%v: %v, %s", s, c.ProcessState, stderr.String())
		}
		if left := leftover(t, mark); left != nil {
			t.Errorf("%v: processes %v are left", s, left)
		}
	}
}

// nohup(1) ignores SIGHUP; so must everything below it.
func TestIgnoredSignalStaysIgnored(t *testing.T) {
	w := gatetest.New(t)
	c := w.Command("sh", append([]string{"-c", `trap "" HUP; exec "$@"`, "sh"}, w.Ocjail(sh(w.Jail(), "echo >up; until [ -e go ]; do sleep 0.02; done; echo survived")...).Args...)...)
	var out bytes.Buffer
	c.Stdout = &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	gatetest.Until(t, "up", func() bool { return w.Read("project/up") != "" })
	_ = c.Process.Signal(unix.SIGHUP)
	w.Write("project/go", "", 0o644)
	if err := c.Wait(); err != nil || out.String() != "survived\n" {
		t.Errorf("%v, %q", err, out.String())
	}
}
