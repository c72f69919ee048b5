package gate_test

import (
	"bufio"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// swapper renames P/.git and P/other over each other until it is stopped.
type swapper struct {
	stopped chan bool
	stop    atomic.Bool
}

func swap(project string) *swapper {
	s := &swapper{stopped: make(chan bool)}
	a, b := filepath.Join(project, ".git"), filepath.Join(project, "other")
	go func() {
		for !s.stop.Load() {
			_ = unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
			time.Sleep(time.Duration(rand.IntN(4000)) * time.Microsecond)
		}
		close(s.stopped)
	}()
	return s
}

func (s *swapper) end() {
	s.stop.Store(true)
	<-s.stopped
}

// Another jail of the same project swaps directories while bwrap mounts by
// path. It stops when the jail is built and held back; what then runs must have
// its protection.
func TestSwappedDirectories(t *testing.T) {
	w := gatetest.New(t)
	for _, d := range []string{".git", "other"} {
		w.Write("project/"+d+"/hooks/sample", "", 0o644)
		w.Write("project/"+d+"/HEAD", "ref: refs/heads/main\n", 0o644)
		w.Write("project/"+d+"/config", "[core]\n", 0o644)
		w.Write("project/"+d+"/objects/x", "", 0o644)
		w.Write("project/"+d+"/refs/x", "", 0o644)
	}
	script := "echo evil 2>/dev/null >.git/hooks/planted && echo unprotected || echo protected"
	ran, bad := 0, 0
	n := repeat(t, "OCJAIL_TEST_RACES", 100)
	for range n {
		s := swap(w.Project)
		c := w.Ocjail(sh(w.Jail(), script)...)
		c.Args = append([]string{c.Args[0], "gate", "--timings"}, c.Args[2:]...)
		out := stopBefore(t, c, "start bwrap", s)
		if out != "" {
			ran++
		}
		if strings.Contains(out, "unprotected") {
			bad++
			_ = os.Remove(w.Project + "/.git/hooks/planted")
		}
	}
	t.Logf("%d of %d launches ran", ran, n)
	if bad > 0 || ran == 0 {
		t.Errorf("%d of %d jails that ran were unprotected", bad, ran)
	}
}

// stopBefore runs c, stops s some time after step, and returns c's output, or
// nothing when the next step had ended by then.
func stopBefore(t *testing.T, c *exec.Cmd, step string, s *swapper) string {
	t.Helper()
	r, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out strings.Builder
	c.Stdout, c.Stderr = &out, pw
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	pw.Close()
	late := false
	lines := bufio.NewReader(r)
	for line, err := lines.ReadString('\n'); err == nil; line, err = lines.ReadString('\n') {
		if !strings.Contains(line, " "+step+" ") || s.stop.Load() {
			continue
		}
		time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond)
		s.end()
		// The next line says that the jail was verified: then a swap came after.
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(r.Fd()), Events: unix.POLLIN}}, 0)
		late = n != 0 || err != nil || lines.Buffered() > 0
	}
	_ = c.Wait() // refusals are as good as runs
	if !s.stop.Load() {
		s.end()
	}
	if late {
		return ""
	}
	return out.String()
}

// Without verification the same race is lost now and then.
func TestSwappedDirectoriesWithoutOcjail(t *testing.T) {
	w := gatetest.New(t)
	for _, d := range []string{".git", "other"} {
		w.Write("project/"+d+"/hooks/sample", "", 0o644)
	}
	hooks := filepath.Join(w.Project, ".git/hooks")
	argv := sh(w.Jail("--bind", w.Project+"/.git", w.Project+"/.git", "--ro-bind", hooks, hooks, "--block-fd", "3"),
		"echo evil 2>/dev/null >.git/hooks/planted && echo unprotected || echo protected")
	for range 2000 {
		r, pw, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		s := swap(w.Project)
		c := at(w.Bwrap(argv...), r)
		time.AfterFunc(time.Duration(5+rand.IntN(10))*time.Millisecond, func() { s.end(); pw.Close() })
		o := w.Run(c)
		<-s.stopped
		r.Close()
		_ = os.Remove(hooks + "/planted")
		if strings.Contains(o.Stdout, "unprotected") {
			return
		}
	}
	t.Error("no jail was unprotected in 2,000 launches: the race can not be shown")
}
