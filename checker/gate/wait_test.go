package gate_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	ossignal "os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
	"github.com/refnil/opencode-jail-devenv/checker/host/hosttest"
)

// slow is a rule that takes some tenths of a second for each host's name that it has not
// judged before, and denies some.
const slow = `package slow

busy := sum([x | some x in numbers.range(count(input.jail.hostname), 300000)])

deny contains "a bad name" if {
	busy > 0
	contains(input.jail.hostname, "bad")
}
`

// pondering returns launches that the rules take some time for.
func pondering(t *testing.T) (w *gatetest.World, launch func(argv ...string) *exec.Cmd) {
	t.Helper()
	w = gatetest.New(t)
	if err := hosttest.Build(filepath.Dir(gatetest.Build(t).Ocjail), "ocjail-rules"); err != nil {
		t.Fatal(err)
	}
	w.Write("config/slow/slow.rego", slow, 0o644)
	w.Own()
	return w, func(argv ...string) *exec.Cmd {
		return w.Configured("policy \"slow\" { source = \"slow\" }\ngate { timeout = \"30s\" }\nrule \"gate/host-effect\" { severity = \"info\" }\n", argv...)
	}
}

// waiting returns the bwrap that a launch has loaded, once it waits for the verdict: it
// reads the first file of its options.
func waiting(t *testing.T, launch int) (bwrap int) {
	t.Helper()
	gatetest.Until(t, "bwrap waits", func() bool {
		for _, pid := range children(launch) {
			line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)) // it may have ended
			words := bytes.Split(line, []byte{0})
			if len(words) < 3 || string(words[0]) != "bwrap" {
				continue
			}
			call, _ := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", pid)) // as above
			fd, err := strconv.Atoi(string(words[2]))
			if at := fmt.Sprintf("%d 0x%x ", unix.SYS_READ, fd); err == nil && strings.HasPrefix(string(call), at) {
				bwrap = pid
			}
		}
		return bwrap != 0
	})
	return bwrap
}

// children of all of a process's threads.
func children(pid int) (all []int) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is right
	for _, f := range files {
		line, _ := os.ReadFile(f) // it may have ended
		for _, word := range strings.Fields(string(line)) {
			if n, err := strconv.Atoi(word); err == nil {
				all = append(all, n)
			}
		}
	}
	return all
}

// built returns the bwrap that a launch has loaded, once it has built the jail, and the
// process in that: it reads what lets the command run.
func built(t *testing.T, launch int) (bwrap, child int) {
	t.Helper()
	here := namespace(t, os.Getpid())
	gatetest.Until(t, "the jail is built", func() bool {
		for _, bwrap = range children(launch) {
			for _, child = range children(bwrap) {
				call, _ := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", child)) // it may have ended
				line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", child)) // as above
				inside, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", child))
				if err == nil && inside != here && bytes.HasPrefix(line, []byte("bwrap\x00")) && strings.HasPrefix(string(call), fmt.Sprintf("%d ", unix.SYS_READ)) {
					return true
				}
			}
		}
		return false
	})
	return bwrap, child
}

// begun is a launch that the rules take some time for.
type begun struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
}

func begin(t *testing.T, c *exec.Cmd) *begun {
	t.Helper()
	b := &begun{Cmd: c}
	c.Stdout, c.Stderr = &b.stdout, &b.stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return b
}

// ends tells whether the launch ended so, and left none of the processes.
func (b *begun) ends(t *testing.T, status int, stdout string, gone ...int) {
	t.Helper()
	_ = b.Wait() // how it ended is looked at below
	if got := b.ProcessState.ExitCode(); got != status || b.stdout.String() != stdout {
		t.Errorf("status %d, %q, want %d, %q: %s", got, b.stdout.String(), status, stdout, b.stderr.String())
	}
	for _, pid := range gone {
		if !over(pid) {
			t.Errorf("process %d is left", pid)
		}
	}
}

// verdicts are those of slow on two hosts' names.
var verdicts = map[string]struct {
	status int
	stdout string
}{"good": {0, "up\n"}, "bad": {126, ""}}

// A jail whose building leaves no trace is built beside the rules. Its command runs when
// they allow it, and not before.
func TestBuiltBeforeTheVerdict(t *testing.T) {
	w, launch := pondering(t)
	argv := func(host string) []string {
		return sh(w.Jail("--hostname", host), "touch "+w.Project+"/ran-"+host+"; echo up")
	}
	want(t, w.Run(w.Bwrap(argv("bad")...)), 0, "up\n")
	ran := func(host string) bool {
		_, err := os.Stat(w.Project + "/ran-" + host)
		return err == nil
	}
	if !ran("bad") {
		t.Fatal("bwrap alone runs nothing, so nothing is shown here")
	}
	if err := os.Remove(w.Project + "/ran-bad"); err != nil {
		t.Fatal(err)
	}
	for host, end := range verdicts {
		t.Run(host, func(t *testing.T) {
			b := begin(t, launch(argv(host)...))
			bwrap, child := built(t, b.Process.Pid)
			if ran(host) {
				t.Error("the command ran before the verdict")
			}
			b.ends(t, end.status, end.stdout, bwrap, child)
			if ran(host) != (host == "good") {
				t.Errorf("the command ran: %v", ran(host))
			}
		})
	}
}

