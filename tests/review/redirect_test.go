// Package review proves that what a session plants for the host is found, and
// that reverting disarms it: with the real git and the real bwrap.
package review

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

func TestMain(m *testing.M) { gatetest.Main(m) }

// world is a project whose git is the user's, with a mark outside of it that
// planted commands make.
type world struct {
	*gatetest.World
	t    *testing.T
	mark string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{World: gatetest.New(t), t: t}
	w.mark = filepath.Join(w.Dir, "mark")
	w.World.Write("project/code", "one\n", 0o644)
	w.World.Write("home/.config/git/config", "[user]\nname = Dev\nemail = dev@example.org\n[init]\ndefaultBranch = main\n", 0o644)
	w.Git("code")
	return w
}

// jail is the default jail of these tests, with a name to commit under.
func (w *world) jail(script string) []string {
	argv := w.Jail("--setenv", "GIT_AUTHOR_NAME", "A", "--setenv", "GIT_AUTHOR_EMAIL", "a@x", "--setenv", "GIT_COMMITTER_NAME", "A", "--setenv", "GIT_COMMITTER_EMAIL", "a@x")
	return append(argv, "--", "sh", "-ec", script)
}

// host runs a script outside the jail, in the project, as the user would.
func (w *world) host(script string) gatetest.Outcome {
	return w.Run(w.Command("sh", "-c", script))
}

func (w *world) must(o gatetest.Outcome) gatetest.Outcome {
	w.t.Helper()
	if o.Status != 0 {
		w.t.Fatalf("status %d: %s%s", o.Status, o.Stdout, o.Stderr)
	}
	return o
}

// session runs a script in the jail, through the gate.
func (w *world) session(script string) gatetest.Outcome {
	w.t.Helper()
	return w.Run(w.Ocjail(w.jail(script)...))
}

// review runs the command.
func (w *world) review(args ...string) gatetest.Outcome {
	w.t.Helper()
	return w.Run(w.Command(gatetest.Build(w.t).Ocjail, append([]string{"review"}, args...)...))
}

// harmed tells whether a planted command ran since it was last asked.
func (w *world) harmed() bool {
	w.t.Helper()
	err := os.Remove(w.mark)
	if err != nil && !os.IsNotExist(err) {
		w.t.Fatal(err)
	}
	return err == nil
}

// redirections are those of threat 26. PLANT in a script is a value of
// core.fsmonitor that makes the mark.
var redirections = map[string]struct {
	arrange string // on the host, before
	config  string
	plant   string // in the jail
	trigger string // on the host, after
	found   []string
}{
	"a commondir": {
		plant:   `cp -r .git evil; git config -f evil/config core.fsmonitor "PLANT"; echo ../evil >.git/commondir`,
		trigger: "git status", found: []string{".git/commondir", "evil", "commondir -> ../evil", "core.fsmonitor = "},
	},
	"b config.worktree": {
		arrange: "git config extensions.worktreeConfig true",
		plant:   `git config -f .git/config.worktree core.fsmonitor "PLANT"`,
		trigger: "git status", found: []string{".git/config.worktree", "core.fsmonitor = "},
	},
	"c nested repository added as a gitlink": {
		plant:   `git init -q lib; git -C lib commit -q --allow-empty -m m; git -C lib config core.fsmonitor "PLANT"; git add lib`,
		trigger: "git status", found: []string{"lib/.git", "core.fsmonitor = "},
	},
	"d a new submodule's configuration": {
		plant: `mkdir .git/modules; git init -q --separate-git-dir .git/modules/lib lib; git -C lib commit -q --allow-empty -m m
git config -f .git/modules/lib/config core.fsmonitor "PLANT"; git add lib`,
		trigger: "git status", found: []string{".git/modules/lib", "lib/.git", "core.fsmonitor = "},
	},
	"d a submodule's configuration": {
		arrange: `git init -q ../lib; git -C ../lib commit -q --allow-empty -m m
git -c protocol.file.allow=always submodule --quiet add ../lib lib; git commit -qam lib`,
		config: "protect = []\nrule \"exec/host-executed-writable\" { severity = \"info\" }",
		plant:  `git config -f .git/modules/lib/config core.fsmonitor "PLANT"`, trigger: "git status",
		found: []string{".git/modules/lib/config", "core.fsmonitor = "},
	},
	"e a bare repository in a subfolder": {
		plant:   `mkdir -p sub/objects sub/refs; cp .git/HEAD sub; git config -f sub/config core.repositoryformatversion 0; git config -f sub/config core.worktree .; git config -f sub/config core.fsmonitor "PLANT"`,
		trigger: "cd sub && git status", found: []string{"sub", "core.fsmonitor = "},
	},
	"a rebase that waits": {
		plant:   `git checkout -q -b topic; echo x >>code; git commit -qam x; GIT_SEQUENCE_EDITOR="sed -i '1i break'" git rebase -q -i HEAD~ || true; echo 'exec PLANT' >>.git/rebase-merge/git-rebase-todo`,
		trigger: "git rebase --continue", found: []string{".git/rebase-merge/git-rebase-todo"},
	},
	"f the project as a bare repository": {
		plant:   `mkdir objects refs; mv .git/HEAD HEAD; git config -f config core.repositoryformatversion 0; git config -f config core.worktree .; git config -f config core.fsmonitor "PLANT"`,
		trigger: "git status", found: []string{".git/HEAD", "core.fsmonitor = "},
	},
	"g a repository whose name is not in UTF-8": {
		plant:   `d=$(printf '\377'); git init -q "$d"; git -C "$d" commit -q --allow-empty -m m; git -C "$d" config core.fsmonitor "PLANT"; git add "$d"`,
		trigger: "git status", found: []string{`\xff/.git`, "core.fsmonitor = "},
	},
	"h a repository within .git, and a link to it": {
		plant:   `git init -q .git/objects/aa/lib; git -C .git/objects/aa/lib config core.fsmonitor "PLANT"; ln -s .git/objects/aa/lib lib`,
		trigger: "cd lib && git status", found: []string{".git/objects/aa/lib/.git", "core.fsmonitor = "},
	},
}

