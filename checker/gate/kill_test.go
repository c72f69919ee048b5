package gate_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// repeat is how often a test of a race runs: more where the variable says so.
func repeat(t *testing.T, variable string, times int) int {
	t.Helper()
	if v := os.Getenv(variable); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			t.Fatalf("%s: %v", variable, err)
		}
		return n
	}
	return times
}

// processes returns those whose command line holds mark.
func processes(t *testing.T, mark string) []int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, f := range files {
		line, err := os.ReadFile(f)
		if err != nil || !bytes.Contains(line, []byte(mark)) {
			continue // it ended meanwhile
		}
		pid, err := strconv.Atoi(strings.Split(f, "/")[2])
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, pid)
	}
	return found
}

// leftover waits until no process with mark is left, and returns those that are in the
// end, killed.
func leftover(t *testing.T, mark string) []int {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if len(processes(t, mark)) == 0 {
			return nil
		}
	}
	return ended(t, mark)
}

// ended kills the processes with mark.
func ended(t *testing.T, mark string) []int {
	t.Helper()
	left := processes(t, mark)
	for _, pid := range left {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return left
}

// victim starts a launch with its steps on standard error. At the end of step it
// returns; at the end of output the channel gives what was printed.
func victim(t *testing.T, c *exec.Cmd, step string) <-chan string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = w
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	reached, text := make(chan bool, 1), make(chan string, 1)
	go func() {
		var all strings.Builder
		for lines := bufio.NewScanner(io.TeeReader(r, &all)); lines.Scan(); {
			if step != "" && strings.Contains(lines.Text(), " "+step+" ") {
				reached <- true
			}
		}
		reached <- false
		r.Close()
		text <- all.String()
	}()
	if step != "" {
		<-reached
	}
	return text
}

// A launch that dies must not start the command without having checked the jail,
// and must leave nothing behind. Once the command is released, a moment remains
// in which bwrap's --die-with-parent does not hold yet; what runs on then is a
// jail that was checked.
func TestDeathBeforeRelease(t *testing.T) {
	w := gatetest.New(t)
	steps := []string{"", "load bwrap", "hardening", "wait for the rules", "judge", "log", "start bwrap", "build the jail", "verify"}
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			n := repeat(t, "OCJAIL_TEST_KILLS", map[bool]int{true: 120, false: 16}[signal == syscall.SIGKILL])
			released, left := 0, 0
			for i := range n {
				mark := fmt.Sprintf("mark-%d-%d-%d", signal, os.Getpid(), i)
				c := w.Ocjail(sh(w.Jail(), "echo >"+mark+"; sleep 60")...)
				c.Args = append([]string{c.Args[0], "gate", "--timings"}, c.Args[2:]...)
				step := steps[i%len(steps)]
				text := victim(t, c, step)
				time.Sleep(time.Duration(rand.Int64N(map[bool]int64{true: 40, false: 4}[step == ""] * int64(time.Millisecond))))
				_ = syscall.Kill(c.Process.Pid, signal) // it may have ended
				// A command that runs gets ^C from the terminal, not from here.
				timer := time.AfterFunc(200*time.Millisecond, func() { _ = c.Process.Kill() })
				_ = c.Wait()
				timer.Stop()
				pids := leftover(t, mark)
				verified := strings.Contains(<-text, " verify ")
				if verified {
					released++
				}
				if pids != nil && !verified {
					t.Errorf("killed after %q: processes %v are left", step, pids)
				}
				if pids != nil {
					left++
				}
				if _, err := os.Stat(filepath.Join(w.Project, mark)); err == nil && !verified {
					t.Errorf("killed after %q: the command ran in a jail that was not verified", step)
				}
			}
			t.Logf("%d of %d launches had released the command; %d of those left it running", released, n, left)
		})
	}
}

// A jail that is to end with its parent ends with the program that called bwrap,
// in whose place the gate stands.
func TestEndsWithItsCaller(t *testing.T) {
	w := gatetest.New(t)
	for name, follows := range map[string]bool{"--die-with-parent": true, "--unshare-uts": false} {
		mark := fmt.Sprintf("9%d", rand.Uint32())
		argv := append(append([]string{"-c", `"$@"; true`, "sh", gatetest.Build(t).Ocjail, "gate", "--"}, w.Jail(name)...), "--", "sleep", mark)
		c := w.Command("sh", argv...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		jailed := func() (n int) {
			for _, pid := range processes(t, mark) {
				if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil && bytes.HasPrefix(line, []byte("sleep\x00")) {
					n++
				}
			}
			return n
		}
		gatetest.Until(t, name+": the jail's command", func() bool { return jailed() > 0 })
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait() // killed
		if !follows {
			if len(ended(t, mark)) == 0 {
				t.Errorf("%s: nothing is left", name)
			}
		} else if left := leftover(t, mark); len(left) > 0 {
			t.Errorf("%s: processes %v are left", name, left)
		}
	}
}
