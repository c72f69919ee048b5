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
	if err := os.Remove(filepath.Join(w.home, userConfig)); err != nil {
		t.Fatal(err)
	}
	start := []string{"-c", "echo started >started"}
	w.launch(nil, append([]string{opencode}, start...)...).expect(t, 126).says(t, "+ rw {project}", "ocjail approve", "nothing was started")
	if w.read("project/started") != "" {
		t.Fatal("it was started")
	}
	program, err := os.ReadFile(ocjail)
	if err != nil {
		t.Fatal(err)
	}
	mine := filepath.Join(w.dir, "ocjail") // the tests' own folder is closed to the world's user
	if err := os.WriteFile(mine, program, 0o755); err != nil {
		t.Fatal(err)
	}
	w.launch(nil, mine, "approve", "--yes").expect(t, 0)
	w.launch(nil, append([]string{opencode}, start...)...).expect(t, 0)
	w.launch(nil, append([]string{others}, start...)...).expect(t, 0)
	w.launch(nil, append([]string{wider}, start...)...).expect(t, 126).says(t, "+ rw ~/.cargo/registry")
	w.launch(nil, append([]string{opencode}, start...)...).expect(t, 0)
}
