package gate_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/decision"
	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

const logFile = "home/.local/state/ocjail/decisions.jsonl"

func TestDecisionsOfManyLaunchesAreWhole(t *testing.T) {
	w := gatetest.New(t)
	w.Env = append(w.Env, "NOT_LOGGED=hunter2")
	gatetest.Build(t)
	jail := w.Jail()
	var all sync.WaitGroup
	for range 20 {
		c := w.Ocjail(append(jail, "--", "true")...)
		all.Go(func() {
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	all.Wait()
	lines := strings.Split(strings.TrimSuffix(w.Read(logFile), "\n"), "\n")
	if len(lines) < 20 { // a launch that has to be tried twice leaves two
		t.Fatalf("%d lines", len(lines))
	}
	for _, l := range lines {
		var d decision.Decision
		if err := json.Unmarshal([]byte(l), &d); err != nil || d.Verdict != "allow" || d.Rules == 0 || len(d.Argv) != 64 || len(d.Policies) != 64 || len(d.Config) != 64 {
			t.Errorf("%v: %s", err, l)
		}
	}
	if strings.Contains(strings.Join(lines, ""), "hunter2") {
		t.Error("the log holds a value of the environment")
	}
	for name, mode := range map[string]os.FileMode{logFile: 0o600, "home/.local/state/ocjail": os.ModeDir | 0o700} {
		if st, err := os.Stat(filepath.Join(w.Dir, name)); err != nil || st.Mode() != mode {
			t.Errorf("%s: %v, %v", name, st.Mode(), err)
		}
	}
}

func TestLogThatCannotBeWritten(t *testing.T) {
	for name, arrange := range map[string]func(w *gatetest.World) error{
		"directory closed": func(w *gatetest.World) error { return os.Chmod(w.State, 0o500) },
		"file in the way":  func(w *gatetest.World) error { w.Write("home/.local/state/ocjail", "", 0o644); return nil },
		"link": func(w *gatetest.World) error {
			w.Write("home/.local/state/ocjail/x", "", 0o644)
			return os.Symlink("x", w.Dir+"/"+logFile)
		},
		"pipe": func(w *gatetest.World) error {
			w.Write("home/.local/state/ocjail/x", "", 0o644)
			return unix.Mkfifo(w.Dir+"/"+logFile, 0o666)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := gatetest.New(t)
			if err := arrange(w); err != nil {
				t.Fatal(err)
			}
			w.Own()
			o := w.Run(w.Ocjail(sh(w.Jail(), "echo up")...))
			want(t, o, 0, "up\n")
			if !strings.Contains(o.Stderr, "warning: the decision could not be logged") {
				t.Errorf("no warning: %s", o.Stderr)
			}
		})
	}
}

func TestLogInTheJailIsRefused(t *testing.T) {
	w := gatetest.New(t)
	w.Write("home/.local/state/ocjail/decisions.jsonl", "", 0o600)
	argv := sh(w.Jail("--bind", w.State, w.State), "echo ran >trace; : >"+w.State+"/ocjail/decisions.jsonl")
	o := w.Run(w.Ocjail(argv...))
	if o.Status != 126 || !strings.Contains(o.Stderr, w.State) || w.Read("project/trace") != "" {
		t.Errorf("%+v", o)
	}
}
