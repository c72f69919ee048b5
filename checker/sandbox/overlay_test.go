package sandbox_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// bwrap mounts an overlay without an upper layer with no flag of its own (mount(2) in
// bubblewrap.c): the file system is read-only, which mountinfo does not show of a mount.
func TestReadOnlyOverlay(t *testing.T) {
	dir := publicDir(t)
	for _, name := range []string{"a", "b"} {
		must(t, os.Mkdir(filepath.Join(dir, name), 0o755))
	}
	argv := []string{"--overlay-src", "a", "--overlay-src", "b", "--ro-overlay", "/o", "cat", "/proc/self/mountinfo"}
	s, err := sandbox.ParseArgv(argv, nil)
	must(t, err)
	tree, err := s.Simulate(sandbox.Config{Host: newLiveFS(t, ""), Strict: true, Cwd: dir})
	must(t, err)
	for _, l := range tree.InJail() {
		if l.Point == "/o" && (l.Flag || !l.ReadOnly || l.Access().Writes()) {
			t.Errorf("flag %v, read-only %v, access %v", l.Flag, l.ReadOnly, l.Access())
		}
	}
}
