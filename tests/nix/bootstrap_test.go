package nix

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// bootstrapped is a project with these settings, as devenv's own bootstrap code
// evaluates it. Only the real devenv has that code: with its stand-in ok is false,
// and the other tests have to do.
func bootstrapped(t *testing.T, settings string) (p bootstrap, ok bool) {
	t.Helper()
	setUp(t)
	if _, err := os.Stat(filepath.Join(chosen.devenv, "devenv-nix-backend")); err != nil {
		t.Log("the stand-in for devenv has no bootstrap code: nothing to test")
		return p, false
	}
	dir := t.TempDir()
	nixpkgs := fmt.Sprintf("{ system, overlays ? [ ], ... }: import %s/tests/nix/double/packages.nix { lib = import %s; inherit system overlays; ocjail = %q; }\n",
		root, chosen.lib, ocjail)
	for name, text := range map[string]string{"nixpkgs/default.nix": nixpkgs, "project/devenv.nix": settings} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return bootstrap{t, filepath.Join(dir, "project"), []string{filepath.Join(root, "tests/nix/bootstrap.nix"), "--argstr", "lib", chosen.lib,
		"--argstr", "jailNix", chosen.jailNix, "--argstr", "devenv", chosen.devenv, "--argstr", "nixpkgs", filepath.Join(dir, "nixpkgs"),
		"--argstr", "dir", filepath.Join(dir, "project")}}, true
}

type bootstrap struct {
	t    *testing.T
	dir  string
	args []string
}

func (b bootstrap) manifest() (m manifest) {
	b.t.Helper()
	out, err := run(evalLimit, "nix-instantiate", append(b.args, "--eval", "--strict", "--json", "-A", "manifest")...)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := json.Unmarshal(out, &m); err != nil {
		b.t.Fatal(err)
	}
	return m
}

func (b bootstrap) build(attr string) string {
	b.t.Helper()
	out, err := run(evalLimit, "nix-build", append(b.args, "--no-out-link", "-A", attr)...)
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// The template, with devenv's own bootstrap code: `imports: - opencode` finds
// the module, the shell has the jailed opencode.
func TestDevenvBootstrap(t *testing.T) {
	setUp(t)
	settings, err := os.ReadFile(filepath.Join(root, "templates/default/devenv.nix"))
	if err != nil {
		t.Fatal(err)
	}
	p, ok := bootstrapped(t, string(settings))
	if !ok {
		return
	}
	if m := p.manifest(); m.Name != "opencode" || m.Project != p.dir || len(m.of("programs.opencode.baseJailCombinators")) != 8 {
		t.Errorf("not the default jail: %s of %s", m.Name, m.Project)
	}
	program := p.build("program")
	refs, err := run(evalLimit, "nix-store", "-q", "--references", p.build("shell.inputDerivation"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(refs), program) {
		t.Errorf("the shell does not have %s, but\n%s", program, refs)
	}
}

// What the README tells a newcomer to write ends in a checked, jailed opencode.
func TestReadmeProject(t *testing.T) {
	setUp(t)
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := func(language, file string) string {
		m := regexp.MustCompile("(?s)```" + language + "\n# " + regexp.QuoteMeta(file) + "\n(.*?)```").FindSubmatch(readme)
		if m == nil {
			t.Fatalf("README.md has no %s", file)
		}
		return string(m[1])
	}
	yaml, err := os.ReadFile(filepath.Join(root, "templates/default/devenv.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(yaml), block("yaml", "devenv.yaml")); diff != "" {
		t.Errorf("README.md and the template have another devenv.yaml: (-template +README)\n%s", diff)
	}
	p, ok := bootstrapped(t, block("nix", "devenv.nix"))
	if !ok {
		return
	}
	opencode := filepath.Join(p.build("program"), "bin/opencode")
	// The folder above is this test's own: other users can't enter it.
	w := newWorld(t, os.Getuid() == 0)
	w.write(".cargo/registry/crate", "a crate\n")
	r := w.launch([]string{"TOKEN=hunter2"}, "/bin/sh", "-c", `cd "$0" && exec "$@"`, p.dir, opencode, "-c",
		`cat ~/.cargo/registry/crate; echo "${TOKEN-none}"; jq --version >/dev/null && echo here >new; exit 7`).expect(t, 7)
	if r.stdout != "a crate\nnone\n" {
		t.Errorf("stdout %q\n%s", r.stdout, r.stderr)
	}
	if text, err := os.ReadFile(filepath.Join(p.dir, "new")); string(text) != "here\n" {
		t.Errorf("the project was not written: %q %v", text, err)
	}
	// A folder that is not there is told with the option that names it.
	newWorld(t, os.Getuid() == 0).launch(nil, "/bin/sh", "-c", `cd "$0" && exec "$@"`, p.dir, opencode, "-c", "true").
		expect(t, 125).says(t, ".cargo/registry", "programs.opencode.jailCombinators[0]")
	if !strings.Contains(w.read(".local/state/ocjail/decisions.jsonl"), `"verdict":"allow"`) {
		t.Error("the launch was not checked")
	}
}