// Where building would leave a trace, or tell somebody, bwrap is loaded beside the rules
// and builds nothing before they allow it.
func TestWaitsForTheVerdict(t *testing.T) {
	for name, c := range map[string]struct {
		option []string
		trace  func(t *testing.T, w *gatetest.World, status string) bool
	}{
		"folder": {[]string{"--dir", "made"}, func(_ *testing.T, w *gatetest.World, _ string) bool {
			_, err := os.Stat(w.Project + "/made")
			return err == nil
		}},
		"status": {[]string{"--json-status-fd", "3"}, func(t *testing.T, _ *gatetest.World, status string) bool {
			told, err := os.ReadFile(status)
			if err != nil {
				t.Fatal(err)
			}
			return len(told) > 0
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w, launch := pondering(t)
			if name == "folder" {
				c.option[1] = w.Project + "/made"
			}
			status := open(t, w.Write("status", "", 0o644), os.O_RDWR)
			argv := func(host string) []string {
				return sh(w.Jail(append([]string{"--hostname", host}, c.option...)...), "echo up")
			}
			trace := func() bool { return c.trace(t, w, status.Name()) }
			want(t, w.Run(at(w.Bwrap(argv("bad")...), status)), 0, "up\n")
			if !trace() {
				t.Fatal("bwrap alone leaves no trace, so nothing is shown here")
			}
			for host, end := range verdicts {
				if err := errors.Join(os.RemoveAll(w.Project+"/made"), status.Truncate(0)); err != nil {
					t.Fatal(err)
				}
				b := begin(t, at(launch(argv(host)...), status))
				bwrap := waiting(t, b.Process.Pid)
				if is, here := namespace(t, bwrap), namespace(t, os.Getpid()); is != here || len(children(bwrap)) > 0 || trace() {
					t.Errorf("before the verdict bwrap is in %s (here: %s), has children %v, has left a trace: %v", is, here, children(bwrap), trace())
				}
				b.ends(t, end.status, end.stdout, bwrap)
				if trace() != (host == "good") {
					t.Errorf("%s: there is a trace: %v", host, trace())
				}
			}
		})
	}
}

// over tells whether a process has ended, though nobody may have waited for it.
func over(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return err != nil || bytes.Contains(status, []byte("State:\tZ"))
}

