package nix

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDefaults(t *testing.T) {
	p := newProject(t, "")
	for attr, want := range map[string]any{
		"cfg.addProjectPackages": true,
		"cfg.packages":           []any{},
		"cfg.jailCombinators":    []any{},
		"cfg.policy.enable":      true,
		"cfg.policy.mode":        "enforce",
		"cfg.policy.config":      nil,
		"cfg.protectedPaths":     []any{},
		"cfg.reviewedPaths":      []any{},
		"cfg.git.identity":       false,
		"cfg.caches":             []any{},
		"cfg.stateDir":           "shared",
		"cfg.hardenGit":          true,
	} {
		var got any
		p.eval(attr, &got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", attr, diff)
		}
	}
	if got := newDevenv(t, ""); true {
		var enabled bool
		if got.eval("cfg.enable", &enabled); enabled {
			t.Error("opencode is enabled by default")
		}
	}
}

func TestDefaultPackages(t *testing.T) {
	// The stand-ins have one bash, which is its interactive form too.
	want := "bash curl wget jq git which ripgrep gnugrep gawkInteractive ps findutils gzip unzip gnutar diffutils"
	var names []string
	newProject(t, "").eval("baseNames", &names)
	if got := strings.Join(names, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestDefaultPermissions(t *testing.T) {
	var got []string
	for _, e := range newProject(t, "").manifest().of("programs.opencode.baseJailCombinators") {
		got = append(got, e.text())
	}
	want := []string{
		"network", "time-zone", "no-new-session", "tmpfs /tmp",
		"readwrite ~/.config/opencode", "readwrite ~/.local/share/opencode", "readwrite ~/.local/state/opencode",
		"rw-bind /home/dev/project /home/dev/project",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Every option has what a reader of its documentation needs.
func TestOptionsAreDocumented(t *testing.T) {
	var missing []string
	if newProject(t, "").eval("undocumented", &missing); len(missing) > 0 {
		t.Errorf("without type, description, default or example: %v", missing)
	}
}

func TestPassedVariablesAreTheProfiles(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(root, "checker/profile/opencode.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile(`(?ms)^env = \[(.*?)^\]`).FindSubmatch(b)
	if block == nil {
		t.Fatal("checker/profile/opencode.hcl has no list env")
	}
	var want []string
	for _, m := range regexp.MustCompile(`"(\w+)"`).FindAllSubmatch(block[1], -1) {
		want = append(want, string(m[1]))
	}
	var got []string
	newProject(t, "").eval("cfg.env", &got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("nix/variables.nix and checker/profile/opencode.hcl differ: (-hcl +nix)\n%s", diff)
	}
}

func TestHistoricalSpelling(t *testing.T) {
	p := newProject(t, "addProjetPackages = false;")
	var value bool
	if p.eval("cfg.addProjectPackages", &value); value {
		t.Error("addProjetPackages = false was not forwarded")
	}
	var warnings []string
	p.eval("config.warnings", &warnings)
	if !slices.ContainsFunc(warnings, func(w string) bool {
		return strings.Contains(w, "addProjetPackages") && strings.Contains(w, "addProjectPackages") && strings.Contains(w, "devenv.nix")
	}) {
		t.Errorf("no warning that names both spellings and the file: %q", warnings)
	}
}

func TestPackageIsAnAlias(t *testing.T) {
	p := newProject(t, "package = pkgs.hello;")
	if got := p.evalString("cfg.opencodePackage.name"); got != "hello" {
		t.Errorf("opencodePackage is %s", got)
	}
	if got := p.evalString("cfg.package.name"); got != "hello" {
		t.Errorf("package is %s", got)
	}
}

func TestProjectPackages(t *testing.T) {
	const settings = "packages = [ pkgs.hello ]; programs.opencode.enable = true;"
	for name, c := range map[string]struct {
		settings string
		want     bool
	}{
		"by default":   {settings, true},
		"switched off": {settings + "programs.opencode.addProjectPackages = false;", false},
	} {
		t.Run(name, func(t *testing.T) {
			var inputs []string
			newDevenv(t, c.settings).eval("shellInputs", &inputs)
			if got := slices.Contains(inputs, "hello"); got != c.want {
				t.Errorf("hello in the jail: %v, want %v; it has %v", got, c.want, inputs)
			}
		})
	}
}

func TestBadValues(t *testing.T) {
	for name, c := range map[string]struct {
		settings, attr string
		want           []string
	}{
		"no function":       {`jailCombinators = [ "network" ];`, "wrapper", []string{"programs.opencode.jailCombinators", "permission", "devenv.nix"}},
		"missing argument":  {`jailCombinators = with pkgs.jail.combinators; [ (tmpfs "/a") (rw-bind "/a") ];`, "wrapper", []string{"programs.opencode.jailCombinators[1] in devenv.nix", "rw-bind", "all its arguments"}},
		"no state":          {`jailCombinators = [ (s: 1) ];`, "wrapper", []string{"programs.opencode.jailCombinators[0] in devenv.nix", "not a permission"}},
		"nested":            {`jailCombinators = with pkgs.jail.combinators; [ (compose [ (ro-bind "/a") ]) ];`, "wrapper", []string{"programs.opencode.jailCombinators[0] in devenv.nix", "ro-bind"}},
		"variable":          {`env = [ "A B" ];`, "cfg.env", []string{"programs.opencode.env"}},
		"cache":             {`caches = [ "/var/cache" ];`, "cfg.caches", []string{"programs.opencode.caches"}},
		"state":             {`stateDir = "elsewhere";`, "cfg.stateDir", []string{"programs.opencode.stateDir"}},
		"mode":              {`policy.mode = "off";`, "cfg.policy.mode", []string{"programs.opencode.policy.mode"}},
		"protected outside": {`protectedPaths = [ "/etc" ];`, "cfg.protectedPaths", []string{"programs.opencode.protectedPaths"}},
		"list in the list":  {`jailCombinators = with pkgs.jail.combinators; [ [ network ] ];`, "wrapper", []string{"programs.opencode.jailCombinators", "permission", "devenv.nix"}},
		"package":           {`jailCombinators = [ pkgs.hello ];`, "wrapper", []string{"programs.opencode.jailCombinators", "permission", "devenv.nix"}},
		"no list":           {`jailCombinators = pkgs.jail.combinators.network;`, "wrapper", []string{"programs.opencode.jailCombinators", "devenv.nix"}},
		"base":              {`baseJailCombinators = with pkgs.jail.combinators; [ (readwrite "/a") (readwrite) ];`, "wrapper", []string{"programs.opencode.baseJailCombinators[1] in devenv.nix", "all its arguments"}},
		"other attributes":  {`jailCombinators = [ (s: { cmd = "bwrap"; }) ];`, "manifest", []string{"programs.opencode.jailCombinators[0] in devenv.nix", "not a permission"}},
		"list of packages":  {`packages = [ "jq" ];`, "wrapper", []string{"programs.opencode.packages", "devenv.nix"}},
		"bundles":           {`policy.bundles = [ "oci://registry.acme.example/policy:3" ];`, "wrapper", []string{"programs.opencode.policy.bundles", "absolute path or package"}},
		"approval":          {`policy.approval = "never";`, "manifest", []string{"programs.opencode.policy.approval"}},
		"missing file":      {`policy.config = ./none.hcl;`, "manifest", []string{"none.hcl"}},
		"variable's value":  {`env = [ "A=b" ];`, "manifest", []string{"programs.opencode.env"}},
		"newline": {`caches = [ "~/a
b" ];`, "manifest", []string{"programs.opencode.caches"}},
		"unknown option": {`jailCombinator = [ ];`, "manifest", []string{"jailCombinator", "does not exist"}},
		"read-only":      {`finalPackage = pkgs.hello;`, "cfg.finalPackage.name", []string{"programs.opencode.finalPackage", "read-only"}},
	} {
		t.Run(name, func(t *testing.T) { newProject(t, c.settings).fails(c.attr, c.want...) })
	}
}

// Elements may be conditional, forced and ordered as any other value's.
func TestConditionalElements(t *testing.T) {
	p := newDevenv(t, `
		programs.opencode.enable = true;
		programs.opencode.jailCombinators = with pkgs.jail.combinators; lib.mkBefore [
			(lib.mkIf false (tmpfs "/never")) (lib.mkIf true (tmpfs "/if")) (lib.mkForce (tmpfs "/forced"))
		];
	`)
	var got []string
	for _, e := range p.manifest().of("programs.opencode.jailCombinators") {
		got = append(got, e.text())
	}
	if diff := cmp.Diff([]string{"tmpfs /if", "tmpfs /forced"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Names and arguments that a shell would take apart come through whole.
func TestAwkwardText(t *testing.T) {
	const dir = homeDir + "/it's a \"project\" [x]"
	p := newProject(t, `
		stateDir = "project"; caches = [ "~/.cache/o'clock" ];
		jailCombinators = with pkgs.jail.combinators; [
			(set-env "QUOTED" "it's \"so\"\nand {so}") (readonly "~/o'clock") (set-env "LONG" "${lib.concatStrings (lib.genList (_: "0123456789") 10000)}")
		];
	`)
	p.extra = []string{"--argstr", "root", dir}
	opencode := p.opencode()
	w := newWorld(t, false)
	w.write("o'clock/now", "noon\n")
	w.write(strings.TrimPrefix(dir, homeDir+"/")+"/file", "here\n")
	r := w.launch(nil, "/bin/sh", "-c", `cd "$0" && exec "$@"`, dir, opencode, "-c",
		`cat file "$HOME/o'clock/now"; echo "$QUOTED"; echo ${#LONG}; echo x >"$HOME/.cache/o'clock/y"; echo x >~/.local/share/opencode/z; echo x >new`).expect(t, 0)
	if want := "here\nnoon\nit's \"so\"\nand {so}\n100000\n"; r.stdout != want {
		t.Errorf("stdout %q, want %q\n%s", r.stdout, want, r.stderr)
	}
	if w.read(strings.TrimPrefix(dir, homeDir+"/")+"/new") != "x\n" {
		t.Error("the project was not written")
	}
}

func TestRelativeRoot(t *testing.T) {
	p := newProject(t, "")
	p.extra = []string{"--argstr", "root", "project"}
	p.fails("manifest", "devenv.root", "absolute")
}
