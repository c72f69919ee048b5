package nix

import (
	"os"
	"path/filepath"
	"testing"
)

// The module's jail starts when a person has approved what it may do: not again for
// other packages in it, which are other store paths, but for whatever is wider.
func TestModuleNeedsApproval(t *testing.T) {
	const cargo = `jailCombinators = with pkgs.jail.combinators; [ (rw-bind "~/.cargo/registry" "~/.cargo/registry") ];`
	opencode := newProject(t, "").opencode()
	others := newProject(t, "packages = [ pkgs.hello ];").opencode()
	wider := newProject(t, cargo+` policy.approval = "off";`).opencode()
	w := newWorld(t, false)
	w.write(".cargo/registry/crate", "")
	w.silent()
	start := []string{"-c", "echo started >started"}
	w.launch(nil, append([]string{opencode}, start...)...).expect(t, 126).says(t, "+ rw {project}", "ocjail approve", "nothing was started")
	if w.read("project/started") != "" {
		t.Fatal("it was started")
	}
	mine := w.ocjail()
	w.launch(nil, mine, "approve", "--yes").expect(t, 0)
	w.launch(nil, append([]string{opencode}, start...)...).expect(t, 0)
	w.launch(nil, append([]string{others}, start...)...).expect(t, 0)
	w.launch(nil, append([]string{wider}, start...)...).expect(t, 126).says(t, "+ rw ~/.cargo/registry")
	w.launch(nil, append([]string{opencode}, start...)...).expect(t, 0)
}

// The folder of the bus proxy's socket has another name each time; what is approved
// are the names that the proxy opens.
func TestBusNeedsApproval(t *testing.T) {
	opencode, other := busProject(t, `"org.example.Allowed"`), busProject(t, `"org.example.Other"`)
	w := newWorld(t, false)
	w.silent()
	w.onBus(opencode, "echo started >started").expect(t, 126).says(t, "session bus: talk org.example.Allowed", "nothing was started")
	w.launch(nil, w.ocjail(), "approve", "--yes").expect(t, 0)
	w.onBus(opencode, "echo started >started").expect(t, 0)
	if w.read("project/started") == "" {
		t.Error("the approved jail was not started")
	}
	w.onBus(other, "true").expect(t, 126).says(t, "+ session bus: talk org.example.Other")
}

// silent has the user say nothing of approvals.
func (w *world) silent() {
	w.t.Helper()
	if err := os.Remove(filepath.Join(w.home, userConfig)); err != nil {
		w.t.Fatal(err)
	}
}

// ocjail is one for the world's user: the tests' own folder is closed to others.
func (w *world) ocjail() string {
	w.t.Helper()
	program, err := os.ReadFile(ocjail)
	if err != nil {
		w.t.Fatal(err)
	}
	mine := filepath.Join(w.dir, "ocjail")
	if err := os.WriteFile(mine, program, 0o755); err != nil {
		w.t.Fatal(err)
	}
	return mine
}
