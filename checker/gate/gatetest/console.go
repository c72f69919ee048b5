package gatetest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// Console is a program on a pseudo-terminal of its own, 80 columns wide.
type Console struct {
	Cmd  *exec.Cmd
	Pty  *os.File
	t    testing.TB
	mu   sync.Mutex
	text bytes.Buffer
	eof  chan struct{}
}

// OnTerminal starts cmd as a session leader with a terminal, which says what
// answer returns for what it is asked; by default nothing.
func OnTerminal(t testing.TB, cmd *exec.Cmd, answer ...func(asked string) string) *Console {
	t.Helper()
	cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setctty = true, true
	p, err := pty.StartWithAttrs(cmd, &pty.Winsize{Rows: 24, Cols: 80}, cmd.SysProcAttr)
	if err != nil {
		t.Fatal(err)
	}
	p = pollable(t, p)
	c := &Console{t: t, Cmd: cmd, Pty: p, eof: make(chan struct{})}
	t.Cleanup(func() { _ = p.Close(); _ = cmd.Process.Kill() })
	go func() {
		defer close(c.eof)
		buf := make([]byte, 4096)
		for {
			n, err := p.Read(buf)
			c.mu.Lock()
			c.text.Write(buf[:n])
			c.mu.Unlock()
			for _, a := range answer {
				_, _ = p.WriteString(a(string(buf[:n]))) // it may have ended
			}
			if err != nil {
				return
			}
		}
	}()
	return c
}

// pollable returns f in such a form that closing it ends a read that waits, and
// so hangs the terminal up.
func pollable(t testing.TB, f *os.File) *os.File {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		err = errors.Join(unix.SetNonblock(fd, true), f.Close())
	}
	check(t, err)
	return os.NewFile(uintptr(fd), f.Name())
}

// Job starts words in an interactive shell with job control; "status N" is
// printed when they end.
func (w *World) Job(words []string) *Console {
	w.t.Helper()
	shell := w.Command("bash", "--norc", "--noprofile", "-i")
	shell.Env = append(shell.Env, "PS1=ready> ", "TERM=dumb")
	w.Write("project/job", "#!/bin/bash\nexec '"+strings.Join(words, "' '")+"'\n", 0o755)
	c := OnTerminal(w.t, shell)
	c.Expect("ready> ")
	c.Type("./job; echo status $?\n")
	c.Expect("status $?") // the echo of what was typed
	return c
}

// Shown is what was printed and not yet forgotten.
func (c *Console) Shown() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// Expect waits until text was printed and forgets what came before its end.
func (c *Console) Expect(text string) {
	c.t.Helper()
	if !until(func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		i := bytes.Index(c.text.Bytes(), []byte(text))
		if i >= 0 {
			c.text.Next(i + len(text))
		}
		return i >= 0
	}) {
		c.t.Fatalf("the terminal does not show %q but %q", text, c.Shown())
	}
}

// Job waits until the shell has given the terminal to a job, as it does at the latest a
// moment after it has printed the job's name.
func (c *Console) Job() {
	c.t.Helper()
	Until(c.t, "a job in the foreground", func() bool {
		group, err := unix.IoctlGetInt(int(c.Pty.Fd()), unix.TIOCGPGRP)
		return err == nil && group != c.Cmd.Process.Pid
	})
}

// Type sends text as if typed.
func (c *Console) Type(text string) {
	c.t.Helper()
	if _, err := c.Pty.WriteString(text); err != nil {
		c.t.Fatal(err)
	}
}

// End waits for the program's end.
func (c *Console) End() Outcome {
	c.t.Helper()
	timer := time.AfterFunc(20*time.Second, func() { _ = c.Cmd.Process.Kill() })
	defer timer.Stop()
	_ = c.Cmd.Wait() // the status is looked at below
	<-c.eof
	o := Outcome{Status: c.Cmd.ProcessState.ExitCode(), Stdout: c.Shown()}
	if ws, ok := c.Cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		o.Signal, o.Status = ws.Signal(), 128+int(ws.Signal())
	}
	return o
}
