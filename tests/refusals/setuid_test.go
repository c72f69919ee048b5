package refusals

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// A bwrap that would run as root is started without that right, and its jail verified as
// any other. As root only: nobody else can make a program run as root.
func TestSetuidBwrap(t *testing.T) {
	if _, ok := gatetest.NewRoot(t); !ok {
		return
	}
	w := gatetest.New(t)
	real, err := exec.LookPath("bwrap")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(real)
	if err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"plain": 0o755, "setuid": 0o755 | os.ModeSetuid} {
		file := w.Write("tools/bwrap-"+name, string(program), 0o755)
		if err := os.Chown(file, 0, 0); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Dir(file), 0, 0); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		c := w.Ocjail(jail(w, "echo ran")...)
		c.Args = append([]string{c.Args[0], "gate", "--verbose", "--bwrap", file}, c.Args[2:]...)
		o := w.Run(c)
		if said := strings.Contains(o.Stderr, "warning host/setuid-bwrap: "+file); said != (name == "setuid") {
			t.Errorf("%s: %+v", name, o)
		}
		if o.Status != 0 || o.Stdout != "ran\n" {
			t.Errorf("%s: %+v", name, o)
		}
	}
}
