package gate_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// A program that starts bwrap builds a jail as well as bwrap does, but the process that
// is tied to ours is another one than holds the command.
func TestProgramAroundBwrap(t *testing.T) {
	w := gatetest.New(t)
	program, err := os.ReadFile(gatetest.Build(t).Probe)
	if err != nil {
		t.Fatal(err)
	}
	around := w.Write("tools/bwrap", string(program), 0o755)
	mark := fmt.Sprintf("around-%d", os.Getpid())
	argv := sh(w.Jail(), "echo ran "+mark)
	want(t, w.Run(w.Command(around, argv...)), 0, "ran "+mark+"\n")
	c := w.Ocjail(argv...)
	c.Args = append([]string{c.Args[0], "gate", "--bwrap", around}, c.Args[2:]...)
	o := w.Run(c)
	want(t, o, 125, "")
	if said := "ocjail: what was started as bwrap is a program around it: name the real one with --bwrap; nothing was started\n"; o.Stderr != said {
		t.Errorf("it said %q, want %q", o.Stderr, said)
	}
	if left := leftover(t, mark); left != nil {
		t.Errorf("processes %v are left", left)
	}
	if n := strings.Count(w.Read(logFile), "\n"); n != 1 {
		t.Errorf("it was tried %d times", n)
	}
}

// What a program says is taken for the jail only where it made it: else a number from
// another PID namespace would have a stranger killed.
func TestProgramNamesAStranger(t *testing.T) {
	w := gatetest.New(t)
	stranger := exec.Command("sleep", "60")
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stranger.Process.Kill()
		stranger.Wait()
	})
	script := w.Write("tools/bwrap", fmt.Sprintf(`#!/bin/sh
case $1 in --args) ;; *) exec bwrap "$@" ;; esac
fd=$(tr '\0' '\n' </proc/self/fd/$2 | sed -n '/^--info-fd$/{n;p;}')
eval "echo '{\"child-pid\": %d}' >&$fd"
exec sleep 60
`, stranger.Process.Pid), 0o755)
	c := w.Ocjail(sh(w.Jail(), "echo ran")...)
	c.Args = append([]string{c.Args[0], "gate", "--bwrap", script}, c.Args[2:]...)
	o := w.Run(c)
	want(t, o, 125, "")
	if !strings.Contains(o.Stderr, "name the real one with --bwrap") || !strings.Contains(o.Stderr, "which it has not made here") {
		t.Errorf("it said %q", o.Stderr)
	}
	var ws unix.WaitStatus
	if pid, err := unix.Wait4(stranger.Process.Pid, &ws, unix.WNOHANG, nil); err != nil || pid != 0 {
		t.Errorf("the stranger ended: %v, %v", ws, err)
	}
}

// One that neither makes a jail nor ends is ended with the launch, for which somebody asks
// the gate alone.
func TestProgramThatWaits(t *testing.T) {
	w := gatetest.New(t)
	program, err := os.ReadFile(gatetest.Build(t).Probe)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"program": string(program), "script": "#!/bin/sh\n[ $1 = --args ] || exec bwrap \"$@\"\necho waits >&2; sleep 3600; :\n"} {
		c := w.Ocjail(sh(w.Jail("--setenv", "PROBE_WAITS", "1"), "echo ran")...)
		c.Args = append([]string{c.Args[0], "gate", "--bwrap", w.Write(name+"/bwrap", text, 0o755)}, c.Args[2:]...)
		c.SysProcAttr.Setpgid = true
		said, err := c.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(said); lines.Scan() && lines.Text() != "waits"; {
			t.Log(lines.Text())
		}
		if err := c.Process.Signal(unix.SIGTERM); err != nil {
			t.Error(err)
		}
		hung := time.AfterFunc(20*time.Second, func() { c.Process.Kill() })
		_ = c.Wait() // the status is looked at below
		hung.Stop()
		_ = unix.Kill(-c.Process.Pid, unix.SIGKILL) // what the script left
		if ws := c.ProcessState.Sys().(syscall.WaitStatus); ws.Signal() != unix.SIGTERM {
			t.Errorf("a %s that waits: %v", name, c.ProcessState)
		}
	}
}
