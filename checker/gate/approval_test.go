package gate_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

const widening = "gate { approval = \"widening\" }\n"

// approving is a world whose jails need an approval.
type approving struct {
	*gatetest.World
	t *testing.T
}

func newApproving(t *testing.T) approving {
	t.Helper()
	w := gatetest.New(t)
	w.Git()
	w.Write("config/test.hcl", widening, 0o644)
	return approving{w, t}
}

func (a approving) store() string { return filepath.Join(a.State, "ocjail", "approvals") }

// launch starts a jail that leaves a trace in the project.
func (a approving) launch(more ...string) *exec.Cmd {
	a.t.Helper()
	if err := os.RemoveAll(filepath.Join(a.Project, "trace")); err != nil {
		a.t.Fatal(err)
	}
	return a.Configured(widening, sh(a.Jail(more...), "echo ran >trace")...)
}

func (a approving) approve(args ...string) gatetest.Outcome {
	a.t.Helper()
	return a.Run(a.Command(gatetest.Build(a.t).Ocjail, append([]string{"approve"}, args...)...))
}

// started fails unless a launch ended with status and did, or did not, start the jail.
func (a approving) started(o gatetest.Outcome, status int, says string) {
	a.t.Helper()
	if ran := a.Read("project/trace") != ""; o.Status != status || ran != (status == 0) || !strings.Contains(o.Stderr+o.Stdout, says) {
		a.t.Errorf("status %d, want %d, with %q; started: %v\n%s%s", o.Status, status, says, ran, o.Stdout, o.Stderr)
	}
}

func TestLaunchNeedsApproval(t *testing.T) {
	w := newApproving(t)
	extra := filepath.Join(w.Dir, "extra")
	w.Write("extra/f", "", 0o644)
	w.started(w.Run(w.launch()), 126, "ocjail approve")
	o := w.Run(w.launch())
	w.started(o, 126, "delete approval = \"widening\" at ")
	if !strings.Contains(o.Stderr, "+ rw {project}") {
		t.Errorf("what it grants is not shown: %s", o.Stderr)
	}
	if o := w.approve(); o.Status != 2 || !strings.Contains(o.Stderr, "--yes") {
		t.Errorf("%+v", o)
	}
	w.started(w.Run(w.launch()), 126, "not approved")
	if o := w.approve("--yes"); o.Status != 0 || !strings.Contains(o.Stdout, "Approved: jail bwrap") {
		t.Fatalf("%+v", o)
	}
	w.started(w.Run(w.launch()), 0, "")
	w.started(w.Run(w.launch("--ro-bind", extra, "/x")), 126, "+ ro "+extra)
	w.started(w.Run(w.launch("--tmpfs", "/scratch", "--setenv", "TERM", "dumb")), 0, "") // nothing of the host's
	w.started(w.Run(w.launch()), 0, "")
	if o := w.approve("--yes"); o.Status != 0 {
		t.Fatalf("%+v", o)
	}
	w.started(w.Run(w.launch("--ro-bind", extra, "/elsewhere")), 0, "")
	w.started(w.Run(w.launch("--setenv", "SOME_TOKEN", "x")), 126, "+ env SOME_TOKEN")
	if o := w.approve("--list"); o.Status != 0 || !strings.Contains(o.Stdout, "ro "+extra) || !strings.Contains(o.Stdout, "waits") {
		t.Errorf("%+v", o)
	}
	if o := w.approve("--revoke"); o.Status != 0 || !strings.Contains(o.Stdout, "Revoked 1") {
		t.Errorf("%+v", o)
	}
	w.started(w.Run(w.launch()), 126, "not approved")
	if log := w.Read(logFile); strings.Count(log, `"approval":"missing"`) != 6 || strings.Count(log, `"approval":"approved"`) != 4 {
		t.Errorf("the log: %s", log)
	}
}

