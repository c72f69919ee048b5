package gate_test

import (
	"io"
	"os"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// The proxy of jail.nix's dbus combinator says through a pipe that it listens;
// jail.nix waits for that. No other program keeps a descriptor.
func TestBusProxyKeepsItsPipe(t *testing.T) {
	const script = "#!/bin/sh\nfor a; do case $a in --fd=*) n=${a#--fd=} ;; esac; done\neval \"echo ready >&$n\"\n"
	for name, want := range map[string]string{"xdg-dbus-proxy": "ready\n", "another-proxy": ""} {
		w := gatetest.New(t)
		w.Write("project/"+name, script, 0o755)
		r, pipe, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		c := at(w.Ocjail(append(w.Jail(), "--", w.Project+"/"+name, "unix:path=/nowhere", "--fd=3", "--filter")...), pipe)
		out, err := c.CombinedOutput()
		pipe.Close()
		if (err == nil) != (want != "") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != want {
			t.Errorf("%s wrote %q, %v", name, got, err)
		}
	}
}
