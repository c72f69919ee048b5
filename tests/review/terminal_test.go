package review

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// asking is a launch in a mode, on a terminal.
func (w *world) asking(mode, script string) *gatetest.Console {
	w.t.Helper()
	return gatetest.OnTerminal(w.t, w.Configured(`gate { review = "`+mode+`" }`, w.jail(script)...))
}

func TestAskOnATerminal(t *testing.T) {
	w := newWorld(t)
	c := w.asking("ask", "echo one >.envrc; echo two >.npmrc; echo three >.mise.toml; echo x >package.json; exit 7")
	c.Expect("3 changes")
	c.Expect(".envrc")
	c.Expect("+one")
	c.Expect("[k/r/l/q] ")
	c.Type("what\n")
	c.Expect("[k/r/l/q] ")
	c.Type("r\n")
	c.Expect("Reverted 1; what was there is kept for 30 days in ")
	c.Expect(".mise.toml")
	c.Type("keep\n")
	c.Expect(".npmrc")
	c.Type("\n")
	c.Expect("Still pending: 2")
	if o := c.End(); o.Status != 7 {
		t.Errorf("the command's own status is lost: %+v", o)
	}
	w.pendingIs("new warning .npmrc", "new info package.json")
	if w.Read("project/.envrc") != "" || w.Read("project/.mise.toml") != "three\n" {
		t.Error("the answers were not heeded")
	}
}

// Also where the program left the terminal without echo and line editing.
func TestAskRestoresTheTerminal(t *testing.T) {
	w := newWorld(t)
	c := w.asking("ask", "stty raw -echo; echo one >.envrc")
	c.Expect("[k/r/l/q] ")
	c.Type("k\r")
	if o := c.End(); o.Status != 0 {
		t.Errorf("%+v", o)
	}
	w.pendingIs()
}

// Somebody who wants out gets out; what was not answered stays pending.
func TestAskIsLeft(t *testing.T) {
	for name, leave := range map[string]func(*gatetest.Console){
		"^C":            func(c *gatetest.Console) { c.Type("\x03") },
		"^D":            func(c *gatetest.Console) { c.Type("\x04") },
		"quit":          func(c *gatetest.Console) { c.Type("q\n") },
		"SIGTERM":       func(c *gatetest.Console) { _ = c.Cmd.Process.Signal(unix.SIGTERM) },
		"SIGHUP":        func(c *gatetest.Console) { _ = c.Cmd.Process.Signal(unix.SIGHUP) },
		"terminal gone": func(c *gatetest.Console) { _ = c.Pty.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c := w.asking("ask", "echo one >.envrc; exit 5")
			c.Expect("[k/r/l/q] ")
			leave(c)
			if o := c.End(); o.Status != 5 {
				t.Errorf("%+v", o)
			}
			w.pendingIs("new warning .envrc")
		})
	}
}

// Without a terminal to ask on, or in the background, nobody is asked.
func TestNobodyToAsk(t *testing.T) {
	w := newWorld(t)
	argv := w.Configured(`gate { review = "ask" }`, w.jail("echo one >.envrc")...).Args
	c := w.Job(append([]string{"setsid", "-w"}, argv...)) // a terminal that is not ours
	c.Expect("ocjail review")
	c.Expect("status 0")
	w.pendingIs("new warning .envrc")
	w.review("--revert")
	c.Expect("ready> ")
	c.Type("./job &\n")
	c.Expect("ocjail review")
	c.Type("wait\n")
	c.Expect("ready> ")
	w.pendingIs("new warning .envrc")
}

// The command asks as well, and its status says what is left.
func TestReviewOnATerminal(t *testing.T) {
	w := newWorld(t)
	w.must(w.session("printf 'a\\033[2Jb\\n' >.envrc; echo two >Makefile"))
	c := gatetest.OnTerminal(t, w.Command(gatetest.Build(t).Ocjail, "review"))
	c.Expect(`+a\x1b[2Jb`)
	c.Type("r\n")
	c.Expect("Makefile")
	c.Type("k\n")
	if o := c.End(); o.Status != 0 || strings.Contains(o.Stdout, "\x1b[2J") {
		t.Errorf("%+v", o)
	}
	w.pendingIs()
}

// The review changes nothing of how a job behaves on its terminal.
func TestJobControl(t *testing.T) {
	w := newWorld(t)
	words := w.Ocjail(w.jail("echo one >.envrc; echo up; read line; echo got $line; exit 9")...).Args
	c := w.Job(words)
	c.Expect("up")
	c.Type("\x1a")
	c.Expect("Stopped")
	c.Type("fg\n")
	c.Expect("job")
	c.Type("hello\n")
	c.Expect("got hello")
	c.Expect(".envrc: direnv runs it on cd")
	c.Expect("ready> ")
	c.Type("echo last $?\n")
	c.Expect("last 9")

	w.review("--revert")
	c.Type("./job\n")
	c.Expect("up")
	c.Type("\x03")
	c.Expect(".envrc: direnv runs it on cd")
	c.Expect("ready> ")
	c.Type("echo last $?\n")
	c.Expect("last 130")
	w.pendingIs("new warning .envrc")

	// A terminal that hangs up ends the session, and its review is made or left.
	check(t, os.Remove(w.Project+"/.envrc"))
	c.Type("./job\n")
	c.Expect("up")
	check(t, c.Pty.Close())
	_ = c.Cmd.Wait() // killed by SIGHUP
	settled(t, w.Project)
	w.pendingIs("new warning .envrc")
}
