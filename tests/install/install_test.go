// Package install tests the script that installs what the other tests need.
package install

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	fakeGo  = "#!/bin/sh\necho go1.26.8\n"
	nothing = "#!/bin/sh\n"
	// fakeNPM leaves behind what the script looks for.
	fakeNPM = "#!/bin/sh\nmkdir -p \"$3/node_modules/opencode-ai\"\n"
	failing = "#!/bin/sh\necho no network >&2\nexit 1\n"
)

// project makes a project with the script in it, and a bin folder with the
// programs that the script always uses and the given fakes, which is all of PATH.
func project(t *testing.T, fakes map[string]string) *exec.Cmd {
	t.Helper()
	root := t.TempDir()
	script, err := os.ReadFile("install.sh")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range fakes {
		write(t, filepath.Join(root, "bin", name), text)
	}
	write(t, filepath.Join(root, "go.mod"), "module example.org/m\n\ngo 1.26.8\n")
	write(t, filepath.Join(root, "tests/install/install.sh"), string(script))
	for _, name := range []string{"bash", "cat", "dirname", "head", "id", "mkdir", "rm", "sed", "sh", "sort", "touch", "uname"} {
		if fakes[name] != "" {
			continue
		}
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatalf("%v: install coreutils, sed and bash", err)
		}
		if err := os.Symlink(path, filepath.Join(root, "bin", name)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(filepath.Join(root, "bin/bash"), filepath.Join(root, "tests/install/install.sh"))
	cmd.Dir = root
	cmd.Env = []string{"PATH=" + filepath.Join(root, "bin")}
	return cmd
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestSaysWhatIsMissing(t *testing.T) {
	all := map[string]string{"go": fakeGo, "bwrap": nothing, "git": nothing, "node": nothing, "npm": fakeNPM}
	for _, c := range []struct {
		name    string
		replace map[string]string // "" takes the program away
		want    string
	}{
		{"no go", map[string]string{"go": ""}, "go is missing: install Go 1.26.8 or newer"},
		{"old go", map[string]string{"go": "#!/bin/sh\necho go1.9.4\n"}, "go 1.9.4 is too old: install Go 1.26.8"},
		{"go without its toolchain", map[string]string{"go": failing}, "could not get the toolchain of go.mod"},
		{"no bubblewrap", map[string]string{"bwrap": ""}, "nix profile install nixpkgs#bubblewrap\n"},
		{"no git either", map[string]string{"bwrap": "", "git": ""}, "pacman -S bubblewrap git\n"},
		{"no archive", map[string]string{"bwrap": "", "id": "#!/bin/sh\necho 0\n", "env": failing, "apt-get": failing},
			"could not install bubblewrap from the Debian archive"},
		{"no node", map[string]string{"node": ""}, "dnf install nodejs npm\n"},
		{"no registry", map[string]string{"npm": failing}, "could not install opencode-ai@1.18.33 from the npm registry"},
		{"no binary", map[string]string{"node": failing}, "has no binary for this machine"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fakes := maps.Clone(all)
			maps.Copy(fakes, c.replace)
			maps.DeleteFunc(fakes, func(_, text string) bool { return text == "" })
			out, err := project(t, fakes).CombinedOutput()
			if err == nil {
				t.Error("the script succeeded")
			}
			if !strings.Contains(string(out), c.want) {
				t.Errorf("%q is missing in\n%s", c.want, out)
			}
		})
	}
}

func TestInstallsOnce(t *testing.T) {
	first := project(t, map[string]string{"go": fakeGo, "bwrap": nothing, "git": nothing, "node": nothing, "npm": fakeNPM})
	out, err := first.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "installing opencode-ai@1.18.33") {
		t.Fatalf("%v\n%s", err, out)
	}
	second := exec.Command(first.Path, first.Args[1:]...)
	second.Dir, second.Env = first.Dir, first.Env
	if out, err := second.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("again: %v\n%s", err, out)
	}
}
