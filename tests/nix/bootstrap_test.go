package nix

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The template, with devenv's own bootstrap code: `imports: - opencode` finds
// the module, the shell has the jailed opencode. Only the real devenv has that
// code; with its stand-in the other tests have to do.
func TestDevenvBootstrap(t *testing.T) {
	setUp(t)
	if _, err := os.Stat(filepath.Join(chosen.devenv, "devenv-nix-backend")); err != nil {
		t.Log("the stand-in for devenv has no bootstrap code: nothing to test")
		return
	}
	dir := t.TempDir()
	nixpkgs := fmt.Sprintf("{ system, overlays ? [ ], ... }: import %s/tests/nix/double/packages.nix { lib = import %s; inherit system overlays; ocjail = %q; }\n",
		root, chosen.lib, ocjail)
	settings, err := os.ReadFile(filepath.Join(root, "templates/default/devenv.nix"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"nixpkgs/default.nix": nixpkgs, "project/devenv.nix": string(settings)} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{filepath.Join(root, "tests/nix/bootstrap.nix"), "--argstr", "lib", chosen.lib, "--argstr", "jailNix", chosen.jailNix,
		"--argstr", "devenv", chosen.devenv, "--argstr", "nixpkgs", filepath.Join(dir, "nixpkgs"), "--argstr", "dir", filepath.Join(dir, "project")}
	out, err := run(evalLimit, "nix-instantiate", append(args, "--eval", "--strict", "--json", "-A", "manifest")...)
	if err != nil {
		t.Fatal(err)
	}
	var m manifest
	if err := json.Unmarshal(out, &m); err != nil {
		t.Fatal(err)
	}
	if m.Name != "opencode" || m.Project != filepath.Join(dir, "project") || len(m.of("programs.opencode.baseJailCombinators")) != 8 {
		t.Errorf("not the default jail: %s of %s", m.Name, m.Project)
	}
	program, err := run(evalLimit, "nix-build", append(args, "--no-out-link", "-A", "program")...)
	if err != nil {
		t.Fatal(err)
	}
	shell, err := run(evalLimit, "nix-build", append(args, "--no-out-link", "-A", "shell.inputDerivation")...)
	if err != nil {
		t.Fatal(err)
	}
	refs, err := run(evalLimit, "nix-store", "-q", "--references", strings.TrimSpace(string(shell)))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(refs), strings.TrimSpace(string(program))) {
		t.Errorf("the shell does not have %s, but\n%s", program, refs)
	}
}
