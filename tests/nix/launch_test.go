package nix

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// both runs a test as root, if the caller is, and as an ordinary user.
func both(t *testing.T, test func(t *testing.T, w *world)) {
	t.Run("as a user", func(t *testing.T) { test(t, newWorld(t, false)) })
	if os.Getuid() == 0 {
		t.Run("as root", func(t *testing.T) { test(t, newWorld(t, true)) })
	}
}

// opencode builds the project's jail and returns the program.
func (p *project) opencode() string {
	p.t.Helper()
	return filepath.Join(p.build("cfg.finalPackage"), "bin/opencode")
}

// expect fails the test unless the launch ended with the status.
func (r result) expect(t *testing.T, status int) result {
	t.Helper()
	if r.status != status {
		t.Fatalf("exit status %d, want %d\n%s%s", r.status, status, r.stdout, r.stderr)
	}
	return r
}

// says fails the test for each text that standard error lacks.
func (r result) says(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if !strings.Contains(r.stderr, s) {
			t.Errorf("standard error does not say %q:\n%s", s, r.stderr)
		}
	}
}

// The default jail: the project and opencode's folders can be written, the rest
// of the home is not there, and the status is the program's own.
func TestDefaultJail(t *testing.T) {
	opencode := newProject(t, "").opencode()
	both(t, func(t *testing.T, w *world) {
		w.write(".bashrc", "mine\n")
		r := w.launch([]string{"TOKEN=hunter2", "EDITOR=vi"}, opencode, "-c", `
			cat file; echo from the jail >new; mkdir -p ~/.config/opencode/x
			echo planted >~/.bashrc; echo "editor $EDITOR token ${TOKEN-none}"; exit 7`).expect(t, 7)
		if want := "from the host\neditor vi token none\n"; r.stdout != want {
			t.Errorf("stdout %q, want %q", r.stdout, want)
		}
		if got := w.read("project/new"); got != "from the jail\n" {
			t.Errorf("the project has %q", got)
		}
		if got := w.read(".bashrc"); got != "mine\n" {
			t.Errorf("the jail wrote ~/.bashrc: %q", got)
		}
		if _, err := os.Stat(filepath.Join(w.home, ".config/opencode/x")); err != nil {
			t.Errorf("opencode's configuration can't be written: %v", err)
		}
	})
}

// The documented example, and a path with spaces.
func TestHomePaths(t *testing.T) {
	opencode := newProject(t, `jailCombinators = with pkgs.jail.combinators; [
		(rw-bind "~/.cargo/registry" "~/.cargo/registry")
		(rw-bind "~/my notes" "~/my notes")
	];`).opencode()
	both(t, func(t *testing.T, w *world) {
		w.write(".cargo/registry/crate", "a crate\n")
		w.write("my notes/today", "nothing\n")
		w.launch(nil, opencode, "-c", `cat ~/.cargo/registry/crate; echo more >>"$HOME/my notes/today"`).expect(t, 0)
		if got := w.read("my notes/today"); got != "nothing\nmore\n" {
			t.Errorf("~/my notes/today is %q", got)
		}
	})
}

// A refusal names the combinator, its place in the option, and starts nothing.
func TestRefusalNamesItsOrigin(t *testing.T) {
	opencode := newProject(t, `jailCombinators = with pkgs.jail.combinators; [
		time-zone
		(tmpfs "~/scratch")
		(rw-bind "~/.ssh" "~/.ssh")
	];`).opencode()
	w := newWorld(t, false)
	w.write(".ssh/id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\n")
	w.launch(nil, opencode, "-c", "echo started >started").expect(t, 126).
		says(t, "secrets/credential-readable", "programs.opencode.jailCombinators[2]", "jail opencode refused")
	if log := w.read(".local/state/ocjail/decisions.jsonl"); !strings.Contains(log, `"jail":"opencode"`) {
		t.Errorf("the log does not name the jail: %s", log)
	}
	if w.read("project/started") != "" {
		t.Error("a refused jail was started")
	}
}

// What a package's setup hook exports is in the jail; what belongs to the build
// or to the host is not.
func TestEnvironment(t *testing.T) {
	opencode := newDevenv(t, `
		packages = [
			pkgs.hello
			(pkgs.runCommand "hook" { } "mkdir -p $out/nix-support; echo 'export HOOKED=\"a b\"; export lower=1 BUILD_FOLDER=$NIX_BUILD_TOP/x' > $out/nix-support/setup-hook")
		];
		programs.opencode = { enable = true; jailCombinators = [ (pkgs.jail.combinators.set-env "SHELL" "mine") ]; };
	`).opencode()
	w := newWorld(t, false)
	r := w.launch([]string{"LANG=C.UTF-8"}, opencode, "-c", "hello; echo \"$HOOKED $SHELL\"; env").expect(t, 0)
	out, env, _ := strings.Cut(r.stdout, "\na b mine\n")
	if out != "Hello, world!" {
		t.Fatalf("packages or their hooks are missing:\n%s%s", r.stdout, r.stderr)
	}
	names := map[string]bool{}
	for line := range strings.Lines(env) {
		name, _, _ := strings.Cut(line, "=")
		names[name] = true
	}
	for _, n := range []string{"NIX_BUILD_TOP", "NIX_STORE", "NIX_BUILD_CORES", "NIX_LOG_FD", "NIX_SSL_CERT_FILE", "SOURCE_DATE_EPOCH",
		"CONFIG_SHELL", "HOST_PATH", "TMPDIR", "TEMP", "out", "name", "lower", "builder", "buildPhase", "BUILD_FOLDER", "OCJAIL_MANIFEST"} {
		if names[n] {
			t.Errorf("%s is in the jail", n)
		}
	}
	for _, n := range []string{"HOME", "PATH", "TERM", "LANG", "HOOKED"} {
		if !names[n] {
			t.Errorf("%s is not in the jail", n)
		}
	}
}

