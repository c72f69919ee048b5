package review

import (
	"strings"
	"testing"
)

// pendingIs fails unless the review lists exactly these paths, with their levels.
func (w *world) pendingIs(want ...string) {
	w.t.Helper()
	o := w.review("--format", "json")
	var got []string
	for _, p := range parse(w.t, o.Stdout).Pending {
		got = append(got, strings.Join([]string{string(p.What), string(p.Level), strings.TrimPrefix(p.Path, w.Project+"/")}, " "))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		w.t.Errorf("pending:\n%s\nwant:\n%s\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), o.Stderr)
	}
	if status := map[bool]int{true: 0, false: 1}[len(want) == 0]; o.Status != status {
		w.t.Errorf("status %d, want %d", o.Status, status)
	}
}

func TestPlainChanges(t *testing.T) {
	w := newWorld(t)
	w.Write("project/devenv.nix", "{ }\n", 0o644)
	w.Write("project/package.json", "{}\n", 0o644)
	w.Write("project/.npmrc", "ignore-scripts=true\n", 0o644)
	w.must(w.host("git add . && git commit -qm more"))
	w.Write("project/.env", "A=1\n", 0o644) // held: the jail can not write it
	o := w.must(w.session(`echo "echo hello" >.envrc; mkdir .husky; echo evil >.husky/pre-commit; echo "{ x = 1; }" >devenv.nix
echo '{"scripts": {}}' >package.json; rm .npmrc; echo work >code; echo B=2 2>/dev/null >>.env || true; ln -s ../x .mcp.json`))
	w.pendingIs("new warning .envrc", "new warning .husky/pre-commit", "new warning .mcp.json",
		"removed info .npmrc", "changed info devenv.nix", "changed info package.json")
	for _, text := range []string{"3 changes", ".envrc: direnv runs it on cd", ".husky/pre-commit: husky's", "changed as well", "devenv.nix, package.json"} {
		if !strings.Contains(o.Stderr, text) {
			t.Errorf("the session's end does not say %q:\n%s", text, o.Stderr)
		}
	}
	list := w.review("--list").Stdout
	for _, text := range []string{"+echo hello", "-{ }", "+{ x = 1; }", "a link to ../x", "-ignore-scripts=true"} {
		if !strings.Contains(list, text) {
			t.Errorf("the list does not show %q:\n%s", text, list)
		}
	}

	// What the user changes between sessions, or accepts, is nobody's business.
	w.must(w.Run(w.Command("sh", "-c", "echo '# mine' >>.envrc; echo x=1 >.tool-versions")))
	w.review("--accept", ".husky", "package.json")
	w.must(w.session("true"))
	w.pendingIs("new warning .envrc", "new warning .mcp.json", "removed info .npmrc", "changed info devenv.nix")

	// A second session that touches the same file leaves what it was before the first.
	w.must(w.session("git rm -qf --cached devenv.nix; echo '{ y = 2; }' >devenv.nix"))
	w.pendingIs("new warning .envrc", "new warning .mcp.json", "changed warning devenv.nix", "removed info .npmrc")
	o = w.review("--revert")
	if o.Status != 1 || !strings.Contains(o.Stdout, "Reverted 3; ") {
		t.Errorf("%+v", o)
	}
	w.pendingIs("removed info .npmrc") // the agent's work only by name
	w.review("--revert", ".npmrc")
	w.pendingIs()
	for name, want := range map[string]string{"project/.envrc": "", "project/.npmrc": "ignore-scripts=true\n", "project/devenv.nix": "{ }\n", "project/.husky/pre-commit": "evil\n"} {
		if got := w.Read(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// A revert loses nothing: what it takes away is kept, and named.
func TestRevertKeepsWhatItTakes(t *testing.T) {
	w := newWorld(t)
	w.must(w.session(`echo precious >.envrc; git init -q lib; git -C lib config core.pager less; echo mine >lib/file`))
	o := w.review("--revert", ".envrc", "lib")
	_, dir, ok := strings.Cut(strings.TrimSpace(o.Stdout), "in ")
	if !ok {
		t.Fatalf("%+v", o)
	}
	find := w.must(w.Run(w.Command("sh", "-c", "cd '"+dir+"' && cat ."+w.Project+"/.envrc && cat ."+w.Project+"/lib/.git/config")))
	if !strings.HasPrefix(find.Stdout, "precious\n") || !strings.Contains(find.Stdout, "pager = less") {
		t.Errorf("%+v", find)
	}
	if w.Read("project/lib/file") != "mine\n" {
		t.Error("a file beside the repository is gone")
	}
}

// A revert follows no link and leaves the outside alone.
func TestRevertFollowsNoLink(t *testing.T) {
	w := newWorld(t)
	w.Write("project/.github/workflows/ci.yml", "on: push\n", 0o644)
	w.must(w.host("git add . && git commit -qm ci"))
	w.Write("outside/workflows/ci.yml", "the user's\n", 0o644)
	w.must(w.session("rm -r .github; ln -s " + w.Dir + "/outside .github"))
	if list := w.review("--list").Stdout; !strings.Contains(list, "behind the link") {
		t.Errorf("the list does not tell of the link:\n%s", list)
	}
	w.review("--revert", ".github")
	if got := w.Read("outside/workflows/ci.yml"); got != "the user's\n" {
		t.Errorf("a file outside is %q", got)
	}
	if got := w.Read("project/.github/workflows/ci.yml"); got != "on: push\n" {
		t.Errorf("it is not put back: %q", got)
	}
	w.pendingIs()
}

// git add -f makes a file "tracked", which would take its protection.
func TestTrackedByTheAgentOnly(t *testing.T) {
	w := newWorld(t)
	w.Write("project/.envrc", "mine\n", 0o644)
	w.Write("project/.git/info/exclude", ".envrc\n", 0o644)
	w.must(w.session("git add -f .envrc"))
	w.pendingIs("tracked warning .envrc")
	w.session("echo evil 2>/dev/null >.envrc || true; git rm -q --cached .envrc")
	if got := w.Read("project/.envrc"); got != "mine\n" {
		t.Errorf("the second session wrote it: %q", got)
	}
	w.pendingIs() // untracked again, and as it was

	// Accepted, git's word counts.
	w.must(w.session("git add -f .envrc"))
	w.review("--accept")
	w.must(w.session("echo better >.envrc"))
	if got := w.Read("project/.envrc"); got != "better\n" {
		t.Errorf("a tracked file could not be written: %q", got)
	}
	w.pendingIs("changed info .envrc")
}

// An index that is split can not be read, and so tells nobody what it holds: not before
// somebody has joined it again, when it would be too late.
func TestTrackedInASplitIndex(t *testing.T) {
	w := newWorld(t)
	w.Write("project/.envrc", "mine\n", 0o644)
	w.Write("project/.git/info/exclude", ".envrc\n", 0o644)
	w.must(w.session("git add -f .envrc; git update-index --split-index"))
	if list := w.review("--list").Stdout; !strings.Contains(list, "git update-index --no-split-index") {
		t.Errorf("the list does not tell of the index:\n%s", list)
	}
	w.must(w.host("git update-index --no-split-index"))
	w.session("echo evil 2>/dev/null >.envrc || true")
	if got := w.Read("project/.envrc"); got != "mine\n" {
		t.Errorf("the second session wrote it: %q", got)
	}
	w.pendingIs("tracked warning .envrc")

	// An index that was split before says nothing new.
	w.review("--accept")
	w.must(w.host("git rm -q --cached .envrc; git update-index --split-index"))
	w.must(w.session("echo more >notes"))
	w.pendingIs()
}

func TestPluginFolders(t *testing.T) {
	w := newWorld(t)
	dir := w.Home + "/.config/opencode"
	w.must(w.host("mkdir -p " + dir + "/themes"))
	argv := append(w.Jail(), "--bind", dir, dir, "--", "sh", "-ec", "mkdir "+dir+"/plugin; echo evil >"+dir+"/plugin/x.js; echo nice >"+dir+"/themes/x.json")
	w.must(w.Run(w.Ocjail(argv...)))
	w.pendingIs("new warning " + dir + "/plugin/x.js")
	w.review("--revert", "~/.config/opencode/plugin")
	w.pendingIs()
	if got := w.Read("home/.config/opencode/plugin/x.js"); got != "" {
		t.Errorf("it is still there: %q", got)
	}
}

func TestModes(t *testing.T) {
	for mode, want := range map[string]string{"off": "evil\n", "report": "evil\n", "ask": "evil\n", "revert": ""} {
		t.Run(mode, func(t *testing.T) {
			w := newWorld(t)
			o := w.must(w.Run(w.Configured(`gate { review = "`+mode+`" }`, w.jail("echo evil >.envrc; echo x >package.json")...)))
			if got := w.Read("project/.envrc"); got != want {
				t.Errorf(".envrc is %q, want %q\n%s", got, want, o.Stderr)
			}
			if got := w.Read("project/package.json"); got != "x\n" {
				t.Errorf("the agent's work is %q", got)
			}
			if mode == "off" && (o.Stderr != "" || w.must(w.host("ls -A ~/.local/state/ocjail")).Stdout != "decisions.jsonl\n") {
				t.Errorf("off, and yet: %q", o.Stderr)
			}
			if mode == "revert" && !strings.Contains(o.Stderr, "Reverted 1; what was there is kept") {
				t.Errorf("%q", o.Stderr)
			}
		})
	}
}

// What the project's own file names is shown too, and a project only tightens.
func TestPatterns(t *testing.T) {
	w := newWorld(t)
	w.Write("project/ocjail.hcl", "review = [\"deploy/**\", \"scripts/*.sh\", \"code\"]\ngate { review = \"off\" }\n", 0o644)
	w.Write("project/deploy/a/run", "one\n", 0o644)
	w.must(w.host("git add . && git commit -qm more"))
	w.must(w.session("echo two >deploy/a/run; mkdir scripts; echo x >scripts/x.sh; echo x >scripts/x.txt; echo more >>code; echo x >other"))
	w.pendingIs("changed warning code", "changed warning deploy/a/run", "new warning scripts/x.sh")
	w.review("--revert")
	if w.Read("project/deploy/a/run") != "one\n" || w.Read("project/code") != "one\n" {
		t.Error("not put back")
	}
	w.Write("project/ocjail.hcl", "gate { review = \"revert\" }\n", 0o644)
	if o := w.must(w.session("echo evil >.envrc")); w.Read("project/.envrc") != "" {
		t.Errorf("a project may ask for more, and yet: %s", o.Stderr)
	}
}

// Pending changes show at each launch, and refuse it where somebody wants that.
func TestNextLaunch(t *testing.T) {
	w := newWorld(t)
	w.must(w.session("echo evil >.envrc"))
	o := w.Run(w.Configured(`rule "exec/unreviewed-change" { severity = "error" }`, w.jail("echo ran")...))
	if o.Status != 126 || !strings.Contains(o.Stderr, "error exec/unreviewed-change: "+w.Project+"/.envrc was made while a jail ran") {
		t.Errorf("%+v", o)
	}
	o = w.session("echo ran")
	if o.Status != 0 || o.Stdout != "ran\n" || !strings.Contains(o.Stderr, "not reviewed") {
		t.Errorf("%+v", o)
	}
	w.review("--accept")
	if o := w.session("echo ran"); o.Stderr != "" {
		t.Errorf("%+v", o)
	}
}
