package nix

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// vendorHash is of the modules that go.mod names now.
func TestVendorHash(t *testing.T) {
	var packages map[string]struct{ VendorHash string }
	flake(t, "package", &packages)
	dir := filepath.Join(t.TempDir(), "vendor")
	if _, err := runIn(root, evalLimit, "go", "mod", "vendor", "-o", dir); err != nil {
		t.Fatal(err)
	}
	out, err := run(evalLimit, "nix", "hash", "path", "--sri", dir)
	if err != nil {
		t.Fatal(err)
	}
	if want, got := strings.TrimSpace(string(out)), packages["x86_64-linux"].VendorHash; got != want {
		t.Errorf("nix/package.nix has vendorHash %s; for this go.mod it is %s", got, want)
	}
}

// The package's source has all that go needs of this module, and nothing that
// would make it rebuild when only Nix files change.
func TestPackageSource(t *testing.T) {
	// Unlike reading its path, evaluating a derivation that has the source copies it.
	out, err := run(evalLimit, "nix-build", append(flakeArgs(t), "--no-out-link", "-A", "source")...)
	if err != nil {
		t.Fatal(err)
	}
	src, err := filepath.EvalSymlinks(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := runIn(src, evalLimit, "go", "list", "-deps", "./cmd/ocjail", "./cmd/ocjail-rules", "./cmd/ocjail-wasm"); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(src)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if diff := cmp.Diff([]string{"checker", "cmd", "go.mod", "go.sum", "policy"}, names); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// The package brings manual pages and completions, which are no empty files.
func TestPackageExtras(t *testing.T) {
	out, err := run(evalLimit, "nix-build", append(flakeArgs(t), "--no-out-link", "-A", "ocjail")...)
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"share/man/man1/ocjail.1":                       "bubblewrap jail",
		"share/man/man1/ocjail-lint.1":                  "Check jails without starting them",
		"share/man/man1/ocjail-gate.1":                  "Stand in bwrap",
		"share/man/man1/ocjail-config-check.1":          ".nf\nocjail config check\n",
		"share/bash-completion/completions/ocjail.bash": "complete",
		"share/fish/vendor_completions.d/ocjail.fish":   "complete -c ocjail",
		"share/zsh/site-functions/_ocjail":              "#compdef ocjail",
	} {
		text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), file))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s does not say %q: %v\n%.300s", file, want, err, text)
		}
	}
}

// devenv loads exactly this file for `imports: - opencode`.
func TestRootDevenv(t *testing.T) {
	p := newProject(t, "")
	p.extra = []string{"--arg", "module", filepath.Join(root, "devenv.nix")}
	if p.manifest().Name != "opencode" {
		t.Error("devenv.nix does not bring the module")
	}
}

// Without an input jail-nix of the user's, the module takes the locked one: here
// from a copy of the module that locks the jail.nix of the tests.
func TestLockedJailNix(t *testing.T) {
	p := newProject(t, "")
	dir := t.TempDir()
	source := filepath.Join(dir, "source")
	for _, c := range [][]string{
		{"cp", "-r", p.inputs.jailNix, source}, {"chmod", "-R", "u+w", source},
		{"cp", "-r", filepath.Join(root, "nix"), filepath.Join(root, "packages"), filepath.Join(root, "module.nix"), filepath.Join(root, "go.mod"), dir},
		{"nix-store", "--add-fixed", "--recursive", "sha256", source},
	} {
		if _, err := run(evalLimit, c[0], c[1:]...); err != nil {
			t.Fatal(err)
		}
	}
	hash, err := run(evalLimit, "nix", "hash", "path", "--sri", source)
	if err != nil {
		t.Fatal(err)
	}
	lock, err := os.ReadFile(filepath.Join(root, "flake.lock"))
	if err != nil {
		t.Fatal(err)
	}
	var l lockFile
	if err := json.Unmarshal(lock, &l); err != nil {
		t.Fatal(err)
	}
	locked := l.Nodes["jail-nix"].Locked
	lock = []byte(strings.ReplaceAll(string(lock), locked.NarHash, strings.TrimSpace(string(hash))))
	if err := os.WriteFile(filepath.Join(dir, "flake.lock"), lock, 0o644); err != nil {
		t.Fatal(err)
	}
	p.extra = []string{"--arg", "module", filepath.Join(dir, "module.nix"), "--arg", "withJailNix", "false"}
	if got := p.evalString("manifest.jailNix"); got != locked.Rev {
		t.Errorf("jail.nix %s, want the locked %s", got, locked.Rev)
	}
	// An input with `flake: false` is a folder.
	p.extra = []string{"--arg", "plainJailNix", "true"}
	if got := p.evalString("manifest.jailNix"); got != p.inputs.jailNix {
		t.Errorf("jail.nix %s, want %s", got, p.inputs.jailNix)
	}
}

// On macOS all of it evaluates, and opencode says why it can't run.
func TestDarwin(t *testing.T) {
	for _, system := range []string{"aarch64-darwin", "x86_64-darwin"} {
		p := newProject(t, goldenSettings)
		p.inputs.devenv = double.devenv
		p.extra = []string{"--argstr", "system", system}
		var raw any
		if p.eval("manifest", &raw); raw == nil {
			t.Errorf("%s: no manifest", system)
		} else if err := schema(t).Validate(raw); err != nil {
			t.Errorf("%s: %v", system, err)
		}
		stub := p.evalString("wrapper")
		for _, w := range []string{"exit 125", "Linux", "nothing was started"} {
			if !strings.Contains(stub, w) {
				t.Errorf("%s: opencode does not say %q:\n%s", system, w, stub)
			}
		}
		if text := p.evalString("config.enterShell"); !strings.Contains(text, "needs Linux") {
			t.Errorf("%s: entering the shell says\n%s", system, text)
		}
		for _, attr := range []string{"cfg.finalPackage.drvPath", "cfg.manifest.drvPath", "config.infoSections.opencode", "shellPackages"} {
			p.eval(attr, &raw)
		}
	}
}
