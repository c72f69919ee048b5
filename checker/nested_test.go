package checker_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// nestedJail resolves a jail in which dir is writable and that is about the projects
// within it too, as a manifest's is that starts there.
func nestedJail(t *testing.T, dir string, distrusts func(string) bool, within ...string) *checker.Jail {
	t.Helper()
	fs := host.NewFS()
	facts, err := host.Gather(fs, dir)
	if err != nil {
		t.Fatal(err)
	}
	var roots []string
	for _, w := range within {
		roots = append(roots, filepath.Join(facts.ProjectRoot, w))
	}
	facts.Nest(fs, roots)
	s, err := sandbox.ParseArgv([]string{"--ro-bind", "/usr", "/usr", "--bind", facts.ProjectRoot, facts.ProjectRoot, "--unshare-user", "--", "/usr/bin/true"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	j, err := checker.Resolve(checker.Request{Name: "test", Phase: checker.Launch, Sandbox: s, FS: fs, Facts: facts, Config: config.Default(), Cwd: dir, Distrusts: distrusts})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// wantAccess compares what the jail can do to files below dir.
func wantAccess(t *testing.T, j *checker.Jail, dir string, want map[string]sandbox.Access) {
	t.Helper()
	for p, a := range want {
		if got := access(t, j, filepath.Join(dir, p)); got != a {
			t.Errorf("%s is %s, want %s", p, got, a)
		}
	}
}

// Of a project within the project, what its own repository tracks stays writable.
func TestNestedProjectsOwnIndex(t *testing.T) {
	dir := repository(t)
	git(t, dir, "init", "-q", "sub")
	for _, p := range []string{"sub/devenv.nix", "sub/.envrc", "sub/.husky/pre-commit", "sub/.husky/_/pre-commit", "devenv.nix", "part/devenv.nix"} {
		write(t, filepath.Join(dir, p), "x\n")
	}
	git(t, dir+"/sub", "add", "devenv.nix", ".husky/pre-commit")
	git(t, dir, "add", "part/devenv.nix")
	want := map[string]sandbox.Access{
		"sub/devenv.nix": sandbox.ReadWrite, "sub/.husky/pre-commit": sandbox.ReadWrite,
		"sub/.envrc": sandbox.ReadOnly, "sub/.husky/_/pre-commit": sandbox.ReadOnly,
		"devenv.nix": sandbox.ReadOnly, "part/devenv.nix": sandbox.ReadWrite, "sub/.git/config": sandbox.ReadOnly, "sub/.git/hooks": sandbox.ReadOnly,
	}
	wantAccess(t, nestedJail(t, dir, nil, "sub", "part"), dir, want)

	// An agent had git track it, and nobody has looked.
	distrusted := filepath.Join(dir, "sub/devenv.nix")
	want["sub/devenv.nix"] = sandbox.ReadOnly
	wantAccess(t, nestedJail(t, dir, func(p string) bool { return p == distrusted }, "sub", "part"), dir, want)

	// The index of the project says nothing of what lies in a repository of its own.
	git(t, dir, "add", "part")
	write(t, dir+"/suc/.envrc", "x\n")
	git(t, dir, "add", "suc/.envrc")
	forge(t, dir, "suc/.envrc", "sub/.envrc")
	want["sub/devenv.nix"] = sandbox.ReadWrite
	wantAccess(t, nestedJail(t, dir, nil, "sub", "part"), dir, want)
}

// An index within the project that says nothing, or claims what git never tracks, opens
// nothing.
func TestNestedProjectsBadIndex(t *testing.T) {
	for what, spoil := range map[string]func(dir string){
		"cut short": func(dir string) { write(t, dir+"/sub/.git/index", "DIRC") },
		"a link": func(dir string) {
			if err := os.Rename(dir+"/sub/.git", dir+"/git"); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(dir+"/git", dir+"/sub/.git"); err != nil {
				t.Fatal(err)
			}
		},
		"another's": func(dir string) {
			if err := os.Rename(dir+"/sub/.git", dir+"/git"); err != nil {
				t.Fatal(err)
			}
			write(t, dir+"/sub/.git", "gitdir: ../git\n")
		},
		"another work tree's": func(dir string) { git(t, dir+"/sub", "config", "core.worktree", "../..") },
	} {
		t.Run(what, func(t *testing.T) {
			dir := repository(t)
			git(t, dir, "init", "-q", "sub")
			write(t, dir+"/sub/devenv.nix", "{ }\n")
			git(t, dir+"/sub", "add", "devenv.nix")
			spoil(dir)
			wantAccess(t, nestedJail(t, dir, nil, "sub"), dir, map[string]sandbox.Access{"sub/devenv.nix": sandbox.ReadOnly})
		})
	}
	dir := repository(t)
	git(t, dir, "init", "-q", "sub")
	write(t, dir+"/sub/xgit/hooks/pre-commit", "x\n")
	git(t, dir+"/sub", "add", "xgit")
	forge(t, dir+"/sub", "xgit/hooks", ".git/hooks")
	wantAccess(t, nestedJail(t, dir, nil, "sub"), dir, map[string]sandbox.Access{"sub/.git/hooks": sandbox.ReadOnly, "sub/.git/config": sandbox.ReadOnly})
}

// A submodule's index lies in the repository around it; where that is none whose index
// is reviewed, a nested one opens nothing.
func TestNestedSubmodule(t *testing.T) {
	lib := repository(t)
	write(t, lib+"/devenv.nix", "{ }\n")
	git(t, lib, "add", ".")
	git(t, lib, "-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", "m")
	dir := repository(t)
	git(t, dir, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", lib, "sub")
	write(t, dir+"/sub/.envrc", "x\n")
	want := map[string]sandbox.Access{"sub/devenv.nix": sandbox.ReadWrite, "sub/.envrc": sandbox.ReadOnly, "sub/.git": sandbox.ReadOnly, ".git/modules/sub/config": sandbox.ReadOnly}
	wantAccess(t, nestedJail(t, dir, nil, "sub"), dir, want)

	bare, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	git(t, bare, "clone", "-q", lib, "sub")
	wantAccess(t, nestedJail(t, bare, nil, "sub"), bare, map[string]sandbox.Access{"sub/devenv.nix": sandbox.ReadOnly})
}
