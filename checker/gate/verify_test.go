package gate

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// expected is what the model expects of a jail.
func expected(t *testing.T, options ...string) (*expectation, *sandbox.Tree) {
	t.Helper()
	s, err := sandbox.ParseArgv(append(slices.Clone(options), "--", "true"), nil)
	if err != nil {
		t.Fatal(err)
	}
	fs := host.NewFS()
	tree, err := s.Simulate(sandbox.Config{Host: fs, Strict: true, Cwd: "/"})
	if err != nil {
		t.Fatal(err)
	}
	e, err := expect(tree, fs)
	if err != nil {
		t.Fatal(err)
	}
	return e, tree
}

// modelled is a jail with a writable directory, a read-only one in it, and the
// mounts that the model expects of it.
func modelled(t *testing.T) (*expectation, []sandbox.HostMount) {
	t.Helper()
	dir := t.TempDir()
	e, tree := expected(t, "--unshare-pid", "--ro-bind", "/usr", "/usr", "--bind", dir, "/w", "--ro-bind", dir, "/r", "--proc", "/proc")
	var table []sandbox.HostMount
	for _, l := range tree.InJail() {
		table = append(table, sandbox.HostMount{Point: l.Point, ReadOnly: l.Flag})
	}
	return e, table
}

func TestCompareTakesWhatTheModelSays(t *testing.T) {
	e, table := modelled(t)
	if err := e.compare(table); err != nil {
		t.Error(err)
	}
	for _, entry := range []string{"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"} {
		table = append(table, sandbox.HostMount{Point: entry, ReadOnly: true, FSType: "proc"})
	}
	if err := e.compare(table); err != nil {
		t.Errorf("with what bwrap covers of procfs: %v", err)
	}
}

func TestCompareRefusesAnythingElse(t *testing.T) {
	for name, doctor := range map[string]func([]sandbox.HostMount) []sandbox.HostMount{
		"empty":          func([]sandbox.HostMount) []sandbox.HostMount { return nil },
		"one is missing": func(m []sandbox.HostMount) []sandbox.HostMount { return m[:len(m)-1] },
		"one is moved":   func(m []sandbox.HostMount) []sandbox.HostMount { m[len(m)-1].Point += "/x"; return m },
		"one more":       func(m []sandbox.HostMount) []sandbox.HostMount { return append(m, sandbox.HostMount{Point: "/x"}) },
		"one twice":      func(m []sandbox.HostMount) []sandbox.HostMount { return append(m, m[len(m)-1]) },
		"procfs entry writable": func(m []sandbox.HostMount) []sandbox.HostMount {
			return append(m, sandbox.HostMount{Point: "/proc/sys", FSType: "proc"})
		},
		"other entry of procfs": func(m []sandbox.HostMount) []sandbox.HostMount {
			return append(m, sandbox.HostMount{Point: "/proc/1", FSType: "proc", ReadOnly: true})
		},
		"procfs's name, no proc": func(m []sandbox.HostMount) []sandbox.HostMount {
			return append(m, sandbox.HostMount{Point: "/proc/sys", FSType: "ext4", ReadOnly: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			e, table := modelled(t)
			var m *mismatch
			if err := e.compare(doctor(table)); !errors.As(err, &m) {
				t.Errorf("%v", err)
			}
		})
	}
	// Each mount with the other flag.
	_, table := modelled(t)
	for i := range table {
		e, table := modelled(t)
		table[i].ReadOnly = !table[i].ReadOnly
		if err := e.compare(table); err == nil || !strings.Contains(err.Error(), "missing") {
			t.Errorf("%s with the other flag: %v", table[i].Point, err)
		}
	}
}

// On a busy machine bwrap is at work for long, and done between two looks.
func TestSettlesOnWhatWasSeenLast(t *testing.T) {
	done := false
	final := func() bool {
		done = true
		return true
	}
	look := func() error {
		if done {
			return nil
		}
		return errUnfinished
	}
	if err := settle(look, final, time.Minute); err != nil {
		t.Errorf("what was so before bwrap was done: %v", err)
	}
	wrong := &mismatch{"something else"}
	if err := settle(func() error { return wrong }, final, time.Minute); !errors.Is(err, wrong) {
		t.Errorf("what stays wrong: %v", err)
	}
	never := func() bool { return false }
	if err := settle(func() error { return wrong }, never, settleLimit); !errors.Is(err, wrong) {
		t.Errorf("what is never done: %v", err)
	}
}

// bwrap that was done, and that a signal has read once more, is not late.
func TestUnfinishedIsNotFinal(t *testing.T) {
	asked := 0
	final := func() bool {
		asked++
		return true
	}
	look := func() error {
		if asked > 1 {
			return nil
		}
		return errUnfinished
	}
	if err := settle(look, final, time.Minute); err != nil {
		t.Error(err)
	}
}

// Nor is one that was stopped together with us.
func TestTimeStoppedDoesNotCount(t *testing.T) {
	looks := 0
	look := func() error {
		if looks++; looks > 1 {
			return nil
		}
		time.Sleep(4 * longestLook) // for a stop of the whole process
		return errUnfinished
	}
	if err := settle(look, func() bool { return false }, 2*longestLook); err != nil {
		t.Error(err)
	}
}

// bwrap that has not begun is not done: on a busy machine that can take a while.
func TestTheHostsRootIsNotFinal(t *testing.T) {
	at, err := identity("/")
	if err != nil {
		t.Fatal(err)
	}
	v := &verifier{child: os.Getpid(), hostRoot: hostRoot{root: at, known: true}}
	if v.left() {
		t.Error("a process in the host's root has left it")
	}
	v.root = sandbox.ID{}
	if !v.left() {
		t.Error("a root that is none of the host's, and no staging one, is bwrap's last")
	}
}
