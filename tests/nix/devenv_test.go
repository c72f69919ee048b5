package nix

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// In the devenv shell the host's git ignores what an agent may have planted;
// what the caller had configured that way stays, and entering twice adds nothing.
func TestHardenGit(t *testing.T) {
	p := newProject(t, "")
	script, err := os.ReadFile(filepath.Join(root, "nix/harden-git.sh"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(p.evalString("config.enterShell"), string(script)) {
		t.Error("the shell does not harden git")
	}
	if strings.Contains(newProject(t, "hardenGit = false;").evalString("config.enterShell"), "safe.bareRepository") {
		t.Error("hardenGit = false has no effect")
	}
	dir := t.TempDir()
	cmd := exec.Command("bash", "-euc", string(script)+string(script)+`
		git config user.name; git config safe.bareRepository; git config core.fsmonitor; git config diff.ignoreSubmodules; echo $GIT_CONFIG_COUNT
		git init -q --bare repository; cd repository; if git log 2>&1; then exit 1; fi`)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=user.name", "GIT_CONFIG_VALUE_0=Dev"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const want = "Dev\nexplicit\nfalse\ndirty\n4\n"
	if !strings.HasPrefix(string(out), want) || !strings.Contains(string(out), "safe.bareRepository") {
		t.Errorf("got\n%s\nwant\n%s… and a refusal to use a bare repository", out, want)
	}
}

// `devenv test` lints, `devenv info` and entering the shell tell of the jail.
func TestDevenvShowsTheJail(t *testing.T) {
	p := newProject(t, `jailCombinators = [ pkgs.jail.combinators.network ];`)
	var info []string
	p.eval("config.infoSections.opencode", &info)
	manifest := p.evalString("cfg.manifest.outPath")
	if len(info) != 2 || !strings.Contains(info[0], "ocjail") || !strings.Contains(info[1], manifest) {
		t.Errorf("infoSections.opencode is %q", info)
	}
	if text := p.evalString("config.enterShell"); strings.Count(text, "opencode: jailed, 9 permissions") != 1 {
		t.Errorf("entering the shell does not say so in one line:\n%s", text)
	}
	var before []string
	if p.eval(`config.tasks."opencode:lint".before`, &before); !slices.Equal(before, []string{"devenv:enterTest"}) {
		t.Errorf("the lint task runs before %v", before)
	}
	if exec := p.evalString(`config.tasks."opencode:lint".exec`); !strings.HasSuffix(exec, "/bin/ocjail lint "+manifest) {
		t.Errorf("the lint task runs %q", exec)
	}
	var shell []string
	if p.eval("shellPackages", &shell); !slices.Equal(shell, []string{"opencode", "ocjail"}) {
		t.Errorf("the shell has %v", shell)
	}
}

// The git hook is there, off, and lints the jail that the shell knows when what makes
// it is committed.
func TestGitHook(t *testing.T) {
	type hook struct {
		Enable        bool
		Entry, Files  string
		PassFilenames *bool `json:"pass_filenames"`
	}
	var off, on hook
	newProject(t, "").eval(`config."git-hooks".hooks."ocjail-lint"`, &off)
	newDevenv(t, `programs.opencode.enable = true; git-hooks.hooks.ocjail-lint.enable = true;`).eval(`config."git-hooks".hooks."ocjail-lint"`, &on)
	if off.Enable || !on.Enable {
		t.Errorf("by default %v, turned on %v", off.Enable, on.Enable)
	}
	if !strings.HasSuffix(on.Entry, "/bin/ocjail lint") || on.PassFilenames == nil || *on.PassFilenames {
		t.Errorf("it runs %+v", on)
	}
	files := regexp.MustCompile(on.Files)
	for name, want := range map[string]bool{"devenv.nix": true, "devenv.lock": true, "devenv.local.nix": true, "ocjail.hcl": true, "src/devenv.nix": false, "main.go": false} {
		if files.MatchString(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

// With the module imported and not enabled nothing changes.
func TestNotEnabled(t *testing.T) {
	p := newDevenv(t, "")
	for _, attr := range []string{"config.overlays", "config.inputsFrom"} {
		var got []any
		if p.eval(attr, &got); len(got) > 0 {
			t.Errorf("%s is %v", attr, got)
		}
	}
	if strings.Contains(p.evalString("config.enterShell"), "opencode") {
		t.Error("the shell speaks of opencode")
	}
}

// The project's policy is in the manifest, and the files that it names exist as
// long as the manifest does.
func TestPolicy(t *testing.T) {
	p := newProject(t, `
		policy = {
			enable = false; mode = "observe"; config = ./ocjail.hcl; rules = [ ./rule.rego pkgs.hello ]; bundles = [ ./acme.tar.gz ];
		};
		protectedPaths = [ ".envrc" ]; reviewedPaths = [ ".vscode/**" ];
	`)
	for name, text := range map[string]string{"ocjail.hcl": "protect = []\n", "rule.rego": "package x\n", "acme.tar.gz": "any"} {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var policy struct {
		Enable         bool
		Mode, Approval string
		Config         struct{ File, Text string }
		Rules, Bundles []string
		Protect        []string
		Review         []string
	}
	p.eval("manifest.policy", &policy)
	if policy.Enable || policy.Mode != "observe" || policy.Approval != "widening" || policy.Config.Text != "protect = []\n" ||
		filepath.Base(policy.Config.File) != "ocjail.hcl" || !slices.Equal(policy.Protect, []string{".envrc"}) || !slices.Equal(policy.Review, []string{".vscode/**"}) {
		t.Errorf("%+v", policy)
	}
	p.build("cfg.manifest")
	if len(policy.Rules) != 2 || len(policy.Bundles) != 1 {
		t.Fatalf("rules are %v, bundles %v", policy.Rules, policy.Bundles)
	}
	for _, r := range append(policy.Rules, policy.Bundles...) {
		if _, err := os.Stat(r); err != nil {
			t.Error(err)
		}
	}
}

// HCL text may begin with a comment that looks like a path.
func TestPolicyText(t *testing.T) {
	p := newProject(t, `policy.config = "// nothing yet\nprotect = []\n";`)
	if got := p.evalString("manifest.policy.config.text"); got != "// nothing yet\nprotect = []\n" {
		t.Errorf("the text is %q", got)
	}
}
