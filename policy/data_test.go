package policy_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/policy"
)

type watch struct {
	Path    string `json:"path"`
	Class   string `json:"class"`
	Protect bool   `json:"protect"`
	Reason  string `json:"reason"`
}

func watched(t *testing.T) []watch {
	t.Helper()
	text, err := fs.ReadFile(policy.Files, "data/watched.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Watched []watch `json:"watched"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		t.Fatal(err)
	}
	return file.Watched
}

var template = regexp.MustCompile(`^(\{(ssh-agent|state|config|cache)\}|(\{(home|project|git|git-common|git-modules|submodule|runtime|state|cache|config)\})?/.*|\{git-hooks-path\}(/.*)?)$`)

func TestWatchedIsCurrent(t *testing.T) {
	var want []policy.Watch
	for _, w := range watched(t) {
		want = append(want, policy.Watch{Path: w.Path, Class: w.Class, Reason: w.Reason, Protect: w.Protect})
	}
	if !slices.Equal(want, policy.Watched) {
		t.Error("policy/watched.go is not what data/watched.json says: run `make generate` and commit it")
	}
}

func TestWatchedIsWellFormed(t *testing.T) {
	classes := []string{"host-executed", "agent-work", "secret", "socket", "device", "checker-state", "shared-cache"}
	seen := map[string]bool{}
	for _, w := range watched(t) {
		_, rest, _ := strings.Cut(w.Path, "/")
		switch {
		case !template.MatchString(w.Path), rest != "" && path.Clean(rest) != rest:
			t.Errorf("%s: not a clean path below a known place", w.Path)
		case strings.Count(w.Path, "*") > 1 || strings.ContainsAny(w.Path, "?["):
			t.Errorf("%s: only one * is understood", w.Path)
		case !slices.Contains(classes, w.Class):
			t.Errorf("%s: unknown class %q", w.Path, w.Class)
		case w.Reason == "" || strings.HasSuffix(w.Reason, "."):
			t.Errorf("%s: the reason must be a clause", w.Path)
		case w.Protect && w.Class != "host-executed":
			t.Errorf("%s: only what the host executes is protected", w.Path)
		case seen[w.Path]:
			t.Errorf("%s is listed twice", w.Path)
		}
		seen[w.Path] = true
	}
}

// opencode exits when it cannot write its .gitignore into these, and git fails
// when it cannot write .git.
func TestWatchedLeavesOpencodeAndGitAlive(t *testing.T) {
	for _, w := range watched(t) {
		whole := []string{"{project}/.opencode", "{home}/.config/opencode", "{home}/.local/share/opencode", "{home}/.local/state/opencode", "{project}/.git"}
		if w.Protect && slices.Contains(whole, w.Path) {
			t.Errorf("%s must stay writable", w.Path)
		}
	}
}

// What the threat model names by path.
func TestWatchedHolds(t *testing.T) {
	want := map[string][]string{
		"host-executed": {
			"{git}/hooks", "{git}/config", "{git}/commondir", "{git}/config.worktree", "{git-common}/hooks", "{git-common}/config",
			"{git-common}/hooks/*", "{git-hooks-path}", "{git-modules}/config", "{git-modules}/hooks", "{git-modules}/commondir", "{submodule}/.git",
			"{project}/.husky/_", "{project}/.claude/settings.local.json", "{project}/.gitmodules", "{project}/.gitattributes", "{project}/.envrc", "{project}/.env", "{project}/.direnv",
			"{project}/devenv.nix", "{project}/devenv.local.nix", "{project}/devenv.yaml", "{project}/devenv.local.yaml", "{project}/devenv.lock",
			"{project}/.devenv", "{project}/flake.nix", "{project}/flake.lock", "{project}/ocjail.hcl", "{project}/.husky",
			"{project}/.pre-commit-config.yaml", "{project}/.vscode/tasks.json", "{project}/.idea", "{project}/.mcp.json", "{project}/.claude",
			"{project}/.opencode/plugin", "{project}/opencode.json", "{project}/opencode.jsonc", "{project}/.devcontainer",
			"{project}/.github/workflows", "{project}/.npmrc", "{project}/.yarnrc.yml", "{project}/.cargo/config.toml", "{project}/mise.toml",
			"{home}/.bashrc", "{home}/.profile", "{home}/.zshenv", "{home}/.local/bin", "{home}/.config/systemd", "{home}/.config/autostart",
			"{home}/.config/environment.d", "{home}/.config/fish", "{home}/.config/git", "{home}/.config/direnv", "{home}/.config/nix",
			"{home}/.config/opencode/plugin", "{home}/.local/share/opencode/snapshot",
		},
		"agent-work": {"{project}/Makefile", "{project}/justfile", "{project}/package.json"},
		"secret": {
			"{home}/.ssh", "{home}/.gnupg", "{home}/.aws", "{home}/.config/gcloud", "{home}/.kube", "{home}/.docker/config.json", "{home}/.netrc",
			"{home}/.npmrc", "{home}/.pypirc", "{home}/.cargo/credentials.toml", "{home}/.git-credentials", "{home}/.config/gh",
			"{home}/.password-store", "{home}/.mozilla", "{home}/.local/share/keyrings", "/etc/shadow",
		},
		"socket": {
			"/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock", "/nix/var/nix/daemon-socket", "{runtime}/bus",
			"{runtime}/systemd/private", "/run/dbus/system_bus_socket", "{ssh-agent}", "{runtime}/gnupg", "/tmp/.X11-unix",
			"{runtime}/wayland-0", "{runtime}/pipewire-0", "/tmp/tmux-*", "/tmp/ssh-*", "/run/screen", "{home}/.docker/run", "{home}/.docker/desktop", "{runtime}/*.sock",
		},
		"device":        {"/dev/input", "/dev/uinput", "/dev/kvm", "/dev/fuse", "/dev/mem", "/dev/pts", "/dev/ptmx"},
		"shared-cache":  {"{home}/.cargo/registry", "{home}/.npm", "{home}/go/pkg/mod", "{home}/.cache/pip"},
		"checker-state": {"{state}", "{config}", "{cache}"},
	}
	class := map[string]string{}
	for _, w := range watched(t) {
		class[w.Path] = w.Class
	}
	for c, paths := range want {
		for _, p := range paths {
			if class[p] != c {
				t.Errorf("%s: class %q, want %s", p, class[p], c)
			}
		}
	}
}