// What comes by a descriptor, or by a variable's other name, is the host's too.
func TestDataNeedsApproval(t *testing.T) {
	w := newApproving(t)
	const token = "ghp_0123456789abcdef" //nolint:gosec // nobody's
	key, own := w.Write("private/key", "a key", 0o644), w.Write("project/own", "a file", 0o644)
	with := func(file string, c *exec.Cmd) *exec.Cmd {
		return w.Command("sh", append([]string{"-c", `exec "$@" 9<"$0"`, file}, c.Args...)...)
	}
	gate := func(script string, more ...string) *exec.Cmd {
		return w.Configured(widening, sh(w.Jail(more...), script)...)
	}
	w.Run(w.launch())
	if o := w.approve("--yes"); o.Status != 0 {
		t.Fatalf("%+v", o)
	}
	for _, option := range []string{"--file", "--bind-data", "--ro-bind-data"} {
		more, show := []string{option, "9", "/key"}, "cat /key"
		if o := w.Run(with(key, w.Bwrap(sh(w.Jail(more...), show)...))); o.Stdout != "a key" {
			t.Errorf("%s: the harm does not happen: %+v", option, o)
		}
		if o := w.Run(with(key, gate(show, more...))); o.Status != 126 || o.Stdout != "" || !strings.Contains(o.Stderr, "+ ro "+key) {
			t.Errorf("%s: %+v", option, o)
		}
		if o := w.Run(with(own, gate(show, more...))); o.Status != 0 || o.Stdout != "a file" {
			t.Errorf("%s, of a file that the jail has anyway: %+v", option, o)
		}
	}
	for _, name := range []string{"EDITOR", "LC_ALL", "LC_X"} {
		more, show := []string{"--setenv", name, token}, `echo "$`+name+`"`
		if o := w.Run(w.Bwrap(sh(w.Jail(more...), show)...)); o.Stdout != token+"\n" {
			t.Errorf("%s: the harm does not happen: %+v", name, o)
		}
		c := gate(show, more...)
		c.Env = append(c.Env, "GITHUB_TOKEN="+token)
		if o := w.Run(c); o.Status != 126 || o.Stdout != "" || !strings.Contains(o.Stderr, "+ env GITHUB_TOKEN") {
			t.Errorf("%s: %+v", name, o)
		}
	}
	if o := w.Run(gate("echo $EDITOR", "--setenv", "EDITOR", "code --wait")); o.Status != 0 || o.Stdout != "code --wait\n" {
		t.Errorf("%+v", o)
	}
}

// An approval is that of one project, and of one jail.
func TestApprovalIsOfOneProject(t *testing.T) {
	w := newApproving(t)
	w.Run(w.launch())
	w.approve("--yes")
	w.Write("second/.git/HEAD", "", 0o644)
	c := w.Configured(widening, sh(w.System(), "true")...)
	c.Dir = filepath.Join(w.Dir, "second")
	if o := w.Run(c); o.Status != 126 || !strings.Contains(o.Stderr, "not approved") {
		t.Errorf("%+v", o)
	}
}

// Nothing that the agent writes switches the question off, or approves.
func TestApprovalNotByProject(t *testing.T) {
	w := newApproving(t)
	w.Write("project/ocjail.hcl", "gate { approval = \"off\" }\n", 0o644)
	w.started(w.Run(w.launch()), 126, "not approved")

	// A store that lies where jails write, in another project for instance.
	w.Run(w.launch())
	if o := w.approve("--yes"); o.Status != 0 {
		t.Fatalf("%+v", o)
	}
	w.started(w.Run(w.launch()), 0, "")
	forged := filepath.Join(w.Dir, "forged")
	if out, err := exec.Command("sh", "-c", "mkdir "+forged+" && mv "+filepath.Dir(w.store())+" "+forged+"/ocjail").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	w.Own()
	c := w.launch()
	c.Env = append(c.Env, "XDG_STATE_HOME="+forged)
	w.started(w.Run(c), 126, "not approved")
}

// No jail reaches the store.
func TestApprovalsAreOutOfReach(t *testing.T) {
	w := newApproving(t)
	w.Run(w.launch())
	w.approve("--yes")
	for _, option := range []string{"--bind", "--ro-bind"} {
		state := filepath.Join(w.State, "ocjail")
		o := w.Run(w.Configured("gate { approval = \"off\" }\n", sh(w.Jail(option, state, "/s"), "echo ran >trace")...))
		w.started(o, 126, state)
	}
}

