package gate_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

func open(t *testing.T, name string, flags int) *os.File {
	t.Helper()
	f, err := os.OpenFile(name, flags, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestInputFileCannotBeWritten(t *testing.T) {
	w := gatetest.New(t)
	file := w.Write("home/notes", "mine\n", 0o644)
	argv := sh(w.Jail(), `cat; echo evil 2>/dev/null >>/proc/self/fd/0`)
	for name, c := range map[string]struct {
		jail func(...string) *exec.Cmd
		want string
	}{"without ocjail": {w.Bwrap, "mine\nevil\n"}, "with ocjail": {w.Ocjail, "mine\n"}} {
		w.Write("home/notes", "mine\n", 0o644)
		cmd := c.jail(argv...)
		cmd.Stdin = open(t, file, os.O_RDONLY)
		if o := w.Run(cmd); !strings.HasPrefix(o.Stdout, "mine\n") {
			t.Errorf("%s: %+v", name, o)
		}
		if got := w.Read("home/notes"); got != c.want {
			t.Errorf("%s: the file holds %q, want %q", name, got, c.want)
		}
	}
}

func TestInputFileIsReadWhole(t *testing.T) {
	w := gatetest.New(t)
	text := strings.Repeat("0123456789abcde\n", 10<<20/16)
	cmd := w.Ocjail(sh(w.Jail(), "cat")...)
	cmd.Stdin = open(t, w.Write("in", text, 0o644), os.O_RDONLY)
	if o := w.Run(cmd); o.Status != 0 || o.Stdout != text {
		t.Errorf("status %d, %d bytes of %d: %s", o.Status, len(o.Stdout), len(text), o.Stderr)
	}
	// A command that does not read to the end must not hang.
	cmd = w.Ocjail(sh(w.Jail(), "head -c 16")...)
	cmd.Stdin = open(t, w.Dir+"/in", os.O_RDONLY)
	want(t, w.Run(cmd), 0, text[:16])
}

func TestInputThatIsNoFile(t *testing.T) {
	w := gatetest.New(t)
	directory := w.Ocjail(sh(w.Jail(), "echo ran >trace")...)
	directory.Stdin = open(t, w.Dir, os.O_RDONLY)
	if o := w.Run(directory); o.Status != 126 || !strings.Contains(o.Stderr, "directory") || w.Read("project/trace") != "" {
		t.Errorf("a directory: %+v", o)
	}
	closed := w.Command("sh", append([]string{"-c", `exec "$@" <&-`, "sh"}, w.Ocjail(sh(w.Jail(), "cat; readlink /proc/self/fd/0")...).Args...)...)
	want(t, w.Run(closed), 0, "/dev/null\n")
	null := w.Ocjail(sh(w.Jail(), "cat; echo end")...)
	want(t, w.Run(null), 0, "end\n")
}

func TestOutputFiles(t *testing.T) {
	w := gatetest.New(t)
	const script = `for i in $(seq 2000); do echo out $i; echo err $i >&2; done; cat <&1 2>/dev/null`
	var both, out, errs bytes.Buffer
	for i := 1; i <= 2000; i++ {
		fmt.Fprintf(&out, "out %d\n", i)
		fmt.Fprintf(&errs, "err %d\n", i)
		fmt.Fprintf(&both, "out %d\nerr %d\n", i, i)
	}
	run := func(stdout, stderr *os.File) {
		cmd := w.Ocjail(sh(w.Jail(), script)...)
		cmd.Stdout, cmd.Stderr = stdout, stderr
		if o := w.Run(cmd); o.Status > 1 {
			t.Errorf("%+v", o)
		}
	}
	one := open(t, w.Write("one", "", 0o666), os.O_RDWR)
	run(one, one)
	if got := w.Read("one"); got != both.String() {
		t.Errorf("both to one file: %d bytes, want %d, in order", len(got), both.Len())
	}
	a, b := open(t, w.Write("a", "old\n", 0o666), os.O_RDWR|os.O_APPEND), open(t, w.Write("b", "", 0o666), os.O_WRONLY)
	run(a, b)
	if got := w.Read("a"); got != "old\n"+out.String() {
		t.Errorf("standard output holds %.40q…, %d bytes", got, len(got))
	}
	if got := w.Read("b"); got != errs.String() {
		t.Errorf("standard error holds %.40q…, %d bytes", got, len(got))
	}
}

func TestOutputFileCannotBeReadBack(t *testing.T) {
	w := gatetest.New(t)
	for name, jail := range map[string]func(...string) *exec.Cmd{"without ocjail": w.Bwrap, "with ocjail": w.Ocjail} {
		log := open(t, w.Write("log", "secret\n", 0o666), os.O_WRONLY|os.O_APPEND)
		cmd := jail(sh(w.Jail(), `timeout 0.2 head -1 /proc/1/fd/1 >seen 2>/dev/null; true`)...)
		cmd.Stdout = log
		w.Run(cmd)
		if got := w.Read("project/seen") != ""; got != (name == "without ocjail") {
			t.Errorf("%s: the jail reads %q from the log that it writes to", name, w.Read("project/seen"))
		}
	}
}

func TestOutputThatCannotBeWritten(t *testing.T) {
	w := gatetest.New(t)
	argv := sh(w.Jail(), "yes")
	status := func(args []string) gatetest.Outcome {
		return w.Run(w.Command("bash", append([]string{"-c", `"$@" | head -1; echo ${PIPESTATUS[0]}`, "bash"}, args...)...))
	}
	plain, jailed := status(w.Bwrap(argv...).Args), status(w.Ocjail(argv...).Args)
	if plain != jailed {
		t.Errorf("a pipe that is closed early: %+v without ocjail, %+v with it", plain, jailed)
	}
	limited := w.Command("bash", append([]string{"-c", `ulimit -f 1; "$@" >full`, "bash"}, w.Ocjail(sh(w.System(), "head -c 8192 /dev/zero")...).Args...)...)
	if o := w.Run(limited); o.Status == 0 {
		t.Errorf("output was lost and the status is 0: %+v", o)
	}
}
