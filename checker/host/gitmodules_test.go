package host

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// super makes the world's project a repository with a submodule in lib whose
// name has slashes, which has one of its own, and a work tree.
func super(t testing.TB, w *world) {
	t.Helper()
	repository(t, w.dir+"/leaf")
	repository(t, w.dir+"/middle")
	git(t, w.dir+"/middle", "submodule", "--quiet", "add", "--name", "leaf", w.dir+"/leaf", "leaf")
	git(t, w.dir+"/middle", "commit", "-qm", "leaf")
	repository(t, w.project)
	git(t, w.project, "submodule", "--quiet", "add", "--name", "libs/deep/foo", w.dir+"/middle", "lib")
	git(t, w.project, "submodule", "--quiet", "update", "--init", "--recursive")
	git(t, w.project, "commit", "-qm", "lib")
	git(t, w.project, "worktree", "add", "-q", w.home+"/wt")
	git(t, w.home+"/wt", "submodule", "--quiet", "update", "--init")
}

// paths expands templates of the class host-executed, without what is said of each.
func paths(t testing.TB, facts Facts, templates ...string) []string {
	t.Helper()
	var entries []Watch
	for _, p := range templates {
		entries = append(entries, Watch{Path: p, Class: "host-executed"})
	}
	found, err := NewFS().Expand(entries, facts)
	check(t, err)
	list := []string{}
	for _, p := range found {
		list = append(list, p.Path)
	}
	return list
}

func TestExpandSubmodules(t *testing.T) {
	w := newWorld(t)
	super(t, w)
	modules := w.project + "/.git/modules/libs/deep/foo"
	apart := w.project + "/.git/worktrees/wt/modules/libs/deep/foo"
	facts := w.facts(t)
	wantLines(t, "modules", paths(t, facts, "{git-modules}/config"),
		modules+"/config", modules+"/modules/leaf/config", apart+"/config")
	wantLines(t, "folders", paths(t, facts, "{submodule}/.git"), w.project+"/lib/.git")
	w.project = w.home + "/wt"
	wantLines(t, "from a work tree", paths(t, w.facts(t), "{git-modules}/config", "{submodule}/.git"),
		modules+"/config", modules+"/modules/leaf/config", apart+"/config", w.project+"/lib/.git")
}

// A repository nested in the work tree that was added as such keeps its git
// directory to itself. git status enters it all the same.
func TestExpandNestedRepository(t *testing.T) {
	w := newWorld(t)
	repository(t, w.project)
	repository(t, w.project+"/vendor/x")
	repository(t, w.project+"/unknown")
	git(t, w.project, "add", "vendor/x")
	facts := w.facts(t)
	wantLines(t, "nested", paths(t, facts, "{git-modules}/config"), w.project+"/vendor/x/.git/config")
	found, err := NewFS().Expand([]Watch{{Path: "{submodule}/.git", Class: "host-executed", Protect: true}}, facts)
	check(t, err)
	if len(found) != 1 || found[0].Protect {
		t.Errorf("a directory that git writes: %+v", found)
	}
	check(t, os.Rename(w.project+"/vendor/x/.git", w.dir+"/x.git"))
	write(t, w.project+"/vendor/x/.git", "gitdir: "+w.dir+"/x.git\n")
	found, err = NewFS().Expand([]Watch{{Path: "{submodule}/.git", Class: "host-executed", Protect: true}}, facts)
	check(t, err)
	if len(found) != 1 || !found[0].Protect {
		t.Errorf("a file that names one: %+v", found)
	}
}

// An index that says nothing leaves the submodules that their repositories know.
func TestExpandSubmodulesWithoutAnIndex(t *testing.T) {
	w := newWorld(t)
	super(t, w)
	git(t, w.project, "update-index", "--split-index")
	wantLines(t, "split index", paths(t, w.facts(t), "{submodule}/.git"), w.project+"/lib/.git", w.project+"/lib/leaf/.git")
}