func TestIdentityCachesAndVariables(t *testing.T) {
	opencode := newProject(t, `git.identity = true; caches = [ "~/.npm" "~/.cache/some thing" ]; env = [ "MY_KEY" ];`).opencode()
	w := newWorld(t, false)
	w.write(".gitconfig", "[user]\nname = Dev Eloper\nemail = dev@example.org\n")
	w.write(".npm/hosts", "the host's\n")
	r := w.launch([]string{"MY_KEY=k y", "EDITOR=vi"}, opencode, "-c",
		`ls ~/.npm; echo kept >~/.npm/f; echo "$GIT_AUTHOR_NAME $GIT_COMMITTER_EMAIL $MY_KEY ${EDITOR-none}"; test -w "$HOME/.cache/some thing"`).expect(t, 0)
	if want := "Dev Eloper dev@example.org k y none\n"; r.stdout != want {
		t.Errorf("stdout %q, want %q", r.stdout, want)
	}
	if r := w.launch(nil, opencode, "-c", "cat ~/.npm/f").expect(t, 0); r.stdout != "kept\n" {
		t.Errorf("the cache did not last: %q", r.stdout)
	}
	if w.read(".npm/f") != "" {
		t.Error("the cache is the host's")
	}
}

// stateDir = "project": opencode's data is the project's, authentication the
// home's and read-only.
func TestStateInTheProject(t *testing.T) {
	opencode := newProject(t, `stateDir = "project";`).opencode()
	w := newWorld(t, false)
	w.write(".local/share/opencode/auth.json", `{"key":1}`)
	w.write(".local/share/opencode/snapshot/other", "another project's\n")
	w.launch(nil, opencode, "-c", `cd ~/.local/share/opencode
		grep -q key auth.json && ! echo 2>/dev/null >auth.json && [ ! -e snapshot/other ] && echo mine >session`).expect(t, 0)
	found, err := filepath.Glob(filepath.Join(w.home, ".local/share/ocjail/projects/project-*/share/session"))
	if err != nil || len(found) != 1 {
		t.Errorf("the session is not in the project's folder: %v %v", found, err)
	}
}

// link puts the links that devenv generates into the project.
func (w *world) link(p *project) {
	w.t.Helper()
	var links map[string]string
	p.eval("links", &links)
	for name, target := range links {
		at := filepath.Join(w.home, "project", name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			w.t.Fatal(err)
		}
		if err := os.Symlink(target, at); err != nil {
			w.t.Fatal(err)
		}
	}
}

// Links into the store that devenv and git-hooks generate can be followed in the jail.
func TestGeneratedFiles(t *testing.T) {
	p := newDevenv(t, `
		files."deep/opencode.jsonc" = if config ? outputs then { text = "generated"; } else { file = pkgs.writeText "opencode.jsonc" "generated"; };
		git-hooks = { enable = true; package = pkgs.hello; gitPackage = pkgs.git; configPath = "hooks.yaml"; installationScript = "ln -s ${pkgs.writeText "hooks.yaml" "hooked"} hooks.yaml"; };
		programs.opencode.enable = true;
	`)
	opencode := p.opencode()
	w := newWorld(t, false)
	w.link(p)
	w.launch(nil, "/bin/sh", "-c", p.evalString("config.git-hooks.installationScript")).expect(t, 0)
	if r := w.launch(nil, opencode, "-c", "cat deep/opencode.jsonc; cat hooks.yaml").expect(t, 0); strings.ReplaceAll(r.stdout, "\n", "") != "generatedhooked" {
		t.Errorf("the files are %q", r.stdout)
	}
}

// An organisation's managed settings are in the jail, and can't be changed there.
func TestManagedSettings(t *testing.T) {
	opencode := newProject(t, "").opencode()
	w := newWorld(t, false)
	w.etc = filepath.Join(w.dir, "etc")
	for name, text := range map[string]string{"opencode/opencode.json": `{"share":"disabled"}`, "passwd": "", "group": "", "hosts": ""} {
		path := filepath.Join(w.etc, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := w.launch(nil, opencode, "-c", "cat /etc/opencode/opencode.json; echo 2>/dev/null >/etc/opencode/opencode.json || exit 3").expect(t, 3)
	if r.stdout != `{"share":"disabled"}` {
		t.Errorf("the managed settings are %q", r.stdout)
	}
}
