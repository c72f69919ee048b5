package review

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/host"
)

// nested makes a project in f with a repository of its own, and tells the plan.
func (f *folder) nested(name string, roots ...string) {
	f.t.Helper()
	f.git("init", "-q", name)
	for _, r := range roots {
		f.plan.Roots = append(f.plan.Roots, Root{Path: f.path(r), Reason: "a test"})
	}
	facts := host.Facts{Git: f.plan.Git}
	facts.Nest(host.NewFS(), []string{f.path(name)})
}

// session has the project of plan changed while a jail runs.
func session(t *testing.T, state string, plan Plan, change func()) *Project {
	t.Helper()
	p, err := Open(state, plan.Project)
	check(t, err)
	s, err := p.Begin(plan)
	check(t, err)
	change()
	_, err = s.End()
	check(t, err)
	return reopened(t, state, plan.Project)
}

func reopened(t *testing.T, state, project string) *Project {
	t.Helper()
	p, err := Open(state, project)
	check(t, err)
	return p
}

func wantDistrust(t *testing.T, what string, p *Project, path string, want bool) {
	t.Helper()
	if got := p.Distrusts(path); got != want {
		t.Errorf("%s: git's word on %s is distrusted: %t, want %t; pending: %+v", what, path, got, want, p.Changes())
	}
}

// A repository that a session makes has an index that nobody has looked at.
func TestIndexOfNewRepository(t *testing.T) {
	f := newFolder(t, ".envrc")
	f.write(".envrc", "x")
	state := t.TempDir()
	p := session(t, state, f.plan, func() {
		f.git("init", "-q")
		f.git("add", "-f", ".envrc")
	})
	wantDistrust(t, "git init", p, f.path(".envrc"), true)
	_, err := p.Accept(func(Change) bool { return true })
	check(t, err)
	wantDistrust(t, "kept", p, f.path(".envrc"), false)
}

// What a nested project's repository tracks since a session is not protected less for
// it, until somebody has looked: also after a session that began elsewhere, and where
// the nested project's own jail starts.
func TestIndexOfNestedRepository(t *testing.T) {
	f := newFolder(t)
	f.repository()
	plain := f.plan
	f.write("sub/.envrc", "x")
	f.nested("sub", "sub/.envrc")
	state := t.TempDir()
	envrc := f.path("sub/.envrc")
	wantDistrust(t, "at first", reopened(t, state, f.dir), envrc, false)
	p := session(t, state, f.plan, func() { f.git("-C", "sub", "add", "-f", ".envrc") })
	wantDistrust(t, "git add", p, envrc, true)
	wantDistrust(t, "in its own jail", reopened(t, state, f.path("sub")), envrc, true)
	wantDistrust(t, "beside", reopened(t, state, f.path("sub")), f.path("other/.envrc"), false)
	f.write("x", "x")
	plain.Git = findGit(t, f.dir)
	plain.Roots = []Root{{Path: f.path("x"), Reason: "a test"}}
	p = session(t, state, plain, func() { f.write("x", "y") })
	wantDistrust(t, "after another session", p, envrc, true)
	f.git("-C", "sub", "rm", "-q", "--cached", ".envrc")
	wantDistrust(t, "git rm --cached", reopened(t, state, f.dir), envrc, false)
}

func findGit(t *testing.T, dir string) *host.Git {
	t.Helper()
	g, err := host.NewFS().FindGit(dir)
	check(t, err)
	return g
}

// Whoever removes a nested repository has the one around it asked.
func TestIndexAroundNestedRepository(t *testing.T) {
	f := newFolder(t)
	f.repository()
	f.write("sub/.envrc", "x")
	f.nested("sub", "sub/.envrc")
	p := session(t, t.TempDir(), f.plan, func() {
		check(t, os.RemoveAll(f.path("sub/.git")))
		f.git("add", "-f", "sub/.envrc")
	})
	wantDistrust(t, "git add above", p, f.path("sub/.envrc"), true)
}

// What a session of the nested project alone did counts where it is a part of another.
func TestIndexOfOtherProject(t *testing.T) {
	f := newFolder(t)
	f.repository()
	f.git("init", "-q", "sub")
	f.write("sub/.envrc", "x")
	sub := f.path("sub")
	plan := Plan{Project: sub, Areas: []string{sub}, Git: findGit(t, sub), Roots: []Root{{Path: f.path("sub/.envrc"), Reason: "a test"}}}
	state := t.TempDir()
	session(t, state, plan, func() { f.git("-C", "sub", "add", "-f", ".envrc") })
	wantDistrust(t, "git add", reopened(t, state, f.dir), f.path("sub/.envrc"), true)
	wantDistrust(t, "beside", reopened(t, state, f.dir), f.path("x/.envrc"), false)
	f.git("-C", "sub", "rm", "-q", "--cached", ".envrc")
	reopened(t, state, sub)

	p, err := Open(state, sub)
	check(t, err)
	s, err := p.Begin(plan)
	check(t, err)
	check(t, s.Runs(os.Getpid()))
	outer := reopened(t, state, f.dir)
	kept := filepath.Join(storeOf(state, sub).dir, pendingFile)
	check(t, os.Remove(kept))
	wantDistrust(t, "it runs", outer, f.path("sub/.envrc"), false)
	check(t, os.WriteFile(processFile(s.file), []byte("1 x\n"), 0o600))
	wantDistrust(t, "its ocjail was killed", outer, f.path("sub/.envrc"), true)
	check(t, s.Cancel())
	wantDistrust(t, "it is over", outer, f.path("sub/.envrc"), false)
	check(t, os.WriteFile(kept, []byte("{"), 0o600))
	wantDistrust(t, "broken", outer, f.path("sub/.envrc"), true)
}

// Where more changed than is kept, what git tracks since may be among the rest.
func TestIndexAmongTooMuch(t *testing.T) {
	dir := "/p"
	changes := []Change{{Path: dir + "/z/.envrc", What: Tracked, Tracked: true}}
	for i := range maxChanges {
		changes = append(changes, Change{Path: fmt.Sprint(dir, "/a/", i), What: New})
	}
	kept := &pending{Project: dir}
	kept.merge(Plan{Project: dir, Areas: []string{dir}}, changes)
	if slices.ContainsFunc(kept.Changes, func(c Change) bool { return c.Tracked }) || !distrusts(kept.Changes, dir+"/z/.envrc") {
		t.Errorf("%d kept, the first %+v", len(kept.Changes), kept.Changes[0])
	}
}
