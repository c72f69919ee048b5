package gate_test

import (
	"io"
	"os"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// The proxy of jail.nix's dbus combinator says through a pipe that it listens;
// jail.nix waits for that. No other program keeps a descriptor, whatever its name.
func TestBusProxyKeepsItsPipe(t *testing.T) {
	const script = "#!/bin/sh\nfor a; do case $a in --fd=*) n=${a#--fd=} ;; esac; done\neval \"echo ready >&$n\"\n"
	for name, c := range map[string]struct{ trusted, want string }{
		"trusted":      {"xdg-dbus-proxy", "ready\n"},
		"another file": {"other/xdg-dbus-proxy", ""},
		"none":         {"", ""},
	} {
		w := gatetest.New(t)
		w.Write("project/xdg-dbus-proxy", script, 0o755)
		w.Write("project/other/xdg-dbus-proxy", script, 0o755)
		r, pipe, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		argv := []string{"gate", "--"}
		if c.trusted != "" {
			argv = []string{"gate", "--bus-proxy", w.Project + "/" + c.trusted, "--"}
		}
		argv = append(append(argv, w.Jail()...), "--", w.Project+"/xdg-dbus-proxy", "unix:path=/nowhere", w.Project+"/socket", "--fd=3", "--filter")
		cmd := at(w.Command(gatetest.Build(t).Ocjail, argv...), pipe)
		out, err := cmd.CombinedOutput()
		pipe.Close()
		if (err == nil) != (c.want != "") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != c.want {
			t.Errorf("%s wrote %q, %v", name, got, err)
		}
	}
}
