package nix

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// makeWorktree replaces the project by a linked worktree of ~/main.
const makeWorktree = `cd && rm -rf project && git init -q main && cd main &&
	git -c user.name=Dev -c user.email=dev@example.org commit -q --allow-empty -m first && git worktree add -q ~/project`

const commitInJail = `git status --short && git commit -q --allow-empty -m from-the-jail && git log --format=%s`

// In a linked worktree git works in the jail, for the repository that it belongs
// to is bound; what the host would run of it is protected as that of any project.
func TestWorktree(t *testing.T) {
	opencode := newProject(t, "git.identity = true;").opencode()
	both(t, func(t *testing.T, w *world) {
		w.write(".gitconfig", "[user]\nname = Dev\nemail = dev@example.org\n")
		w.launch(nil, "/bin/sh", "-c", makeWorktree).expect(t, 0)
		r := w.launch(nil, opencode, "-c", commitInJail).expect(t, 0)
		if r.stdout != "from-the-jail\nfirst\n" {
			t.Errorf("git log says %q\n%s", r.stdout, r.stderr)
		}
		for _, plant := range []string{"echo evil >~/main/.git/hooks/pre-commit", "git config core.fsmonitor evil"} {
			if r := w.launch(nil, opencode, "-c", plant); r.status == 0 {
				t.Errorf("the jail can do: %s", plant)
			}
		}
		w.launch(nil, opencode, "-c", "echo x >~/main/file").expect(t, 0)
		if w.read("main/file") != "" {
			t.Error("the jail writes the main worktree's files")
		}
	})
}

// Without the option, and where the caller wrote the permissions himself,
// nothing but these is bound.
func TestWorktreeIsAnOption(t *testing.T) {
	w := newWorld(t, false)
	w.launch(nil, "/bin/sh", "-c", makeWorktree).expect(t, 0)
	for _, settings := range []string{"git.worktree = false;", "baseJailCombinators = with pkgs.jail.combinators; [ no-new-session (readonly config.devenv.root) ];"} {
		r := newProject(t, settings)
		if r := w.launch(nil, r.opencode(), "-c", "git log; ls ~/main"); r.status == 0 {
			t.Errorf("with %s the repository is in the jail:\n%s", settings, r.stdout)
		}
	}
	p := newProject(t, "git.worktree = true; baseJailCombinators = with pkgs.jail.combinators; [ (rw-bind config.devenv.root config.devenv.root) ];")
	w.launch([]string{"GIT_AUTHOR_NAME=x"}, p.opencode(), "-c", "git log").expect(t, 0)
}

// A .git file says what the agent likes. A folder that does not name the
// worktree in return is not bound, and the launch is refused for it.
func TestForgedWorktree(t *testing.T) {
	opencode := newProject(t, "").opencode()
	for name, forge := range map[string]string{
		"another project's repository": `cd && git init -q other && rm -rf project/.git && echo "gitdir: $HOME/other/.git" >project/.git`,
		"another project's worktree": `cd && git init -q other && cd other && git -c user.name=D -c user.email=d@e.f commit -q --allow-empty -m x &&
			git worktree add -q ~/elsewhere && echo "gitdir: $HOME/other/.git/worktrees/elsewhere" >~/project/.git`,
		"a worktree that another repository is said to share": makeWorktree + ` && git init -q ~/other && echo ~/other/.git >~/main/.git/worktrees/project/commondir`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, false)
			w.launch(nil, "/bin/sh", "-c", forge).expect(t, 0)
			w.launch([]string{"OCJAIL_GIT_COMMON=" + homeDir + "/other"}, opencode, "-c", "echo started >started").
				expect(t, 126).says(t, "exec/git-redirected")
			if w.read("project/started") != "" {
				t.Error("the jail was started")
			}
		})
	}
}

// What is no worktree is left alone, whatever its .git looks like.
func TestNoWorktree(t *testing.T) {
	opencode := newProject(t, "").opencode()
	for name, make := range map[string]string{
		"no repository":           "true",
		"a repository of its own": "git init -q",
		"a variable of that name": "true",
	} {
		w := newWorld(t, false)
		w.launch(nil, "/bin/sh", "-c", make).expect(t, 0)
		env := []string{"OCJAIL_GIT_COMMON=" + homeDir + "/other"}
		w.write("other/file", "")
		if r := w.launch(env, opencode, "-c", "ls ~/other").expect(t, 2); !strings.Contains(r.stderr, "No such file") {
			t.Errorf("%s: %s", name, r.stderr)
		}
	}
}

// Its origin is in the manifest.
func TestWorktreeInTheManifest(t *testing.T) {
	es := newProject(t, "").manifest().of("programs.opencode.git.worktree")
	if len(es) != 1 || es[0].ID != "programs.opencode.git.worktree" {
		t.Errorf("%+v", es)
	}
}

// A .git without an end, sparse or full, is read to no more than a path's length.
func TestEndlessWorktreeFile(t *testing.T) {
	script, err := filepath.Abs("../../nix/worktree.sh")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ forge, want string }{
		"a worktree":                             {"true", "main/.git"},
		"sparse":                                 {"rm .git && truncate -s 1T .git", ""},
		"a worktree with a tail that has no end": {"truncate -s 1T .git ../main/.git/worktrees/wt/gitdir", "main/.git"},
		"long":                                   {"{ printf 'gitdir: '; head -c 5000 /dev/zero | tr '\\0' /; cat .git; } >x; mv x .git", ""},
	} {
		dir := t.TempDir()
		make := `git init -q main && cd main && git -c user.name=D -c user.email=d@e.f commit -q --allow-empty -m x && git worktree add -q ../wt && cd ../wt && ` + tc.forge
		ctx, stop := context.WithTimeout(t.Context(), time.Minute) // a terabyte takes longer
		c := exec.CommandContext(ctx, "bash", "-euc", make+`; . "$0"; ocjail_worktree "$PWD"; echo "${OCJAIL_GIT_COMMON-}"`, script)
		c.Dir = dir
		out, err := c.CombinedOutput()
		stop()
		got := strings.TrimPrefix(strings.TrimSpace(string(out)), dir+"/")
		if err != nil || got != tc.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, tc.want)
		}
	}
}
