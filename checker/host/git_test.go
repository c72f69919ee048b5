package host

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// git runs the real git, without anybody's configuration.
func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("git is missing: install it with `apt-get install git` or your system's equivalent")
	}
	cmd := exec.Command("git", append([]string{"-c", "user.name=n", "-c", "user.email=e@x", "-c", "protocol.file.allow=always"}, args...)...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// repository makes one with a commit of some files.
func repository(t testing.TB, dir string, init ...string) {
	t.Helper()
	mkdir(t, dir)
	git(t, dir, append([]string{"init", "-q"}, init...)...)
	for _, name := range []string{"a", "dir/b", "dir/sub/c", "dir-x", "dir.x/d", "hidden", "skipped", "z/ü \n\"q", strings.Repeat("n", 200) + "/" + strings.Repeat("m", 200)} {
		write(t, dir+"/"+name, name)
	}
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-qm", "m")
}

func findGit(t testing.TB, root string) Git {
	t.Helper()
	g, err := NewFS().FindGit(root)
	check(t, err)
	if g == nil {
		t.Fatalf("no repository in %s", root)
	}
	return *g
}

func TestFindGit(t *testing.T) {
	d := tempDir(t)
	main := d + "/main"
	repository(t, main)
	git(t, main, "worktree", "add", "-q", "../wt")
	repository(t, d+"/lib")
	git(t, main, "submodule", "--quiet", "add", d+"/lib", "sub")
	git(t, main, "init", "-q", "--separate-git-dir", d+"/apart.git", d+"/separate")
	link(t, main, d+"/alias")
	mkdir(t, d+"/linked")
	link(t, "../main/.git", d+"/linked/.git")
	write(t, d+"/relative/.git", "gitdir: ../alias/.git/worktrees/wt\r\n")
	write(t, d+"/later/.git", "gitdir: /none/later\n")
	dot := main + "/.git"
	git(t, main, "commit", "-qm", "sub")
	git(t, d+"/wt", "reset", "-q", "--hard", strings.TrimSpace(git(t, main, "rev-parse", "HEAD")))
	git(t, d+"/wt", "submodule", "--quiet", "update", "--init")
	git(t, d, "clone", "-q", "--bare", main, "bare.git")
	git(t, d+"/bare.git", "worktree", "add", "-q", "../of-bare")
	repository(t, d+"/moved")
	check(t, os.Rename(d+"/moved/.git", d+"/moved/.bare"))
	write(t, d+"/moved/.git", "gitdir: ./.bare\n")
	stray := func(root, target string) Git {
		return Git{Root: root, Stray: []Stray{{root + "/.git", target}}}
	}
	for root, want := range map[string]Git{
		main:            {main, dot, dot, nil, nil},
		d + "/alias":    {main, dot, dot, nil, nil},
		d + "/wt":       {d + "/wt", dot + "/worktrees/wt", dot, nil, nil},
		d + "/wt/sub":   {d + "/wt/sub", dot + "/worktrees/wt/modules/sub", dot + "/worktrees/wt/modules/sub", nil, nil},
		main + "/sub":   {main + "/sub", dot + "/modules/sub", dot + "/modules/sub", nil, nil},
		d + "/of-bare":  {d + "/of-bare", d + "/bare.git/worktrees/of-bare", d + "/bare.git", nil, nil},
		d + "/moved":    {d + "/moved", d + "/moved/.bare", d + "/moved/.bare", nil, nil},
		d + "/separate": stray(d+"/separate", d+"/apart.git"),
		d + "/linked":   stray(d+"/linked", dot),
		d + "/relative": stray(d+"/relative", dot+"/worktrees/wt"),
		d + "/later":    stray(d+"/later", "/none/later"),
	} {
		if diff := cmp.Diff(want, findGit(t, root)); diff != "" {
			t.Errorf("%s: %s", root, diff)
		}
	}
	// What the messages advise works, with git as with FindGit.
	git(t, d, "--git-dir="+d+"/apart.git", "config", "core.worktree", d+"/separate")
	if g := findGit(t, d+"/separate"); g.CommonDir != d+"/apart.git" || git(t, d+"/separate", "rev-parse", "--show-toplevel") != d+"/separate\n" {
		t.Errorf("%+v", g)
	}
	// git keeps core.worktree elsewhere once a work tree has settings of its own.
	git(t, main+"/sub", "config", "extensions.worktreeConfig", "true")
	git(t, main+"/sub", "config", "--worktree", "core.worktree", "../../../sub")
	git(t, main+"/sub", "config", "--file", dot+"/modules/sub/config", "--unset", "core.worktree")
	if g := findGit(t, main+"/sub"); g.CommonDir != dot+"/modules/sub" || git(t, main+"/sub", "rev-parse", "--show-toplevel") != main+"/sub\n" {
		t.Errorf("%+v", g)
	}
	if g, err := NewFS().FindGit(d); g != nil || err != nil {
		t.Errorf("no repository: %v %v", g, err)
	}
	write(t, dot+"/commondir", "./\n")
	if g := findGit(t, main); g.CommonDir != dot {
		t.Errorf("commondir ./: %+v", g)
	}
}

func TestFindGitRefuses(t *testing.T) {
	d := tempDir(t)
	for i, text := range []string{"", "gitdir: ", "gitdir:x", "gitdir: a\nb", "gitdir: a\x00", "gitdir: " + strings.Repeat("x", gitFileLimit), "gitdir: .git"} {
		root := fmt.Sprint(d, "/", i)
		write(t, root+"/.git", text)
		_, err := NewFS().FindGit(root)
		if text == "gitdir: .git" { // leads to itself, which git refuses; nothing is below it
			check(t, err)
			continue
		}
		wantUnknown(t, err)
	}
	for i, text := range []string{"", "\n", "a\nb"} {
		root := fmt.Sprint(d, "/c", i)
		write(t, root+"/.git/commondir", text)
		_, err := NewFS().FindGit(root)
		wantUnknown(t, err)
	}
	link(t, ".git", d+"/loop/.git")
	_, err := NewFS().FindGit(d + "/loop")
	wantUnknown(t, err)
}

// Values as git prints them.
func TestGitConfigAgreesWithGit(t *testing.T) {
	path := t.TempDir() + "/config"
	text := "\ufeff[User]\n\tName = \"Ada # \" L; comment\n\temail=a\\tb\\\"c \\\n  tail  # x\n flag\n\n# c\n[a.B \"Su\\\"b\\\\]\"] k-1 = x \"y  \" z \n" +
		"[a.b]\nempty =\nquoted = \"\"\nCR = v\r\n ; comment\n[user] name = \"second\"\\n\n[x]y=1"
	write(t, path, text)
	want := gitConfig{}
	for item := range strings.SplitSeq(strings.TrimSuffix(git(t, "/", "config", "--file", path, "--list", "-z"), "\x00"), "\x00") {
		key, value, ok := strings.Cut(item, "\n")
		if !ok {
			value = "true"
		}
		want[key] = value
	}
	got, err := NewFS().readGitConfig(path)
	check(t, err)
	if diff := cmp.Diff(want, got); diff != "" || len(got) < 8 {
		t.Errorf("%d values: %s", len(got), diff)
	}
}

func TestGitConfigRefuses(t *testing.T) {
	for _, text := range []string{
		"a = b", "[s", "[]", "[s \"x]", "[s x]", "[s \"x\" ]", "[s]\na b", "[s]\n1 = x", "[s]\na = \"x", "[s]\na = \\q", "[s]\n=x", "[s \"x\ny\"]", "[s]\na = x\\",
	} {
		_, err := parseGitConfig(text)
		if err == nil {
			t.Errorf("%q is accepted", text)
			continue
		}
		wantUnknown(t, err)
	}
}

func TestGitIdentity(t *testing.T) {
	w := newWorld(t)
	repository(t, w.project)
	git(t, w.project, "config", "user.name", "Mallory")
	identity := func() Identity {
		t.Helper()
		id, err := NewFS().GitIdentity(w.facts(t))
		check(t, err)
		return id
	}
	if id := identity(); id != (Identity{}) {
		t.Errorf("%+v", id)
	}
	write(t, w.home+"/.config/git/config", "[user]\nname = X\nemail = x@example.org\n[include]\npath = "+w.project+"/.git/config\n")
	write(t, w.dir+"/dotfiles/git", "[user]\n\tname = Ada\n")
	link(t, "../../dotfiles/git", w.home+"/.gitconfig")
	if id := identity(); id != (Identity{"Ada", "x@example.org"}) {
		t.Errorf("%+v", id)
	}
	write(t, w.dir+"/dotfiles/git", "[user\n")
	_, err := NewFS().GitIdentity(w.facts(t))
	wantUnknown(t, err)
	if err == nil || !strings.Contains(err.Error(), ".gitconfig:") {
		t.Errorf("%v does not name the place", err)
	}
}

func FuzzGitConfig(f *testing.F) {
	f.Add("[a \"b\"]\nc = \"d\\n\" # e\n")
	f.Fuzz(func(t *testing.T, text string) {
		config, err := parseGitConfig(text)
		if err != nil && config != nil {
			t.Error("values beside an error")
		}
		for key := range config {
			if !strings.Contains(key, ".") {
				t.Errorf("key %q", key)
			}
		}
	})
}
