package refusals

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// repository is a world whose project has a tracked and an untracked control
// file, and a hook.
func repository(t *testing.T) *gatetest.World {
	t.Helper()
	w := gatetest.New(t)
	w.Write("project/Makefile", "all:\n", 0o644)
	w.Write("project/devenv.yaml", "inputs: {}\n", 0o644)
	w.Write("project/code", "one\n", 0o644)
	w.Git("Makefile", "devenv.yaml", "code")
	w.Write("project/devenv.nix", "{ }\n", 0o644)
	w.Write("project/.git/hooks/post-commit", "#!/bin/sh\n", 0o755)
	return w
}

func jail(w *gatetest.World, script string) []string {
	return append(w.Jail(), "--", "sh", "-c", script)
}

// listing names every file in dir with its type and mode.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := d.Info()
		if err == nil {
			all.WriteString(p + " " + st.Mode().String() + "\n")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func TestProtectedFiles(t *testing.T) {
	acts := map[string]struct {
		script string
		plain  bool // works without ocjail
		jailed bool
	}{
		"hook planted":        {"echo evil >.git/hooks/pre-commit", true, false},
		"hook changed":        {"echo evil >.git/hooks/post-commit", true, false},
		"hooks replaced":      {"mv .git/hooks .git/old && mkdir .git/hooks", true, false},
		".git replaced":       {"mv .git old && mkdir -p .git/hooks", true, false},
		"config changed":      {"git config core.fsmonitor ./evil", true, false},
		"config replaced":     {"rm -f .git/config && echo >.git/config", true, false},
		"untracked changed":   {"echo evil >>devenv.nix", true, false},
		"untracked replaced":  {"mv -f code devenv.nix", true, false},
		"tracked changed":     {"echo good >>devenv.yaml", true, true},
		"commit":              {"echo two >>code && git add code && git commit -qm two", true, true},
		"amend":               {"git commit -q --amend -m again", true, true},
		"switch":              {"git switch -qc other && git switch -q -", true, true},
		"switch with changes": {"git switch -qc other && echo x >>devenv.yaml && git commit -qam x && git switch -q -", true, true},
		"stash":               {"echo two >>code && git stash -q && git stash pop -q", true, true},
		"status and log":      {"git status --short && git log --oneline", true, true},
	}
	for name, a := range acts {
		t.Run(name, func(t *testing.T) {
			for _, jailed := range []bool{false, true} {
				w := repository(t)
				c, want := w.Bwrap(jail(w, a.script)...), a.plain
				if jailed {
					c, want = w.Ocjail(jail(w, a.script)...), a.jailed
				}
				if o := w.Run(c); (o.Status == 0) != want || o.Status == 125 || o.Status == 126 {
					t.Errorf("under ocjail %v: %+v", jailed, o)
				}
			}
		})
	}
}

func TestRenameAbovePinnedIsBusy(t *testing.T) {
	w := repository(t)
	if o := w.Run(w.Ocjail(jail(w, "mv .git old")...)); o.Status == 0 || !strings.Contains(o.Stderr, "busy") {
		t.Errorf("%+v", o)
	}
}

func TestProtectionLeavesNoGhosts(t *testing.T) {
	w := repository(t)
	before := listing(t, w.Project)
	if o := w.Run(w.Ocjail(jail(w, "true")...)); o.Status != 0 {
		t.Fatalf("%+v", o)
	}
	if after := listing(t, w.Project); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func TestHardLinkToProtectedIsRefused(t *testing.T) {
	w := repository(t)
	if err := os.Link(filepath.Join(w.Project, "devenv.nix"), filepath.Join(w.Project, "innocent")); err != nil {
		t.Fatal(err)
	}
	o := w.Run(w.Ocjail(jail(w, "echo evil >>innocent")...))
	if o.Status != 126 || !strings.Contains(o.Stderr, "names") || w.Read("project/devenv.nix") != "{ }\n" {
		t.Errorf("%+v", o)
	}
}

// A link can not be mounted over: the hooks are wherever it leads.
func TestHooksBehindLink(t *testing.T) {
	w := repository(t)
	hooks := filepath.Join(w.Project, ".git/hooks")
	if err := os.Rename(hooks, filepath.Join(w.Project, "githooks")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../githooks", hooks); err != nil {
		t.Fatal(err)
	}
	w.Own()
	o := w.Run(w.Ocjail(jail(w, "echo evil >githooks/pre-commit; rm .git/hooks; mkdir .git/hooks; echo evil >.git/hooks/pre-commit")...))
	if o.Status != 126 || !strings.Contains(o.Stderr, "exec/host-executed-writable") || !strings.Contains(o.Stderr, ".git/hooks") {
		t.Errorf("%+v", o)
	}
}

func TestProtectionCanBeSwitchedOff(t *testing.T) {
	w := repository(t)
	o := w.Run(w.Configured(`protect = []
rule "exec/host-executed-writable" { severity = "warning" }`, jail(w, "echo mine >.git/hooks/pre-commit")...))
	if o.Status != 0 || w.Read("project/.git/hooks/pre-commit") != "mine\n" {
		t.Errorf("%+v", o)
	}
	// Without the second line the rule refuses what is not protected.
	if o := w.Run(w.Configured("protect = []", jail(w, "true")...)); o.Status != 126 {
		t.Errorf("%+v", o)
	}
}

func TestWorktree(t *testing.T) {
	w := repository(t)
	tree := filepath.Join(w.Dir, "tree")
	if o := w.Run(w.Command("git", "worktree", "add", "-q", tree)); o.Status != 0 {
		t.Fatalf("%+v", o)
	}
	common := filepath.Join(w.Project, ".git")
	run := func(script string) gatetest.Outcome {
		argv := append(w.System(), "--bind", tree, tree, "--bind", common, common, "--chdir", tree, "--", "sh", "-c", script)
		c := w.Ocjail(argv...)
		c.Dir = tree
		return w.Run(c)
	}
	if o := run("echo two >>code && git commit -qam two && git status --short"); o.Status != 0 || o.Stdout != "" {
		t.Errorf("%+v", o)
	}
	for _, file := range []string{common + "/hooks/pre-commit", common + "/config", common + "/worktrees/tree/commondir", tree + "/.git"} {
		if o := run("echo evil >" + file); o.Status == 0 || o.Status > 2 {
			t.Errorf("%s: %+v", file, o)
		}
	}
}

// What the jail itself makes read-only, or hides, in a writable project can not
// be moved aside and made anew.
func TestOwnMountsStay(t *testing.T) {
	const script = "mv deploy d2; mkdir -p deploy; echo evil >deploy/prod.sh; mv conf c2; cat c2/secrets/key; true"
	for name, want := range map[string]struct{ file, seen string }{"bwrap": {"evil\n", "hunter2\n"}, "ocjail": {"mine\n", ""}} {
		w := gatetest.New(t)
		w.Write("project/deploy/prod.sh", "mine\n", 0o644)
		w.Write("project/conf/secrets/key", "hunter2\n", 0o600)
		file, secrets := w.Project+"/deploy/prod.sh", w.Project+"/conf/secrets"
		first := w.Jail("--ro-bind", file, file, "--tmpfs", secrets)
		run := w.Ocjail
		if name == "bwrap" {
			run = w.Bwrap
		}
		w.Run(run(append(first, "--", "sh", "-c", script)...))
		if got := w.Read("project/deploy/prod.sh"); got != want.file {
			t.Errorf("%s: the script is %q, want %q", name, got, want.file)
		}
		// The next session hides the same path, and finds what was moved.
		w.Write("project/conf/secrets/other", "", 0o644)
		if o := w.Run(run(append(first, "--", "sh", "-c", "cat c2/secrets/key")...)); o.Stdout != want.seen {
			t.Errorf("%s: the secret shows as %q, want %q", name, o.Stdout, want.seen)
		}
	}
}
