package nix

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Where a project lies for whoever evaluates or launches it.
const (
	homeDir    = "/home/dev"
	projectDir = homeDir + "/project"
)

// evalLimit bounds one evaluation or build.
const evalLimit = 2 * time.Minute

// project is a devenv project with a devenv.nix.
type project struct {
	t      *testing.T
	dir    string // where devenv.nix is
	inputs inputs
	extra  []string // further arguments of eval.nix
}

// newProject writes a devenv.nix with programs.opencode enabled and these
// settings of it, e.g. `git.identity = true;`.
func newProject(t *testing.T, settings string) *project {
	t.Helper()
	return newDevenv(t, "programs.opencode = {\nenable = true;\n"+settings+"\n};")
}

// newDevenv is newProject with all of the settings in devenv.nix.
func newDevenv(t *testing.T, settings string) *project {
	t.Helper()
	setUp(t)
	dir := t.TempDir()
	text := "{ pkgs, lib, config, ... }: {\n" + settings + "\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "devenv.nix"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return &project{t: t, dir: dir, inputs: chosen}
}

func (p *project) args() []string {
	return append([]string{
		filepath.Join(root, "tests/nix/eval.nix"),
		"--argstr", "lib", p.inputs.lib, "--argstr", "jailNix", p.inputs.jailNix, "--argstr", "devenv", p.inputs.devenv,
		"--argstr", "dir", p.dir, "--argstr", "ocjail", ocjail,
	}, p.extra...)
}

// eval evaluates an attribute of eval.nix into v.
func (p *project) eval(attr string, v any) {
	p.t.Helper()
	out, err := run(evalLimit, "nix-instantiate", append(p.args(), "--eval", "--strict", "--json", "-A", attr)...)
	if err != nil {
		p.t.Fatalf("%s: %v", attr, err)
	}
	if err := json.Unmarshal(out, v); err != nil {
		p.t.Fatalf("%s: %v in %s", attr, err, out)
	}
}

// evalString is eval of a string.
func (p *project) evalString(attr string) (s string) {
	p.t.Helper()
	p.eval(attr, &s)
	return s
}

// fails evaluates an attribute that can't be, and checks that the error says
// each of want.
func (p *project) fails(attr string, want ...string) {
	p.t.Helper()
	out, err := run(evalLimit, "nix-instantiate", append(p.args(), "--eval", "--strict", "--json", "-A", attr)...)
	if err == nil {
		p.t.Fatalf("%s is %s, want an error", attr, out)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			p.t.Errorf("%s: the error does not say %q:\n%v", attr, w, err)
		}
	}
}

// build builds an attribute and returns its store path.
func (p *project) build(attr string) string {
	p.t.Helper()
	out, err := run(evalLimit, "nix-build", append(p.args(), "--no-out-link", "-A", attr)...)
	if err != nil {
		p.t.Fatalf("%s: %v", attr, err)
	}
	return strings.TrimSpace(string(out))
}
