package refusals

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Protective mounts may close what a jail opens, and never the reverse: Resolve
// compares, and says so if that ever happens.
func TestHardeningWidensNothing(t *testing.T) {
	w := repository(t)
	w.Write("project/sub/deep/file", "", 0o644)
	fs := host.NewFS()
	facts, err := host.Gather(fs, w.Project)
	if err != nil {
		t.Fatal(err)
	}
	places := []string{"", "/.git", "/.git/hooks", "/.git/config", "/sub", "/sub/deep", "/devenv.nix", "/.git/hooks/post-commit"}
	hardened := 0
	rapid.Check(t, func(t *rapid.T) {
		argv := []string{"--unshare-all"}
		place := func(label string) string { return rapid.SampledFrom(places).Draw(t, label) }
		for range rapid.IntRange(1, 7).Draw(t, "operations") {
			op := rapid.SampledFrom([]string{"--bind", "--bind", "--ro-bind", "--dev-bind", "--tmpfs", "--remount-ro"}).Draw(t, "operation")
			dest := rapid.SampledFrom([]string{w.Project, w.Project, "/a"}).Draw(t, "below") + place("destination")
			if op == "--tmpfs" || op == "--remount-ro" {
				argv = append(argv, op, dest)
			} else {
				argv = append(argv, op, w.Project+place("source"), dest)
			}
		}
		s, err := sandbox.ParseArgv(append(argv, "--", "true"), nil)
		if err != nil {
			t.Fatal(err)
		}
		j, err := checker.Resolve(checker.Request{Phase: checker.Launch, Sandbox: s, FS: fs, Facts: facts, Config: config.Default(), Cwd: w.Project})
		if err != nil && strings.Contains(err.Error(), "would widen") {
			t.Fatalf("%v: %v", argv, err)
		}
		if err == nil && len(j.Sandbox.Options) > len(j.Asked.Options)+3 {
			hardened++
		}
	})
	if hardened < 5 {
		t.Errorf("only %d jails were hardened, so this proves little", hardened)
	}
}
