package nix

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func flakeArgs(t *testing.T) []string {
	t.Helper()
	setUp(t)
	return []string{filepath.Join(root, "tests/nix/flake.nix"), "--argstr", "lib", chosen.lib, "--argstr", "jailNix", chosen.jailNix, "--argstr", "ocjail", ocjail}
}

func flake(t *testing.T, attr string, v any) {
	t.Helper()
	out, err := run(evalLimit, "nix-instantiate", append(flakeArgs(t), "--eval", "--strict", "--json", "-A", attr)...)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, v); err != nil {
		t.Fatal(err)
	}
}

func TestFlakeOutputs(t *testing.T) {
	var names []string
	flake(t, "names", &names)
	want := []string{"checks", "devShells", "devenvModules", "formatter", "lib", "nixosModules", "overlays", "packages", "templates"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("outputs: (-want +got)\n%s", diff)
	}
	var systems map[string][]string
	flake(t, "systems", &systems)
	for name, got := range systems {
		if diff := cmp.Diff([]string{"aarch64-linux", "x86_64-linux"}, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
	var checks map[string]map[string]string
	flake(t, "checks", &checks)
	for system, c := range checks {
		for _, name := range []string{"ocjail", "jail"} {
			if c[name] == "" {
				t.Errorf("checks.%s.%s is missing", system, name)
			}
		}
	}
	var overlay []string
	if flake(t, "overlay", &overlay); !slices.Equal(overlay, []string{"jail", "ocjail"}) {
		t.Errorf("the overlay has %v", overlay)
	}
	var module string
	if flake(t, "devenvModule", &module); module != filepath.Join(root, "module.nix") {
		t.Errorf("devenvModules.default is %s", module)
	}
}

// flake.lock is written by hand or by nix; either way it must be of this flake.
func TestLockFitsTheFlake(t *testing.T) {
	var inputs map[string]string
	flake(t, "inputs", &inputs)
	lock, err := readLock()
	if err != nil {
		t.Fatal(err)
	}
	for name, url := range inputs {
		o := lock.Nodes[name].Original
		locked := strings.TrimSuffix(o.Type+":"+o.Owner+"/"+o.Repo+"/"+o.Ref, "/")
		if locked != url {
			t.Errorf("%s: flake.nix has %s, flake.lock %s", name, url, locked)
		}
		if !regexp.MustCompile(`^sha256-[A-Za-z0-9+/]{43}=$`).MatchString(lock.Nodes[name].Locked.NarHash) {
			t.Errorf("%s: narHash %q", name, lock.Nodes[name].Locked.NarHash)
		}
	}
	if len(lock.Nodes) != len(inputs)+1 {
		t.Errorf("flake.lock has %d nodes for %d inputs", len(lock.Nodes), len(inputs))
	}
}

func TestTemplates(t *testing.T) {
	var templates map[string]struct{ Path, Description string }
	flake(t, "templates", &templates)
	for _, name := range []string{"default", "rust", "python", "node"} {
		dir := templates[name].Path
		if dir != filepath.Join(root, "templates", name) || templates[name].Description == "" {
			t.Errorf("template %s is %+v", name, templates[name])
			continue
		}
		yaml, err := os.ReadFile(filepath.Join(dir, "devenv.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{"url: github:refnil/opencode-jail-devenv", "url: sourcehut:~alexdavid/jail.nix", "imports:\n  - opencode"} {
			if !strings.Contains(string(yaml), line) {
				t.Errorf("templates/%s/devenv.yaml lacks %q", name, line)
			}
		}
		settings, err := os.ReadFile(filepath.Join(dir, "devenv.nix"))
		if err != nil {
			t.Fatal(err)
		}
		// The stand-ins have no languages, and no packages for them.
		p := newDevenv(t, "")
		if err := os.WriteFile(filepath.Join(p.dir, "devenv.nix"), settings, 0o644); err != nil {
			t.Fatal(err)
		}
		p.inputs.devenv = double.devenv
		p.extra = []string{"--arg", "anyLanguage", "true"}
		if len(p.manifest().Elements) == 0 {
			t.Errorf("the template %s makes no jail", name)
		}
	}
}

func TestLibJail(t *testing.T) {
	out, err := run(evalLimit, "nix-build", append(flakeArgs(t), "--no-out-link", "-A", "jail")...)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, false)
	w.write("Documents/letter", "Dear reader\n")
	tool := filepath.Join(strings.TrimSpace(string(out)), "bin/tool")
	r := w.launch(nil, tool, "-c", "hello; cat ~/Documents/letter; echo >~/Documents/x 2>/dev/null || exit 3").expect(t, 3)
	if want := "Hello, world!\nDear reader\n"; r.stdout != want {
		t.Errorf("stdout %q, want %q", r.stdout, want)
	}
}

func TestNixosModule(t *testing.T) {
	var nixos struct {
		Text     string
		Packages []string
	}
	flake(t, "nixos", &nixos)
	if nixos.Text != "protect = []\n" || !slices.Equal(nixos.Packages, []string{"ocjail"}) {
		t.Errorf("%+v", nixos)
	}
}

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
		{"cp", "-r", filepath.Join(root, "nix"), filepath.Join(root, "module.nix"), filepath.Join(root, "go.mod"), dir},
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
		for _, attr := range []string{"cfg.finalPackage.drvPath", "cfg.manifest.drvPath", "config.enterShell", "config.infoSections.opencode", "shellPackages"} {
			p.eval(attr, &raw)
		}
	}
}