// A folder that can be entered and not listed hides nothing. Root can list it.
func TestClosedFolder(t *testing.T) {
	w := newWorld(t)
	w.must(w.session(`git init -q closed/lib; git -C closed/lib config core.fsmonitor "touch ` + w.mark + `; false"; chmod 0311 closed`))
	if w.host("cd closed/lib && git status"); !w.harmed() {
		t.Fatal("git on the host runs nothing, so this proves nothing")
	}
	for range 2 {
		if o := w.review("--list"); o.Status != 1 || !strings.Contains(o.Stdout, " closed") {
			t.Errorf("%+v", o)
		}
	}
	w.must(w.host("chmod 0755 closed"))
}

func TestGitRedirections(t *testing.T) {
	for name, r := range redirections {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.must(w.host(r.arrange))
			before := w.must(w.host("git status --porcelain")).Stdout
			plant := strings.ReplaceAll(r.plant, "PLANT", "touch "+w.mark+"; false")
			session := w.Run(w.Configured(r.config, w.jail(plant)...))
			w.must(session)
			w.host(r.trigger)
			if !w.harmed() {
				t.Fatal("git on the host runs nothing, so this proves nothing")
			}
			list := w.review("--list")
			if list.Status != 1 {
				t.Errorf("status %d: %s", list.Status, list.Stderr)
			}
			for _, text := range r.found {
				if !strings.Contains(list.Stdout, text) {
					t.Errorf("the list does not hold %q:\n%s", text, list.Stdout)
				}
				if !strings.Contains(session.Stderr, text) && strings.Contains(text, "/") {
					t.Errorf("the session's end does not name %q:\n%s", text, session.Stderr)
				}
			}
			o := w.review("--revert")
			if w.host(r.trigger); w.harmed() {
				t.Errorf("reverted, git on the host still runs it: %+v", o)
			}
			if o := w.review("--list"); o.Status != 0 {
				t.Errorf("still pending: %+v", o)
			}
			if after := w.must(w.host("git status --porcelain")).Stdout; !strings.HasPrefix(after, before) {
				t.Errorf("git status gives %q, before %q", after, before)
			}
		})
	}
}

// Without the gate the same commands do the same, so what is planted is real.
func TestGitRedirectionsWithoutOcjail(t *testing.T) {
	for name, r := range redirections {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.must(w.host(r.arrange))
			w.must(w.Run(w.Bwrap(w.jail(strings.ReplaceAll(r.plant, "PLANT", "touch "+w.mark+"; false"))...)))
			if w.host(r.trigger); !w.harmed() {
				t.Error("git on the host runs nothing, so this proves nothing")
			}
		})
	}
}

// What doctor recommends stops (e) and (f).
func TestSafeBareRepository(t *testing.T) {
	for _, name := range []string{"e a bare repository in a subfolder", "f the project as a bare repository"} {
		w, r := newWorld(t), redirections[name]
		w.must(w.Run(w.Bwrap(w.jail(strings.ReplaceAll(r.plant, "PLANT", "touch "+w.mark+"; false"))...)))
		w.must(w.host("git config --global safe.bareRepository explicit"))
		if w.host(r.trigger); w.harmed() {
			t.Errorf("%s: it ran", name)
		}
	}
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("git is missing: run tests/install/install.sh")
	}
}
