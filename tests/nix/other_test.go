package nix

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ocjail is built for macOS too, where the manifest is judged and nothing started.
func TestBuildsForMacOS(t *testing.T) {
	setUp(t)
	for _, words := range [][]string{{"build", "-o", os.DevNull}, {"vet"}} {
		c := exec.Command("go", append(words, "./cmd/ocjail")...)
		c.Dir = root
		c.Env = append(os.Environ(), "GOOS=darwin", "GOARCH=arm64", "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("go %s: %v\n%s", words[0], err, out)
		}
	}
}

// What macOS gets, built for this machine: lint, inspect and why of a manifest
// need nothing of Linux, and what does says so.
func TestWithoutLinux(t *testing.T) {
	p := newProject(t, `jailCombinators = [ (pkgs.jail.combinators.rw-bind "/srv" "/srv") ];`).here()
	manifest := p.build("cfg.manifest")
	other := filepath.Join(t.TempDir(), "ocjail")
	build := exec.Command("go", "build", "-tags", "nojail", "-o", other, "./cmd/ocjail")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ocjail := func(status int, want string, words ...string) {
		t.Helper()
		c := exec.Command(other, words...)
		c.Dir = p.dir
		out, _ := c.CombinedOutput() // the status tells
		if c.ProcessState.ExitCode() != status || !strings.Contains(string(out), want) {
			t.Errorf("ocjail %q: exit status %d, want %d and %q:\n%s", words, c.ProcessState.ExitCode(), status, want, out)
		}
	}
	ocjail(1, "error fs/rw-outside-home: /srv can be written", "lint", manifest)
	ocjail(0, "programs.opencode.jailCombinators[0]", "inspect", manifest)
	ocjail(0, "/srv", "why", "/srv", manifest)
	ocjail(125, "needs Linux", "run", "--", "true")
	ocjail(125, "needs Linux", "gate", "--", "--ro-bind", "/", "/", "true")
	ocjail(1, "needs Linux", "doctor")
	ocjail(0, "needs Linux", "run", "--help")
}
