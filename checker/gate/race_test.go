package gate_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// swapper renames files of a project over each other until it is stopped.
type swapper struct {
	end     func() // returns when it has stopped
	stopped bool
}

// swap starts a swapper of the pairs: in a second jail of the same project, or
// beside all jails, which is a little quicker. Between two swaps at most pause
// passes.
func swap(t *testing.T, w *gatetest.World, jailed bool, pause string, pairs ...string) *swapper {
	t.Helper()
	argv := append([]string{gatetest.Build(t).Probe, "swap", pause}, pairs...)
	c := w.Command(argv[0], argv[1:]...)
	if jailed {
		argv[0] = "/probe"
		c = w.Bwrap(append(w.Jail("--die-with-parent", "--"), argv...)...)
	}
	r, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stdin = r
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	r.Close()
	s := &swapper{}
	s.end = func() {
		s.stopped = true
		pw.Close()
		said, err := io.ReadAll(out)
		if err := errors.Join(err, c.Wait()); err != nil {
			t.Errorf("the swapper: %v: %s", err, said)
		}
	}
	return s
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
	n := repeat(t, "OCJAIL_TEST_RACES", 60)
	for i := range n {
		s := swap(t, w, i%2 == 0, "4ms", w.Project+"/.git", w.Project+"/other")
		c := w.Ocjail(sh(w.Jail(), script)...)
		c.Args = append([]string{c.Args[0], "gate", "--timings"}, c.Args[2:]...)
		out := stopBetween(t, c, "hardening", "verify", s)
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

// stopBetween runs c, stops s some time after the first step has ended, and returns c's
// output, or nothing when the second had ended by then.
func stopBetween(t *testing.T, c *exec.Cmd, first, second string, s *swapper) string {
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
	more := func() bool {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(r.Fd()), Events: unix.POLLIN}}, 0)
		return n != 0 || err != nil || lines.Buffered() > 0
	}
	for line, err := lines.ReadString('\n'); err == nil; line, err = lines.ReadString('\n') {
		if !strings.Contains(line, " "+first+" ") || s.stopped {
			continue
		}
		time.Sleep(time.Duration(rand.IntN(6000)) * time.Microsecond)
		s.end()
		for err == nil && more() {
			line, err = lines.ReadString('\n')
			late = late || strings.Contains(line, " "+second+" ") // a swap may have come after
		}
	}
	_ = c.Wait() // refusals are as good as runs
	if !s.stopped {
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
		s := swap(t, w, false, "4ms", w.Project+"/.git", w.Project+"/other")
		c := at(w.Bwrap(argv...), r)
		ended := make(chan bool)
		time.AfterFunc(time.Duration(5+rand.IntN(10))*time.Millisecond, func() { s.end(); pw.Close(); close(ended) })
		o := w.Run(c)
		<-ended
		r.Close()
		_ = os.Remove(hooks + "/planted")
		if strings.Contains(o.Stdout, "unprotected") {
			return
		}
	}
	t.Error("no jail was unprotected in 2,000 launches: the race can not be shown")
}

// Links and directories change places while a second jail of the same project
// runs: one is the source of a mount, and leads to a key; one is where a mount
// goes. Whatever runs has the folder that was judged, in the place that was judged.
func TestSwappedLinks(t *testing.T) {
	w := gatetest.New(t)
	secret := filepath.Dir(w.Write("secret/key", "hunter2\n", 0o644))
	w.Write("project/data/key", "mine\n", 0o644)
	w.Write("project/docs/mine", "", 0o644)
	w.Write("project/cache/old", "", 0o644)
	for link, target := range map[string]string{"data-link": secret, "cache-link": "docs"} {
		if err := os.Symlink(target, filepath.Join(w.Project, link)); err != nil {
			t.Fatal(err)
		}
	}
	w.Own()
	at := func(name string) string { return filepath.Join(w.Project, name) }
	config := fmt.Sprintf("watch %q { class = \"secret\" }", secret)
	argv := sh(w.Jail("--ro-bind", at("data"), "/data", "--tmpfs", at("cache")), "cat /data/key; [ -e docs/mine ] || echo moved")
	ran, refused, bad := 0, 0, 0
	n := repeat(t, "OCJAIL_TEST_RACES", 60)
	for i := 0; i < n; i += 10 {
		s := swap(t, w, true, "60ms", at("data"), at("data-link"), at("cache"), at("cache-link"))
		for range min(10, n-i) {
			switch o := w.Run(w.Configured(config, argv...)); {
			case o.Status == 0 && o.Stdout == "mine\n":
				ran++
			case (o.Status == 125 || o.Status == 126) && o.Stdout == "":
				refused++
			default:
				bad++
				t.Errorf("a jail ran that nobody judged: %+v", o)
			}
		}
		s.end()
	}
	t.Logf("of %d launches %d ran, %d were refused, %d were wrong", n, ran, refused, bad)
	if ran == 0 || refused == 0 {
		t.Errorf("%d ran and %d were refused: nothing was raced", ran, refused)
	}
}