func TestBrokenApprovalStartsNothing(t *testing.T) {
	for name, harm := range map[string]string{
		"others can write it": "chmod 777 .",
		"cut off":             "for f in */*.approved.json; do head -c 100 $f >x; cat x >$f; done",
		"no permission":       "chmod 000 */*.approved.json",
		"a file":              "cd .. && rm -r approvals && echo >approvals && chmod 666 approvals && mkdir -p never",
		"a link":              "cd .. && mv approvals moved && ln -s moved approvals",
	} {
		t.Run(name, func(t *testing.T) {
			w := newApproving(t)
			w.Run(w.launch())
			w.approve("--yes")
			c := w.Command("sh", "-c", harm)
			c.Dir = w.store()
			if o := w.Run(c); o.Status != 0 {
				t.Fatalf("%+v", o)
			}
			o := w.Run(w.launch())
			w.started(o, 125, "approvals")
			w.Run(w.Command("sh", "-c", "chmod -R u+rwX,go-rwx "+w.store()+"; rm -rf "+filepath.Dir(w.store())))
		})
	}
}

// console starts a launch on a terminal.
func (a approving) console(c *exec.Cmd, columns uint16) *gatetest.Console {
	a.t.Helper()
	c.Env = append(c.Env, "TERM=xterm")
	console := gatetest.OnTerminal(a.t, c)
	if err := pty.Setsize(console.Pty, &pty.Winsize{Rows: 24, Cols: columns}); err != nil {
		a.t.Fatal(err)
	}
	return console
}

func TestApprovalAtTerminal(t *testing.T) {
	w := newApproving(t)
	answer := func(keys ...string) gatetest.Outcome {
		c := w.console(w.launch(), 80)
		for _, k := range keys {
			c.Expect("? ")
			c.Type(k)
		}
		return c.End()
	}
	w.started(answer("n\n"), 126, "was not approved")
	w.started(answer("\x04"), 126, "was not approved") // end of input
	w.started(answer("x\n", "\n", "no\n"), 126, "was not approved")
	w.started(answer("x\n", "x\n", "x\n", "x\n", "x\n"), 126, "was not approved")
	c := w.console(w.launch(), 80)
	c.Expect("? ")
	c.Type("x\n")
	c.Expect("That is none of the keys: y, o, d, n.")
	c.Expect("? ")
	c.Type("n\n")
	w.started(c.End(), 126, "was not approved")
	w.started(answer("o\n"), 0, "")
	w.started(answer("d\n", "O\n"), 0, "")
	w.started(answer("yes\n"), 0, "")
	w.started(w.Run(w.launch()), 0, "") // and remembered
	c = w.console(w.launch("--setenv", "SOME_TOKEN", "x"), 80)
	c.Expect("may do more than was approved")
	c.Expect("env SOME_TOKEN")
	c.Expect("? ")
	c.Type("d\n")
	c.Expect("rw {project}") // details
	c.Expect("? ")
	c.Type("n\n")
	w.started(c.End(), 126, "not approved")
	c = w.console(w.launch("--setenv", "SOME_TOKEN", "x"), 80)
	c.Expect("? ")
	c.Type("\x03") // SIGINT
	if o := c.End(); o.Status == 0 || w.Read("project/trace") != "" {
		t.Errorf("%+v", o)
	}
}

// What a person at the terminal says no to does not wait any longer: ocjail approve
// --yes of some script must not find it.
func TestDismissedAtTerminal(t *testing.T) {
	w := newApproving(t)
	w.Run(w.launch())
	c := w.console(w.Command(gatetest.Build(t).Ocjail, "approve"), 80)
	c.Expect("rw {project}")
	c.Expect("? ")
	c.Type("n\n")
	if o := c.End(); o.Status != 1 || !strings.Contains(o.Stderr+o.Stdout, "jail bwrap was not approved") || strings.Contains(o.Stderr+o.Stdout, "nothing was started") {
		t.Errorf("%+v", o)
	}
	if o := w.approve("--list"); o.Status != 0 || strings.Contains(o.Stdout, "waits") {
		t.Errorf("%+v", o)
	}
}

// What was typed before the question is no answer to it.
func TestTypedAheadIsNoAnswer(t *testing.T) {
	w := newApproving(t)
	launch := w.launch()
	script := w.Command("sh", append([]string{"-c", `read -r go; exec "$@"`, "sh"}, launch.Args...)...)
	c := w.console(script, 80)
	c.Type("go\ny\ny\no\n")
	c.Expect("? ")
	c.Type("n\n")
	w.started(c.End(), 126, "not approved")
}

