package checker_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Projects have up to two hundred submodules (Boost), each with files that git obeys. An
// agent could make any number of what looks like one.
func TestHardeningOfManySubmodules(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	repository := func(at string) {
		for _, d := range []string{"objects", "refs", "hooks"} {
			if err := os.MkdirAll(filepath.Join(at, d), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for name, text := range map[string]string{"HEAD": "ref: refs/heads/main\n", "config": "[core]\n\trepositoryformatversion = 0\n"} {
			if err := os.WriteFile(filepath.Join(at, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	repository(filepath.Join(dir, ".git"))
	made := 0
	resolve := func(submodules int) error {
		for ; made < submodules; made++ {
			repository(filepath.Join(dir, ".git/modules/libs", fmt.Sprint(made)))
		}
		fs := host.NewFS()
		facts, err := host.Gather(fs, dir)
		if err != nil {
			t.Fatal(err)
		}
		s, err := sandbox.ParseArgv([]string{"--ro-bind", "/usr", "/usr", "--bind", dir, dir, "--", "/usr/bin/true"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = checker.Resolve(checker.Request{Name: "test", Phase: checker.Launch, Sandbox: s, FS: fs, Facts: facts, Config: config.Default(), Cwd: dir})
		return err
	}
	if err := resolve(200); err != nil {
		t.Error(err)
	}
	if err := resolve(560); err == nil || !strings.Contains(err.Error(), "protective mounts would be needed, more than 1600") {
		t.Error(err)
	}
}