func TestExpandModulesIsBounded(t *testing.T) {
	for name, plant := range map[string]func(modules string){
		"wide": func(modules string) {
			for i := range maxModuleDirs {
				mkdir(t, fmt.Sprint(modules, "/", i%64, "/", i))
			}
		},
		"deep": func(modules string) { mkdir(t, modules+strings.Repeat("/d", maxModuleDepth+1)) },
		"away": func(modules string) {
			away := t.TempDir() // not the system's, of which a user may not see all
			for i := range maxModuleDirs {
				mkdir(t, fmt.Sprint(away, "/", i%64, "/", i))
			}
			mkdir(t, modules)
			link(t, away, modules+"/away")
		},
	} {
		w := newWorld(t)
		repository(t, w.project)
		plant(w.project + "/.git/modules")
		_, err := NewFS().Expand([]Watch{{Path: "{git-modules}/config"}}, w.facts(t))
		wantUnknown(t, err)
		if err == nil || !strings.Contains(err.Error(), "more than 4096 folders, or 12 levels") {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := newWorld(t)
	super(t, w)
	before := paths(t, w.facts(t), "{git-modules}/config")
	link(t, "..", w.project+"/.git/modules/round")
	if after := paths(t, w.facts(t), "{git-modules}/config"); len(after) > len(before)+6 || !slices.Contains(after, before[0]) {
		t.Errorf("with a link that leads back: %v", after)
	}
}

func TestExpandRefusesGitlinks(t *testing.T) {
	for _, name := range []string{"../x", ".git/x", "/x", "a//b", "."} {
		w := newWorld(t)
		mkdir(t, w.project)
		git(t, w.project, "init", "-q")
		write(t, w.project+"/.git/index", string(version4(modeGitlink, []int{0}, []string{name})))
		_, err := NewFS().Expand([]Watch{{Path: "{submodule}/.git"}}, w.facts(t))
		wantUnknown(t, err)
	}
}

func TestExpandHooks(t *testing.T) {
	w := newWorld(t)
	repository(t, w.project)
	write(t, w.project+"/.git/hooks/pre-commit.sample", "")
	write(t, w.dir+"/shared/hook", "")
	link(t, w.dir+"/shared/hook", w.project+"/.git/hooks/pre-commit")
	hooks := []string{"{git-common}/hooks/*", "{git-hooks-path}", "{git-hooks-path}/*"}
	wantLines(t, "links", paths(t, w.facts(t), hooks...), w.project+"/.git/hooks/pre-commit", w.dir+"/shared/hook")

	set := func(value string) { git(t, w.project, "config", "core.hooksPath", value) }
	set("tools/hooks/")
	write(t, w.project+"/tools/hooks/post-commit", "")
	wantLines(t, "of the repository", paths(t, w.facts(t), hooks[1:]...), w.project+"/tools/hooks", w.project+"/tools/hooks/post-commit")
	write(t, w.home+"/.gitconfig", "[core]\nhooksPath = ~/hooks\n")
	wantLines(t, "and the person's", paths(t, w.facts(t), hooks[1]), w.home+"/hooks", w.project+"/tools/hooks")
	check(t, os.Remove(w.home+"/.gitconfig"))
	for _, value := range []string{"", "/dev/null"} {
		set(value)
		wantLines(t, value, paths(t, w.facts(t), hooks[1]))
	}
	for _, value := range []string{".", "..", w.home, ".git", "~somebody/hooks", "%(prefix)/hooks"} {
		set(value)
		_, err := NewFS().Expand([]Watch{{Path: hooks[1]}}, w.facts(t))
		wantUnknown(t, err)
		if err == nil || !strings.Contains(err.Error(), "core.hooksPath: "+fmt.Sprintf("%q", value)) {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// What a stray .git names is watched like the project's own: git obeys it.
func TestExpandStrays(t *testing.T) {
	w := newWorld(t)
	repository(t, w.dir+"/foreign")
	write(t, w.project+"/.git", "gitdir: "+w.dir+"/foreign/.git\n")
	wantLines(t, "stray", paths(t, w.facts(t), "{git}/config", "{git-common}/hooks", "{git-modules}/config", "{git-hooks-path}"),
		w.dir+"/foreign/.git/config", w.dir+"/foreign/.git/hooks")
}