// A program that was not given the terminal must not take keys from it, nor one in
// the background.
func TestNotOurTerminal(t *testing.T) {
	w := newApproving(t)
	launch := w.launch()
	words := "'" + strings.Join(launch.Args, "' '") + "'"
	c := w.console(w.Command("sh", "-c", words+" </dev/null >out 2>&1; echo status $?"), 80)
	c.Expect("status 126")
	c.End()
	if !strings.Contains(w.Read("project/out"), "no terminal") {
		t.Errorf("%s", w.Read("project/out"))
	}
	w.Write("project/job", "#!/bin/sh\nexec "+words+"\n", 0o755)
	shell := w.console(w.Command("bash", "--norc", "--noprofile", "-i"), 80)
	shell.Type("./job & wait $!; echo status $?\n")
	shell.Expect("status $?") // the echo of what was typed
	shell.Expect("no terminal")
	shell.Expect("status 126")
	if w.Read("project/trace") != "" {
		t.Error("a jail in the background was started")
	}
}

func TestNarrowTerminal(t *testing.T) {
	w := newApproving(t)
	launch := w.launch()
	launch.Env = append(launch.Env, "NO_COLOR=1")
	script := w.Command("sh", append([]string{"-c", `read -r go; exec "$@"`, "sh"}, launch.Args...)...)
	script.Env = launch.Env
	c := w.console(script, 40)
	c.Type("go\n")
	c.Expect("go\r\n")
	c.Expect("ocjail: jail")
	gatetest.Until(t, "a question", func() bool { return strings.Contains(c.Shown(), "? ") })
	shown, _, _ := strings.Cut(c.Shown(), "? ")
	if strings.Contains(shown, "\x1b") {
		t.Errorf("colours: %q", shown)
	}
	for _, l := range strings.Split(shown, "\r\n") {
		if len([]rune(l)) > 40 && strings.Contains(strings.TrimSpace(l), " ") && !strings.Contains(l, "/") {
			t.Errorf("%d columns: %q", len([]rune(l)), l)
		}
	}
	c.Type("n\n")
	w.started(c.End(), 126, "not")
}

// An approval that can not be kept starts the jail that a person accepted, and no
// other.
func TestApprovalThatCannotBeKept(t *testing.T) {
	w := newApproving(t)
	w.Run(w.launch())
	w.approve("--yes")
	w.approve("--revoke")
	dirs, err := filepath.Glob(filepath.Join(w.store(), "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatal(dirs, err)
	}
	for _, d := range dirs {
		if err := os.Chmod(d, 0o500); err != nil {
			t.Fatal(err)
		}
	}
	c := w.console(w.launch(), 80)
	c.Expect("? ")
	c.Type("y\n")
	w.started(c.End(), 0, "can not be remembered")
	w.started(w.Run(w.launch()), 126, "not approved")
	for _, d := range dirs {
		if err := os.Chmod(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

// Killed while it asks, ocjail starts nothing.
func TestKilledWhileAsking(t *testing.T) {
	w := newApproving(t)
	c := w.console(w.launch(), 80)
	c.Expect("? ")
	if err := c.Cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	c.Type("y\n")
	if o := c.End(); w.Read("project/trace") != "" {
		t.Errorf("%+v", o)
	}
}

// Nothing is built, and waits, while somebody is asked.
func TestNothingWaitsForAnAnswer(t *testing.T) {
	w := newApproving(t)
	c := w.console(w.launch(), 80)
	c.Expect("? ")
	if all := children(c.Cmd.Process.Pid); len(all) > 0 {
		t.Errorf("while ocjail asks it has the processes %v", all)
	}
	c.Type("o\n")
	w.started(c.End(), 0, "")
}

// A jail that a person was asked about needs no more open files than another: what was
// opened before the question is closed.
func TestFewDescriptorsAfterTheQuestion(t *testing.T) {
	w := newApproving(t)
	var many []string
	for i := range 40 {
		d := w.Project + "/d" + strconv.Itoa(i)
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
		many = append(many, "--bind", d, d)
	}
	c := w.launch(many...)
	few := w.Command("bash", append([]string{"-c", `ulimit -n 90; exec "$@"`, "bash"}, c.Args...)...)
	console := w.console(few, 80)
	console.Expect("? ")
	console.Type("o\n")
	w.started(console.End(), 0, "")
}
