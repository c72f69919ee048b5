package gate_test

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// without drops options and their arguments from argv.
func without(argv []string, option string) []string {
	var kept []string
	for _, a := range argv {
		if a != option {
			kept = append(kept, a)
		}
	}
	return kept
}

func TestCoreDumpsAreOff(t *testing.T) {
	w := gatetest.New(t)
	want(t, w.Run(w.Ocjail(append(w.Jail(), "--", "/probe", "core-limit")...)), 0, "0 0\ndone\n")
}

func TestSessionKeyringIsFresh(t *testing.T) {
	w := gatetest.New(t)
	name := fmt.Sprintf("ocjail-test-%d", os.Getpid())
	argv := append(w.Jail(), "--", "/probe", "search-key", name)
	withKey := func(args []string) gatetest.Outcome {
		return w.Run(w.Command(gatetest.Build(t).Probe, append([]string{"with-key", name}, args...)...))
	}
	want(t, withKey(append([]string{"/usr/bin/env", "bwrap"}, argv...)), 0, "done\n")
	want(t, withKey(w.Ocjail(argv...).Args), 1, "ENOKEY\n")
}

func TestAbstractSocketsOfTheHost(t *testing.T) {
	w := gatetest.New(t)
	name := fmt.Sprintf("ocjail-test-%d", os.Getpid())
	l, err := net.Listen("unix", "@"+name)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	argv := append(w.Jail("--share-net"), "--", "/probe", "abstract", name)
	want(t, w.Run(w.Bwrap(argv...)), 0, "done\n")
	want(t, w.Run(w.Ocjail(argv...)), 1, "EPERM\n")
}

func TestHostProcessesCannotBeKilled(t *testing.T) {
	w := gatetest.New(t)
	shared := append([]string{"--unshare-user"}, without(w.Jail(), "--unshare-all")...)
	for name, wantStatus := range map[string]int{"bwrap": 0, "ocjail": 1} {
		victim := w.Command("sleep", "60")
		if err := victim.Start(); err != nil {
			t.Fatal(err)
		}
		argv := slices.Concat(shared, []string{"--", "/probe", "kill", strconv.Itoa(victim.Process.Pid)})
		jail := w.Bwrap(argv...)
		if name == "ocjail" {
			jail = w.Configured("rule \"session/outlives\" { severity = \"warning\" }", argv...)
		}
		if o := w.Run(jail); o.Status != wantStatus || name == "ocjail" && !strings.Contains(o.Stdout, "EPERM") {
			t.Errorf("%s: %+v", name, o)
		}
		_ = victim.Process.Kill()
		_ = victim.Wait()
	}
}

// bwrap leaves root's capabilities in the jail, also in a user namespace.
func TestRootKeepsNoCapability(t *testing.T) {
	w, ok := gatetest.NewRoot(t)
	if !ok {
		return // an ordinary user has none to begin with
	}
	argv := append(w.Jail(), "--", "grep", "CapEff", "/proc/self/status")
	if o := w.Run(w.Bwrap(argv...)); strings.Contains(o.Stdout, "0000000000000000") {
		t.Errorf("without ocjail there is none either, so this test proves nothing: %+v", o)
	}
	want(t, w.Run(w.Ocjail(argv...)), 0, "CapEff:\t0000000000000000\n")
	w.Env = append(w.Env, "SUDO_UID=1000")
	if o := w.Run(w.Ocjail(argv...)); o.Status != 126 || !strings.Contains(o.Stderr, "sudo") {
		t.Errorf("through sudo: %+v", o)
	}
}
