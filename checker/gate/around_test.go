package gate_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// A program that starts bwrap builds a jail as well as bwrap does, but the process that
// is tied to ours is another one than holds the command.
func TestProgramAroundBwrap(t *testing.T) {
	w := gatetest.New(t)
	program, err := os.ReadFile(gatetest.Build(t).Probe)
	if err != nil {
		t.Fatal(err)
	}
	around := w.Write("tools/bwrap", string(program), 0o755)
	mark := fmt.Sprintf("around-%d", os.Getpid())
	argv := sh(w.Jail(), "echo ran "+mark)
	want(t, w.Run(w.Command(around, argv...)), 0, "ran "+mark+"\n")
	c := w.Ocjail(argv...)
	c.Args = append([]string{c.Args[0], "gate", "--bwrap", around}, c.Args[2:]...)
	o := w.Run(c)
	want(t, o, 125, "")
	if said := "ocjail: what was started as bwrap is a program around it: name the real one with --bwrap; nothing was started\n"; o.Stderr != said {
		t.Errorf("it said %q, want %q", o.Stderr, said)
	}
	if left := leftover(t, mark); left != nil {
		t.Errorf("processes %v are left", left)
	}
	if n := strings.Count(w.Read(logFile), "\n"); n != 1 {
		t.Errorf("it was tried %d times", n)
	}
}
