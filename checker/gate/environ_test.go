package gate_test

import (
	"os"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// bwrap's first process in the jail never executes anything else, so what bwrap
// was started with can be read in its memory.
func TestClearedEnvironmentIsNotInTheJail(t *testing.T) {
	w := gatetest.New(t)
	w.Env = append(w.Env, "API_TOKEN=hunter2")
	argv := sh(w.Jail(), `cat /proc/*/environ 2>/dev/null | tr '\0' '\n' | grep -c hunter2; [ -z "$API_TOKEN" ]`)
	if o := w.Run(w.Bwrap(argv...)); o.Stdout != "1\n" {
		t.Errorf("without ocjail the token is not there, so this test proves nothing: %+v", o)
	}
	want(t, w.Run(w.Ocjail(argv...)), 0, "0\n")
}

// silent has ocjail add no variables of its own.
const silent = "gate {\n  inform = false\n}\n"

func TestEnvironmentIsTheOneAskedFor(t *testing.T) {
	w := gatetest.New(t)
	w.Env = append(w.Env, "KEPT=1", "DROPPED=1")
	for name, c := range map[string]struct {
		options []string
		want    string
	}{
		"cleared":         {[]string{"--clearenv", "--setenv", "A", "x y\n=z"}, "A=x y\n=z\nPWD=/\n"},
		"set, then clear": {[]string{"--setenv", "A", "1", "--clearenv", "--setenv", "B", "2"}, "B=2\nPWD=/\n"},
		"unset":           {[]string{"--clearenv", "--setenv", "A", "1", "--setenv", "B", "", "--unsetenv", "A"}, "B=\nPWD=/\n"},
	} {
		t.Run(name, func(t *testing.T) {
			argv := append(append(w.System(), c.options...), "--", "/usr/bin/env")
			want(t, w.Run(w.Bwrap(argv...)), 0, c.want)
			want(t, w.Run(w.Configured(silent, argv...)), 0, c.want)
		})
	}
}

func TestLoaderVariablesReachOnlyTheCommand(t *testing.T) {
	w := gatetest.New(t)
	absent := "/nonexistent/preloaded.so"
	argv := sh(w.Jail("--setenv", "LD_PRELOAD", absent, "--setenv", "LD_DEBUG_OUTPUT", "/x"), `echo "$LD_PRELOAD $LD_DEBUG_OUTPUT"`)
	o := w.Run(w.Ocjail(argv...))
	want(t, o, 0, absent+" /x\n")
	// ld.so(8) complains once for each dynamic program; bwrap is one, the shell another.
	if n := strings.Count(o.Stderr, absent); n != 1 {
		t.Errorf("%d programs were told to preload, want the shell alone:\n%s", n, o.Stderr)
	}
}

func TestInheritedLoaderVariableIsRefused(t *testing.T) {
	w := gatetest.New(t)
	w.Env = append(w.Env, "LD_LIBRARY_PATH="+w.Dir)
	argv := []string{}
	for _, a := range w.Jail() {
		if a != "--clearenv" {
			argv = append(argv, a)
		}
	}
	o := w.Run(w.Ocjail(sh(argv, "echo ran >trace")...))
	if o.Status != 126 || !strings.Contains(o.Stderr, "env/inherited") {
		t.Errorf("%+v", o)
	}
	if _, err := os.Stat(w.Project + "/trace"); err == nil {
		t.Error("the command ran")
	}
}
