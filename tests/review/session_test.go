package review

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// until waits for a file that a jail writes.
func (w *world) until(name string) {
	w.t.Helper()
	gatetest.Until(w.t, name, func() bool { return w.Read(name) != "" })
}

// background starts a session and waits until it has written name.
func (w *world) background(script, name string) (*exec.Cmd, *bytes.Buffer) {
	w.t.Helper()
	c := w.Ocjail(w.jail(script)...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	w.until(name)
	return c, &stderr
}

// records lists the sessions that are kept.
func (w *world) records(pattern string) []string {
	w.t.Helper()
	list, err := filepath.Glob(filepath.Join(w.State, "ocjail/review/*", pattern))
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// A session that was killed is reviewed before the next launch, whose jail
// already gets the protection.
func TestKilledSession(t *testing.T) {
	w := newWorld(t)
	w.Write("project/.envrc", "mine\n", 0o644)
	c, _ := w.background("git add -f .envrc; echo evil >.npmrc; echo up >up; sleep 60", "project/up")
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // killed
	if len(w.records("sessions/*.json")) != 1 {
		t.Fatalf("records: %v", w.records("*/*"))
	}
	o := w.session("echo evil 2>/dev/null >.envrc || echo held")
	if o.Stdout != "held\n" || !strings.Contains(o.Stderr, "not reviewed (2)") {
		t.Errorf("%+v", o)
	}
	w.pendingIs("tracked warning .envrc", "new warning .npmrc")
	if left := w.records("sessions/*"); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// Killed at any moment, a launch leaves either no session that ran, or one that
// the next review finishes.
func TestKilledAtAnyMoment(t *testing.T) {
	w := newWorld(t)
	for i := range 40 {
		c := w.Ocjail(w.jail("echo evil >.envrc; echo evil >.npmrc; rm .envrc .npmrc; echo evil >.envrc")...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i*3) * time.Millisecond)
		_ = c.Process.Kill() // it may have ended
		_ = c.Wait()
		settled(t, w.Project)
		_, first := os.Lstat(w.Project + "/.envrc")
		_, second := os.Lstat(w.Project + "/.npmrc")
		ran := first == nil || second == nil
		o := w.review("--format", "json")
		if o.Stdout == "" {
			t.Fatalf("after %d ms: ran %v: %+v", i*3, ran, o)
		}
		if pending := parse(t, o.Stdout).Pending; ran && (o.Status != 1 || len(pending) == 0) || !ran && o.Status != 0 {
			t.Errorf("after %d ms: ran %v, status %d: %s%s", i*3, ran, o.Status, o.Stdout, o.Stderr)
		}
		w.review("--revert")
	}
}

// settled waits until the jail of a killed launch is gone.
func settled(t *testing.T, mark string) {
	t.Helper()
	gatetest.Until(t, "the end of a jail whose ocjail was killed", func() bool {
		files, err := filepath.Glob("/proc/[0-9]*/cmdline")
		check(t, err)
		return !slices.ContainsFunc(files, func(f string) bool {
			line, err := os.ReadFile(f)
			return err == nil && bytes.Contains(line, []byte(mark))
		})
	})
}

func TestTwoSessionsAtOnce(t *testing.T) {
	w := newWorld(t)
	first, text := w.background("echo up >up; while [ ! -e go ]; do sleep 0.02; done; echo one >.envrc", "project/up")
	o := w.must(w.session("echo two >.npmrc; git init -q lib; git -C lib config core.pager evil"))
	if !strings.Contains(o.Stderr, ".npmrc") || strings.Contains(o.Stderr, ".envrc") {
		t.Errorf("the second session: %s", o.Stderr)
	}
	w.review("--accept")
	w.Write("project/go", "go\n", 0o644)
	if err := first.Wait(); err != nil {
		t.Fatal(err)
	}
	// While the first ran, the same changes were made, so it tells of them too.
	for _, name := range []string{".envrc", ".npmrc", "lib/.git"} {
		if !strings.Contains(text.String(), name) {
			t.Errorf("the first session does not tell of %s: %s", name, text.String())
		}
	}
	w.pendingIs("new warning .envrc", "new warning .npmrc", "repository warning lib/.git")
}

// What can not be read is no "nothing to review".
func TestBrokenRecords(t *testing.T) {
	for name, spoil := range map[string]func(file string) error{
		"cut short": func(f string) error { return os.Truncate(f, 40) },
		"empty":     func(f string) error { return os.Truncate(f, 0) },
		"another's": func(f string) error {
			return os.WriteFile(f, []byte(`{"version":1,"project":"/other","plan":{"project":"/other"}}`), 0o600)
		},
		"a later format": func(f string) error { return os.WriteFile(f, []byte(`{"version":9}`), 0o600) },
		"a link":         func(f string) error { return os.Rename(f, f+".x") },
		"a folder":       func(f string) error { return os.Rename(f, f+".x") },
	} {
		for _, kind := range []string{"pending.json", "sessions/*.json"} {
			t.Run(name+" "+filepath.Dir(kind), func(t *testing.T) {
				w := newWorld(t)
				c, _ := w.background("echo evil >.envrc; echo up >up; sleep 60", "project/up")
				_ = c.Process.Kill()
				_ = c.Wait()
				if kind == "pending.json" {
					w.review("--list")
				}
				file := w.records(kind)[0]
				check(t, spoil(file))
				switch name {
				case "a link":
					check(t, os.Symlink(file+".x", file))
				case "a folder":
					check(t, os.Mkdir(file, 0o700))
				}
				w.Own()
				o := w.session("echo ran")
				if o.Status != 125 || o.Stdout != "" || !strings.Contains(o.Stderr, "ocjail review --discard") {
					t.Errorf("the launch: %+v", o)
				}
				if o := w.review("--list"); o.Status != 2 || !strings.Contains(o.Stderr, "--discard") {
					t.Errorf("the review: %+v", o)
				}
				if o := w.review("--discard"); o.Status != 0 || !strings.Contains(o.Stdout, "are now in") {
					t.Errorf("--discard: %+v", o)
				}
				if o := w.session("echo ran"); o.Stdout != "ran\n" {
					t.Errorf("afterwards: %+v", o)
				}
			})
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Others' hands in the folder make it no record.
func TestFolderOfOthers(t *testing.T) {
	w := newWorld(t)
	w.must(w.session("echo evil >.envrc"))
	check(t, os.Chmod(filepath.Dir(w.records("pending.json")[0]), 0o755))
	if o := w.session("echo ran"); o.Status != 125 || !strings.Contains(o.Stderr, "others can open it") {
		t.Errorf("%+v", o)
	}
}

// Without a place for the record a session can be reviewed at its end all the
// same; where its changes are to be put back it does not start.
func TestStateThatCannotBeWritten(t *testing.T) {
	full := func(w *world) {
		if os.Geteuid() != 0 { // who can not mount one
			w.Write("home/.local/state/ocjail", "in the way\n", 0o644)
			return
		}
		dir := filepath.Join(w.State, "ocjail")
		check(t, os.MkdirAll(dir, 0o700))
		check(t, unix.Mount("full", dir, "tmpfs", 0, "size=8k"))
		w.t.Cleanup(func() { check(t, unix.Unmount(dir, unix.MNT_DETACH)) })
		w.Own()
		_ = os.WriteFile(dir+"/fill", make([]byte, 64<<10), 0o644) // as much as there is room for
	}
	readOnly := func(w *world) {
		check(t, os.MkdirAll(filepath.Join(w.State, "ocjail"), 0o700))
		w.Own()
		check(t, os.Chmod(filepath.Join(w.State, "ocjail"), 0o500))
	}
	for name, arrange := range map[string]func(*world){"full": full, "read-only": readOnly} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			arrange(w)
			o := w.session("echo evil >.envrc; echo ran")
			for _, text := range []string{"can not be recorded", ".envrc: direnv runs it on cd"} {
				if o.Stdout != "ran\n" || o.Status != 0 || !strings.Contains(o.Stderr, text) {
					t.Errorf("%q is missing: %+v", text, o)
				}
			}
			o = w.Run(w.Configured(`gate { review = "revert" }`, w.jail("echo ran")...))
			if o.Status != 125 || o.Stdout != "" || !strings.Contains(o.Stderr, "nothing was started") {
				t.Errorf("%+v", o)
			}
		})
	}
}

// A jail that can write nothing has nothing to review.
func TestNothingWritable(t *testing.T) {
	w := newWorld(t)
	o := w.Run(w.Ocjail(append(w.System(), "--ro-bind", w.Project, w.Project, "--chdir", w.Project, "--", "echo", "ran")...))
	if o.Stdout != "ran\n" || o.Stderr != "" || len(w.records("*")) != 0 {
		t.Errorf("%+v, %v", o, w.records("*"))
	}
}

// Neither has one whose writable mount lies under another: all of the host was looked
// through for it, which took long and failed.
func TestBuriedMount(t *testing.T) {
	w := newWorld(t)
	o := w.Run(w.Configured(`gate { mode = "observe" }`, append(w.System(), "--dev-bind", "/", "/x", "--tmpfs", "/x", "--", "sh", "-c", "echo ran; ls /x")...))
	if o.Status != 0 || o.Stdout != "ran\n" || len(w.records("*")) != 0 {
		t.Errorf("%+v, %v", o, w.records("*"))
	}
}

// Whoever ends a session gets its review, quickly.
func TestSignalledSession(t *testing.T) {
	for _, s := range []syscall.Signal{unix.SIGTERM, unix.SIGHUP} {
		w := newWorld(t)
		c, text := w.background("echo evil >.envrc; echo up >up; sleep 60", "project/up")
		check(t, c.Process.Signal(s))
		_ = c.Wait() // the status is looked at below
		if ws, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || ws.Signal() != s {
			t.Errorf("%v: %v", s, c.ProcessState)
		}
		if !strings.Contains(text.String(), ".envrc") {
			t.Errorf("%v: %s", s, text.String())
		}
		w.pendingIs("new warning .envrc")
	}
}
