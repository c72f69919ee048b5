package gate_test

import (
	"testing"

	"github.com/creack/pty"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// A terminal of another devpts instance, as in a container that somebody entered,
// has no name here: bwrap makes no console of it, and the model must not wait for
// one.
func TestTerminalWithoutName(t *testing.T) {
	w, ok := gatetest.NewRoot(t)
	if !ok {
		return // an ordinary user can not mount a devpts
	}
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer ptmx.Close()
	defer tty.Close()
	jail := w.Ocjail(append(w.Jail(), "--", "sh", "-c", "echo ran >trace")...)
	const elsewhere = `mount -t devpts -o newinstance devpts /dev/pts && exec "$@"`
	c := w.Command("unshare", append([]string{"--mount", "sh", "-c", elsewhere, "sh"}, jail.Args...)...)
	c.Stdin, c.Stdout, c.Stderr = tty, tty, tty
	if err := c.Run(); err != nil || w.Read("project/trace") != "ran\n" {
		text := make([]byte, 4096)
		n, _ := ptmx.Read(text) // what there is explains the failure
		t.Errorf("%v: %s", err, text[:n])
	}
}