func namespace(t *testing.T, pid int) string {
	t.Helper()
	name, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", pid))
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// Whatever ends a launch while the rules judge ends what waits for them.
func TestEndsWhileItWaits(t *testing.T) {
	w, launch := pondering(t)
	hangups := make(chan os.Signal, 1)
	ossignal.Notify(hangups, unix.SIGHUP) // else launches ignore it where these tests do (nohup(1))
	defer ossignal.Stop(hangups)
	states := map[string]struct {
		jail  []string
		waits func(launch int) []int
	}{
		"loaded": {[]string{"--dir", w.Project + "/made"}, func(launch int) []int { return []int{waiting(t, launch)} }},
		"built": {nil, func(launch int) []int {
			bwrap, child := built(t, launch)
			return []int{bwrap, child}
		}},
	}
	for name, state := range states {
		for _, signal := range []syscall.Signal{unix.SIGKILL, unix.SIGTERM, unix.SIGHUP, unix.SIGINT} {
			t.Run(name+" "+unix.SignalName(signal), func(t *testing.T) {
				host := name + "-" + unix.SignalName(signal)
				b := begin(t, launch(sh(w.Jail(append([]string{"--hostname", host}, state.jail...)...), "echo up")...))
				waits := state.waits(b.Process.Pid)
				if err := b.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				_ = b.Wait() // how it ended is looked at below
				if ws, ok := b.ProcessState.Sys().(syscall.WaitStatus); !ok || ws.Signal() != signal || b.stdout.Len() > 0 {
					t.Errorf("it ended with %v and %q", b.ProcessState, b.stdout.String())
				}
				gatetest.Until(t, "bwrap has ended", func() bool { return !slices.ContainsFunc(waits, func(pid int) bool { return !over(pid) }) })
			})
		}
	}
}

// A program in bwrap's place that the user, or the jail, could have put there is executed
// for no jail that is refused.
func TestReplaceableBwrapWaitsForNothing(t *testing.T) {
	w := gatetest.New(t)
	program, err := os.ReadFile(gatetest.Build(t).Probe)
	if err != nil {
		t.Fatal(err)
	}
	refused := []string{"--bind", "/", "/mnt"}
	for at, argv := range map[string][]string{
		w.Write("project/tools/bwrap", string(program), 0o755): w.Jail(refused...),
		w.Write("system/bwrap", string(program), 0o755):        w.Jail("--bind", w.Dir+"/system", "/system"),
	} {
		w.Own()
		c := w.Ocjail(sh(argv, "echo up")...)
		c.Args = append([]string{c.Args[0], "gate", "--bwrap", at}, c.Args[2:]...)
		c.Env = append(c.Env, "PROBE_WAITS=1")
		o := w.Run(c)
		if o.Status != 126 || strings.Contains(o.Stderr, "waits\n") || !strings.Contains(o.Stderr, "refused") {
			t.Errorf("%s: %+v", at, o)
		}
	}
}

// A script in bwrap's place has to be executed to learn its options. One that the user
// could have replaced is not, for a jail that is refused.
func TestReplaceableScriptIsNotAsked(t *testing.T) {
	w := gatetest.New(t)
	tools := filepath.Join(w.Dir, "tools")
	script := w.Write("tools/bwrap", "#!/bin/sh\necho ran \"$1\" >>"+tools+"/ran\nexec bwrap \"$@\"\n", 0o755)
	launch := func(argv []string) gatetest.Outcome {
		c := w.Ocjail(sh(argv, "echo up")...)
		c.Args = append([]string{c.Args[0], "gate", "--bwrap", script}, c.Args[2:]...)
		return w.Run(c)
	}
	if o := launch(w.Jail("--bind", tools, tools)); o.Status != 126 || !strings.Contains(o.Stderr, "gate/own-program") {
		t.Errorf("a jail that can write it: %+v", o)
	}
	if ran := w.Read("tools/ran"); ran != "" {
		t.Errorf("executed, though the jail is refused: %s", ran)
	}
	want(t, launch(w.Jail()), 0, "up\n")
	if ran := w.Read("tools/ran"); !strings.HasPrefix(ran, "ran --help\n") {
		t.Errorf("for a jail that is allowed it is executed: %q", ran)
	}
}

// A program of the system's that is no bwrap need not wait as bwrap does.
func TestOtherProgramsWaitForNothing(t *testing.T) {
	w := gatetest.New(t)
	echo, err := exec.LookPath("echo")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		more   []string
		status int
		runs   bool
	}{"allowed": {nil, 125, true}, "refused": {[]string{"--bind", w.Home + "/.config", "/config"}, 126, false}} {
		cmd := w.Ocjail(sh(w.Jail(c.more...), "echo up")...)
		cmd.Args = append([]string{cmd.Args[0], "gate", "--bwrap", echo}, cmd.Args[2:]...)
		if o := w.Run(cmd); o.Status != c.status || strings.HasPrefix(o.Stdout, "--args ") != c.runs {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// The jail has the processors that its launcher has.
func TestProcessorsOfTheJail(t *testing.T) {
	w := gatetest.New(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.SchedSetaffinity(0, &all); err != nil {
			t.Error(err)
		}
	}()
	var first unix.CPUSet
	for n := range 1024 {
		if all.IsSet(n) {
			first.Set(n)
			break
		}
	}
	for name, set := range map[string]*unix.CPUSet{"all": &all, "one": &first} {
		if err := unix.SchedSetaffinity(0, set); err != nil {
			t.Fatal(err)
		}
		argv := sh(w.Jail(), "grep Cpus_allowed: /proc/self/status")
		for range 3 { // wherever the launch runs
			want(t, w.Run(w.Ocjail(argv...)), 0, w.Run(w.Bwrap(argv...)).Stdout)
		}
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// What bwrap says of a label or filter that the kernel does not take is not heard of a
// jail that is refused.
func TestNothingButTheRefusalIsSaid(t *testing.T) {
	w := gatetest.New(t)
	for _, options := range [][]string{{"--exec-label", "x"}, {"--file-label", "x"}, {"--seccomp", "3"}, {"--add-seccomp-fd", "3"}} {
		launch := func(more ...string) gatetest.Outcome {
			filter := open(t, w.Write("filter", "eight by", 0o644), os.O_RDONLY)
			return w.Run(at(w.Ocjail(sh(w.Jail(append(options, more...)...), "echo up")...), filter))
		}
		if o := launch(); o.Status == 0 || !strings.Contains(o.Stderr, "bwrap: ") {
			t.Fatalf("%q: bwrap takes it, so nothing is shown here: %+v", options, o)
		}
		if o := launch("--bind", w.Home+"/.config", "/config"); o.Status != 126 || strings.Contains(o.Stderr, "bwrap: ") || !strings.Contains(o.Stderr, "refused") {
			t.Errorf("%q: %+v", options, o)
		}
	}
}
