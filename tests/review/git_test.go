package review

import (
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// everyday is git work that has to go on in the jail, one session each, in this
// order. Nothing of it is worth a word of the review's. The default jail has
// .git/config read-only, so what records something there says so, or fails; see
// the README.
var everyday = []struct {
	script string
	fails  string // what git says where the default jail forbids it
}{
	{script: "git status --short && git log --oneline && git diff"},
	{script: "echo two >>code && git add code && git commit -qm two"},
	{script: "git commit -q --amend -m again"},
	{script: "git checkout -q -b topic && echo three >>code && git commit -qam three && git checkout -q main"},
	{script: "git switch -q topic && git switch -q main"},
	{script: "git switch -qc other && echo '{ b = 1; }' >devenv.nix && echo x >.envrc && git commit -qam control && git switch -q main && git switch -q other && git switch -q main"},
	{script: "echo '{ c = 1; }' >devenv.nix && rm .envrc && git stash -q && git stash pop -q && git checkout -q -- ."},
	{script: "git push -q origin main && git push -q origin topic"},
	{script: "git fetch -q && git pull -q --rebase origin main"},
	{script: "git push -q -u origin topic:newer"},
	{script: "git checkout -q --track -b tracking origin/topic && git checkout -q main"},
	{script: "git rebase -q main topic && git checkout -q main"},
	{script: "git merge -q --no-edit --no-ff topic"},
	{script: "git cherry-pick other && git reset -q --hard HEAD~"},
	{script: "git tag v1 && git tag -a -m two v2 && git tag -d v1"},
	{script: "git branch spare && git branch -q -D spare"},
	{script: "git gc -q && git repack -q -a -d"},
	{script: "git worktree add -q tree other && git -C tree status --short && git -C tree switch -q -c fourth && echo y >>tree/code && git -C tree commit -qam tree && git worktree remove tree && git worktree prune"},
	{script: "git bisect start && git bisect reset && git blame code >/dev/null && git grep -q one"},
	{script: "git restore --source=HEAD~ code && git checkout -q -- code && git clean -qfd -e up"},
	{script: "git config user.name X", fails: "could not write config file"},
	{script: "git remote add more ./remote.git", fails: "could not write config file"},
	{script: "git branch -m other renamed", fails: "could not write config file"},
}

const gitProfile = `command = ["sh"]
system  = true
tmpfs "~" {}
tmpfs "/tmp" {}
project { access = "rw" }
git_worktree = true
setenv = {
  GIT_CONFIG_COUNT    = "2"
  GIT_CONFIG_KEY_0    = "push.default"
  GIT_CONFIG_VALUE_0  = "current"
  GIT_CONFIG_KEY_1    = "branch.autoSetupMerge"
  GIT_CONFIG_VALUE_1  = "false"
  GIT_AUTHOR_NAME     = "A"
  GIT_AUTHOR_EMAIL    = "a@x"
  GIT_COMMITTER_NAME  = "A"
  GIT_COMMITTER_EMAIL = "a@x"
}
`

func TestEverydayGit(t *testing.T) {
	w := newWorld(t)
	w.Write("project/devenv.nix", "{ a = 1; }\n", 0o644)
	w.Write("project/.envrc", "use devenv\n", 0o644)
	w.Write("project/.git/info/exclude", "remote.git\ntree\n", 0o644)
	w.must(w.host("git add . && git commit -qm control && git clone -q --bare . remote.git && git remote add origin ./remote.git"))
	profile := w.Write("git.hcl", gitProfile, 0o644)
	for _, work := range everyday {
		o := w.Run(w.Command(gatetest.Build(t).Ocjail, "run", "--profile", profile, "--", "sh", "-ec", work.script))
		if work.fails == "" && o.Status != 0 || work.fails != "" && (o.Status == 0 || !strings.Contains(o.Stderr, work.fails)) {
			t.Errorf("%s: %+v", work.script, o)
		}
		if strings.Contains(o.Stderr, "ocjail: 1 change") || strings.Contains(o.Stderr, "changes, while") {
			t.Errorf("%s: the review cries wolf: %s", work.script, o.Stderr)
		}
		for _, p := range parse(t, w.review("--format", "json").Stdout).Pending {
			if p.Level != "info" {
				t.Errorf("%s: %s %s", work.script, p.What, p.Path)
			}
		}
		w.review("--accept")
	}
}
