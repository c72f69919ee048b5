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

	"github.com/refnil/opencode-jail-devenv/checker/config"
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

// The module writes /etc/ocjail/ocjail.hcl as it is given, a file or its text, and what it
// writes is an organisation's configuration.
func TestNixosModule(t *testing.T) {
	var nixos struct {
		Text, Source, Words, Pulls, When string
		Packages                         []string
		Quiet                            map[string]any
	}
	flake(t, "nixos", &nixos)
	if nixos.Text != "protect = []\n" || !slices.Equal(nixos.Packages, []string{"ocjail"}) {
		t.Errorf("%+v", nixos)
	}
	if !strings.HasSuffix(nixos.Pulls, "/bin/ocjail bundle pull --system") || nixos.When != "hourly" || len(nixos.Quiet) > 0 {
		t.Errorf("unless told, it fetches %v; told, %q, %q", nixos.Quiet, nixos.Pulls, nixos.When)
	}
	example, err := os.ReadFile(filepath.Join(root, "packages/ocjail.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	if nixos.Source != filepath.Join(root, "packages/ocjail.hcl") || nixos.Words != string(example) {
		t.Errorf("the file is %s, the text\n%s", nixos.Source, nixos.Words)
	}
	if _, err := config.Parse(config.Organisation, config.OrganisationFile, []byte(nixos.Words)); err != nil {
		t.Error(err)
	}
}
