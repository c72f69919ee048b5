package nix

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// goldenSettings use each kind of argument, effect and phase that a manifest
// can hold.
const goldenSettings = `
	git.identity = true;
	env = [ "ANTHROPIC_API_KEY" ];
	caches = [ "~/.npm" ];
	protectedPaths = [ ".envrc" ];
	policy = { mode = "observe"; config = "protect = []\n"; };
	jailCombinators = with pkgs.jail.combinators; [
		(rw-bind "~/.cargo/registry" "~/.cargo/registry")
		(readonly "~/my notes")
		(compose [ (tmpfs "/t") (compose [ (rw-bind "/srv/data" "/data") ]) ])
		(defer (set-env "LATE" "1"))
		(defer (defer (set-env "NEVER" "1")))
		(state: state // { newSession = true; added = 1; })
		(unsafe-add-raw-args "--dir /a")
		(wrap-entry (entry: "nice ${entry}"))
		(bind-pkg "/hello" pkgs.hello)
		(dbus { talk = [ "org.freedesktop.Notifications" ]; })
	];
`

// golden is the manifest of goldenSettings with the stand-ins as inputs, the
// same on all machines.
func golden(t *testing.T) []byte {
	t.Helper()
	p := newProject(t, goldenSettings)
	p.inputs = double
	p.extra = []string{"--argstr", "system", "x86_64-linux"}
	var raw any
	p.eval("manifest", &raw)
	b, err := json.MarshalIndent(raw, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	b = regexp.MustCompile(`/[a-z0-9/-]*/store/[0-9a-z]{32}-`).ReplaceAll(b, []byte("/nix/store/00000000000000000000000000000000-"))
	return append(b, '\n')
}

func TestGoldenManifest(t *testing.T) {
	const file = "testdata/manifest.json"
	got := golden(t)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what Nix makes; if the change is meant, run UPDATE_GOLDEN=1 go test ./tests/nix -run Golden, and then checker/manifest's tests: (-file +nix)\n%s", file, cmp.Diff(string(want), string(got)))
	}
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	setUp(t)
	s, err := jsonschema.NewCompiler().Compile(filepath.Join(root, "nix/manifest.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestManifestsFitTheSchema(t *testing.T) {
	s := schema(t)
	for name, settings := range map[string]string{
		"defaults": "", "golden": goldenSettings, "project state": `stateDir = "project";`,
	} {
		t.Run(name, func(t *testing.T) {
			var raw any
			newProject(t, settings).eval("manifest", &raw)
			if err := s.Validate(raw); err != nil {
				t.Error(err)
			}
		})
	}
}

// A schema that takes everything would prove nothing.
func TestSchemaIsStrict(t *testing.T) {
	s := schema(t)
	for name, change := range map[string]func(m map[string]any){
		"version": func(m map[string]any) { m["version"] = 2.0 },
		"extra":   func(m map[string]any) { m["more"] = 1.0 },
		"missing": func(m map[string]any) { delete(m, "script") },
		"mode":    func(m map[string]any) { m["policy"].(map[string]any)["mode"] = "off" },
		"argument": func(m map[string]any) {
			m["elements"].([]any)[0].(map[string]any)["args"] = []any{map[string]any{"secret": "x"}}
		},
		"unquoted ID": func(m map[string]any) { m["elements"].([]any)[0].(map[string]any)["id"] = "a b" },
	} {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile("testdata/manifest.json")
			if err != nil {
				t.Fatal(err)
			}
			var m map[string]any
			if err := json.Unmarshal(b, &m); err != nil {
				t.Fatal(err)
			}
			change(m)
			if err := s.Validate(m); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// Reading the manifest builds nothing.
func TestManifestNeedsNoBuild(t *testing.T) {
	var context []string
	if newProject(t, goldenSettings).eval("manifestContext", &context); len(context) > 0 {
		t.Errorf("the manifest needs %v", context)
	}
}

// Each element says where it was written, also those of other files and of
// conditions, and each origin of the argv is some element's ID.
func TestProvenance(t *testing.T) {
	p := newDevenv(t, `
		imports = [ ./other.nix ];
		programs.opencode.enable = true;
		programs.opencode.jailCombinators = with pkgs.jail.combinators; lib.mkMerge [
			(lib.mkIf true [ network (tmpfs "/one") ])
			(lib.mkIf false [ (tmpfs "/never") ])
			(lib.mkAfter [ (s: s) ])
		];
	`)
	other := "{ pkgs, ... }: { programs.opencode.jailCombinators = [ (pkgs.jail.combinators.readonly \"/srv\") ]; }\n"
	if err := os.WriteFile(filepath.Join(p.dir, "other.nix"), []byte(other), 0o644); err != nil {
		t.Fatal(err)
	}
	m := p.manifest()
	type origin struct{ Text, File string }
	var got []origin
	for i, e := range m.of("programs.opencode.jailCombinators") {
		if e.Origin.Index == nil || *e.Origin.Index != i || e.Origin.Entry == nil {
			t.Errorf("element %d has index %v, entry %v", i, e.Origin.Index, e.Origin.Entry)
		}
		got = append(got, origin{e.text(), e.Origin.File})
	}
	want := []origin{
		{"readonly /srv", filepath.Join(p.dir, "other.nix")},
		{"network", "devenv.nix"}, {"tmpfs /one", "devenv.nix"}, {"(function)", "devenv.nix"},
	}
	byText := func(a, b origin) int { return bytes.Compare([]byte(a.Text), []byte(b.Text)) }
	slices.SortFunc(got, byText)
	slices.SortFunc(want, byText)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestOriginsResolve(t *testing.T) {
	p := newProject(t, goldenSettings)
	known := map[string]bool{}
	var walk func(es []element)
	walk = func(es []element) {
		for _, e := range es {
			known[e.ID] = true
			walk(e.Children)
		}
	}
	m := p.manifest()
	walk(m.Elements)
	found := regexp.MustCompile(`--ocjail-origin (?:'([^']*)'|([^\s)]+))`).FindAllStringSubmatch(p.evalString("wrapper"), -1)
	if len(found) < 20 {
		t.Fatalf("only %d origins in the wrapper", len(found))
	}
	for _, f := range found {
		if id := f[1] + f[2]; !known[id] {
			t.Errorf("the wrapper names %s, which is in no manifest", id)
		}
	}
	for _, piece := range slices.Concat(m.Script.Cmd, m.Script.Runtime) {
		if !known[piece.ID] {
			t.Errorf("%q comes from %s, which is no element", piece.Text, piece.ID)
		}
	}
}
