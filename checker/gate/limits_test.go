package gate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

func TestLaunchesThatFail(t *testing.T) {
	w := gatetest.New(t)
	failing := w.Write("bin/bwrap", "#!/bin/sh\necho >&2 it does not work; exit 3\n", 0o755)
	empty := w.Write("bin/none/readme", "", 0o644)
	ocjail := gatetest.Build(t).Ocjail
	jail := sh(w.Jail(), "echo ran >trace")
	slow := w.Configured(`gate { timeout = "1ns" }`, jail...)
	for name, c := range map[string]struct {
		args []string
		word string
	}{
		"no bwrap":            {append([]string{"env", "PATH=" + strings.TrimSuffix(empty, "/readme"), ocjail, "gate", "--"}, jail...), "install"},
		"bwrap fails":         {append([]string{ocjail, "gate", "--bwrap", failing, "--"}, jail...), "bwrap"},
		"absent bwrap":        {append([]string{ocjail, "gate", "--bwrap", "/nonexistent", "--"}, jail...), "/nonexistent"},
		"absent source":       {w.Ocjail(sh(w.Jail("--bind", "/nonexistent", "/x"), "echo ran >trace")...).Args, "/nonexistent"},
		"unknown option":      {w.Ocjail(sh(w.Jail("--frobnicate"), "echo ran >trace")...).Args, "--frobnicate"},
		"truncated option":    {w.Ocjail(append(w.Jail(), "--bind", "/usr")...).Args, "--bind"},
		"rules take too long": {slow.Args, "time"},
		"bwrap itself fails":  {w.Ocjail(sh(w.Jail("--hostname", strings.Repeat("x", 500)), "echo ran >trace")...).Args, "set the jail up"},
	} {
		t.Run(name, func(t *testing.T) {
			o := w.Run(w.Command(c.args[0], c.args[1:]...))
			if o.Status != 125 || !strings.Contains(o.Stderr, c.word) || w.Read("project/trace") != "" {
				t.Errorf("%+v", o)
			}
		})
	}
}

func TestScriptAsBwrap(t *testing.T) {
	w := gatetest.New(t)
	script := w.Write("bin/bwrap", "#!/bin/sh\ntrue; /bin/true; exec bwrap \"$@\"\n", 0o755)
	c := w.Command(gatetest.Build(t).Ocjail, append([]string{"gate", "--bwrap", script, "--"}, sh(w.Jail("--setenv", "PATH", "/usr/bin:/bin"), "echo up; exit 5")...)...)
	want(t, w.Run(c), 5, "up\n")
}

func TestFewDescriptors(t *testing.T) {
	w := gatetest.New(t)
	var many []string
	for i := range 60 {
		d := fmt.Sprintf("d%d", i)
		w.Write("project/"+d+"/x", "", 0o644)
		many = append(many, "--bind", w.Project+"/"+d, w.Project+"/"+d)
	}
	for _, n := range []int{24, 40, 64, 256} {
		c := w.Command("bash", append([]string{"-c", fmt.Sprintf(`ulimit -n %d; exec "$@"`, n), "bash"}, w.Ocjail(sh(w.Jail(many...), "echo up")...).Args...)...)
		o := w.Run(c)
		if o.Status != 0 && o.Status != 125 || (o.Status == 0) != (o.Stdout == "up\n") {
			t.Errorf("%d descriptors: %+v", n, o)
		}
		t.Logf("%d descriptors: status %d %s", n, o.Status, o.Stderr)
	}
}

func TestManyArguments(t *testing.T) {
	w := gatetest.New(t)
	jail := w.Jail()
	for len(jail) < 8900 {
		jail = append(jail, "--setenv", fmt.Sprintf("V%d", len(jail)), "x")
	}
	want(t, w.Run(w.Ocjail(sh(jail, "env | grep -c ^V")...)), 0, fmt.Sprintf("%d\n", (len(jail)-len(w.Jail()))/3))
	for len(jail) < 9001 {
		jail = append(jail, "--die-with-parent")
	}
	o := w.Run(w.Ocjail(sh(jail, "echo ran >trace")...))
	if o.Status != 125 || !strings.Contains(o.Stderr, "9000") || w.Read("project/trace") != "" {
		t.Errorf("status %d: %s", o.Status, o.Stderr)
	}
}
