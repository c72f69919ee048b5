package gate_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// console is a program on a pseudo-terminal of its own.
type console struct {
	t    *testing.T
	cmd  *exec.Cmd
	pty  *os.File
	mu   sync.Mutex
	text bytes.Buffer
	eof  chan struct{}
}

func onTerminal(t *testing.T, cmd *exec.Cmd) *console {
	t.Helper()
	cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setctty = true, true
	p, err := pty.StartWithAttrs(cmd, &pty.Winsize{Rows: 24, Cols: 80}, cmd.SysProcAttr)
	if err != nil {
		t.Fatal(err)
	}
	c := &console{t: t, cmd: cmd, pty: p, eof: make(chan struct{})}
	t.Cleanup(func() { _ = p.Close(); _ = cmd.Process.Kill() })
	go func() {
		defer close(c.eof)
		buf := make([]byte, 4096)
		for {
			n, err := p.Read(buf)
			c.mu.Lock()
			c.text.Write(buf[:n])
			c.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return c
}

func (c *console) shown() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// expect waits until text was printed and forgets what came before its end.
func (c *console) expect(text string) {
	c.t.Helper()
	for range 1000 {
		c.mu.Lock()
		i := bytes.Index(c.text.Bytes(), []byte(text))
		if i >= 0 {
			c.text.Next(i + len(text))
		}
		c.mu.Unlock()
		if i >= 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	c.t.Fatalf("the terminal does not show %q but %q", text, c.shown())
}

func (c *console) typed(text string) {
	c.t.Helper()
	if _, err := c.pty.WriteString(text); err != nil {
		c.t.Fatal(err)
	}
}

func (c *console) end() gatetest.Outcome {
	c.t.Helper()
	timer := time.AfterFunc(20*time.Second, func() { _ = c.cmd.Process.Kill() })
	defer timer.Stop()
	_ = c.cmd.Wait() // the status is looked at below
	<-c.eof
	o := gatetest.Outcome{Status: c.cmd.ProcessState.ExitCode(), Stdout: c.shown()}
	if ws, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		o.Signal, o.Status = ws.Signal(), 128+int(ws.Signal())
	}
	return o
}

func TestTypingIntoTheTerminal(t *testing.T) {
	w := gatetest.New(t)
	open, err := os.ReadFile("/proc/sys/dev/tty/legacy_tiocsti")
	legacy := err != nil || strings.TrimSpace(string(open)) != "0"
	try := func(jail func(...string) *exec.Cmd, request string) string {
		c := onTerminal(t, jail(append(w.Jail(), "--", "/probe", "ioctl", request)...))
		return strings.TrimSpace(strings.Trim(c.end().Stdout, "x"))
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
	c := onTerminal(t, w.Ocjail(append(w.Jail(), "--", "/probe", "sizes")...))
	c.expect("width 80")
	if err := pty.Setsize(c.pty, &pty.Winsize{Rows: 40, Cols: 120}); err != nil {
		t.Fatal(err)
	}
	c.expect("width 120")
	if o := c.end(); o.Status != 0 {
		t.Errorf("%+v", o)
	}
}

// A process that is traced stops at signals that it ignores: a resize while
// bwrap works must not stop the launch.
func TestResizeDuringTheLaunch(t *testing.T) {
	w := gatetest.New(t)
	for range 10 {
		c := onTerminal(t, w.Ocjail(sh(w.Jail(), "echo up")...))
		for i := range 40 {
			if err := pty.Setsize(c.pty, &pty.Winsize{Rows: 40, Cols: uint16(80 + i)}); err != nil {
				break // ended
			}
			time.Sleep(time.Millisecond)
		}
		c.expect("up")
		if o := c.end(); o.Status != 0 {
			t.Errorf("%+v", o)
		}
	}
}

func TestForegroundGroup(t *testing.T) {
	w := gatetest.New(t)
	c := onTerminal(t, w.Ocjail(append(w.Jail(), "--", "/probe", "group")...))
	c.expect("true")
}

// job starts words in an interactive shell with job control.
func job(t *testing.T, w *gatetest.World, words []string) *console {
	t.Helper()
	shell := w.Command("bash", "--norc", "--noprofile", "-i")
	shell.Env = append(shell.Env, "PS1=ready> ", "TERM=dumb")
	w.Write("project/job", "#!/bin/bash\nexec '"+strings.Join(words, "' '")+"'\n", 0o755)
	c := onTerminal(t, shell)
	c.expect("ready> ")
	c.typed("./job; echo status $?\n")
	c.expect("status $?") // the echo of what was typed
	return c
}

func TestInterruptFromTheKeyboard(t *testing.T) {
	w := gatetest.New(t)
	for name, argv := range map[string][]string{
		"with ocjail":    w.Ocjail(sh(w.Jail(), "echo up; sleep 60")...).Args,
		"without ocjail": w.Bwrap(sh(w.Jail("--die-with-parent"), "echo up; sleep 60")...).Args,
	} {
		t.Run(name, func(t *testing.T) {
			c := job(t, w, argv)
			c.expect("up")
			c.typed("\x03")
			c.expect("ready> ") // bash drops the rest of a line whose job died by SIGINT
			c.typed("echo last $?\n")
			c.expect("last 130")
			c.typed("exit\n")
		})
	}
}

func TestSuspendAndResume(t *testing.T) {
	w := gatetest.New(t)
	for name, argv := range map[string][]string{
		"with ocjail":    w.Ocjail(sh(w.Jail(), "echo up; read line; echo got $line; exit 9")...).Args,
		"without ocjail": w.Bwrap(sh(w.Jail(), "echo up; read line; echo got $line; exit 9")...).Args,
	} {
		t.Run(name, func(t *testing.T) {
			c := job(t, w, argv)
			c.expect("up")
			c.typed("\x1a")
			c.expect("Stopped")
			c.expect("ready> ")
			c.typed("fg\n")
			c.expect("job") // bash names what it continues
			c.typed("hello\n")
			c.expect("got hello")
			c.expect("ready> ")
			c.typed("echo last $?\nexit\n")
			c.expect("last 9")
		})
	}
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
		for range 500 {
			if w.Read("project/"+mark) != "" {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
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
	c := w.Command("sh", append([]string{"-c", `trap "" HUP; exec "$@"`, "sh"}, w.Ocjail(sh(w.Jail(), "echo >up; sleep 0.3; echo survived")...).Args...)...)
	var out bytes.Buffer
	c.Stdout = &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for range 500 {
		if w.Read("project/up") != "" {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	_ = c.Process.Signal(unix.SIGHUP)
	if err := c.Wait(); err != nil || out.String() != "survived\n" {
		t.Errorf("%v, %q", err, out.String())
	}
}
