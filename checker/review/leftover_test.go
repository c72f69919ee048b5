package review

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// reopen waits until the record is unlocked: it may still be on its way to the disk.
func reopen(state, dir string) (p *Project, err error) {
	for range 6000 {
		if p, err = Open(state, dir); err != nil || len(p.Changes()) > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return p, err
}

// A jail that outlives its ocjail is ended before its session is reviewed; a
// process that only has its number is left alone.
func TestLeftover(t *testing.T) {
	for _, reused := range []bool{false, true} {
		f := newFolder(t, "x")
		state := t.TempDir()
		p, err := Open(state, f.dir)
		check(t, err)
		s, err := p.Begin(f.plan)
		check(t, err)
		c := exec.Command("sleep", "60")
		check(t, c.Start())
		check(t, s.Runs(c.Process.Pid))
		if reused {
			check(t, os.WriteFile(processFile(s.file), []byte(" 1 1\n"), 0o600))
		}
		f.write("x", "evil")
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		check(t, s.locked.Close()) // as when ocjail is killed
		p, err = reopen(state, f.dir)
		check(t, err)
		if len(p.Changes()) != 1 {
			t.Errorf("%+v", p.Changes())
		}
		if reused {
			check(t, c.Process.Kill())
		}
		<-ended
		if ws, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || ws.Signal() != syscall.SIGKILL {
			t.Errorf("%v", c.ProcessState)
		}
		if left, err := os.ReadDir(p.dir + "/" + sessionsDir); err != nil || len(left) != 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	}
	// What is noted and can not be read is no word that it has ended.
	f := newFolder(t)
	state := t.TempDir()
	p, err := Open(state, f.dir)
	check(t, err)
	s, err := p.Begin(f.plan)
	check(t, err)
	check(t, os.WriteFile(processFile(s.file), []byte("nonsense"), 0o600))
	check(t, s.locked.Close())
	if _, err := reopen(state, f.dir); err == nil {
		t.Error("nonsense is taken for an end")
	}
}
