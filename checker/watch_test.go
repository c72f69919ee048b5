package checker_test

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // git's checksum of an index
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// projectJail resolves a jail in which dir is writable.
func projectJail(t *testing.T, dir string) *checker.Jail {
	t.Helper()
	j, err := resolve(t, dir, "--bind", "DIR", "DIR")
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	return dir
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	c := exec.Command("git", args...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func access(t *testing.T, j *checker.Jail, file string) sandbox.Access {
	t.Helper()
	real, err := filepath.EvalSymlinks(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	return j.Tree.Widest(filepath.Join(real, filepath.Base(file))).Access
}

func TestTrackedFilesStayWritable(t *testing.T) {
	dir := repository(t)
	write(t, dir+"/devenv.nix", "{ }\n")
	write(t, dir+"/.envrc", "use devenv\n")
	git(t, dir, "add", "devenv.nix")
	j := projectJail(t, dir)
	if got := access(t, j, dir+"/devenv.nix"); got != sandbox.ReadWrite {
		t.Errorf("devenv.nix, which git tracks, is %s", got)
	}
	if got := access(t, j, dir+"/.envrc"); got != sandbox.ReadOnly {
		t.Errorf(".envrc, which git does not track, is %s", got)
	}
}

// An agent can write any index. One that claims to track .git/hooks must not
// open them.
func TestForgedIndexDoesNotOpenHooks(t *testing.T) {
	dir := repository(t)
	write(t, dir+"/xgit/hooks/pre-commit", "#!/bin/sh\n")
	git(t, dir, "add", "xgit")
	file := dir + "/.git/index"
	index, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	body := bytes.ReplaceAll(index[:len(index)-sha1.Size], []byte("xgit/hooks"), []byte(".git/hooks"))
	sum := sha1.Sum(body) //nolint:gosec // as above
	if err := os.WriteFile(file, append(body, sum[:]...), 0o600); err != nil {
		t.Fatal(err)
	}
	j := projectJail(t, dir)
	for _, p := range []string{"/.git/hooks", "/.git/config"} {
		if got := access(t, j, dir+p); got != sandbox.ReadOnly {
			t.Errorf("%s is %s", p, got)
		}
	}
	if got := access(t, j, dir+"/.git/hooks/pre-commit"); got.Writes() {
		t.Errorf("a new hook is %s", got)
	}
}

// resolve makes a jail of options in a project, which stands for DIR in them.
func resolve(t *testing.T, dir string, options ...string) (*checker.Jail, error) {
	t.Helper()
	fs := host.NewFS()
	facts, err := host.Gather(fs, dir)
	if err != nil {
		t.Fatal(err)
	}
	words := []string{"--ro-bind", "/usr", "/usr"}
	for _, o := range options {
		words = append(words, strings.ReplaceAll(o, "DIR", facts.ProjectRoot))
	}
	s, err := sandbox.ParseArgv(append(words, "--unshare-user", "--", "/usr/bin/true"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return checker.Resolve(checker.Request{Name: "test", Phase: checker.Launch, Sandbox: s, FS: fs, Facts: facts, Config: config.Default(), Cwd: dir})
}

// What the jail makes read-only or hides itself must not be moved aside either.
func TestOwnMountsArePinned(t *testing.T) {
	dir := repository(t)
	write(t, dir+"/deploy/prod/run.sh", "true\n")
	write(t, dir+"/conf/secrets/key", "secret\n")
	j, err := resolve(t, dir, "--bind", "DIR", "DIR", "--ro-bind", "DIR/deploy/prod/run.sh", "DIR/deploy/prod/run.sh", "--tmpfs", "DIR/conf/secrets")
	if err != nil {
		t.Fatal(err)
	}
	if got := access(t, j, dir+"/deploy/prod/run.sh"); got != sandbox.ReadOnly {
		t.Errorf("the script is %s", got)
	}
	if got := access(t, j, dir+"/conf/secrets/key"); got != sandbox.None {
		t.Errorf("the hidden secret is %s", got)
	}
	if got := access(t, j, dir+"/deploy/other"); got != sandbox.ReadWrite {
		t.Errorf("beside the script: %s", got)
	}
}

// A directory that the host shows under two names is pinned by the one that the
// jail binds.
func TestProtectionThroughAnAlias(t *testing.T) {
	dir := repository(t)
	j, err := resolve(t, dir, "--bind", "DIR", "/elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	if got := access(t, j, dir+"/.git/hooks"); got != sandbox.ReadOnly {
		t.Errorf(".git/hooks is %s", got)
	}
}

// One file that git tracks does not open the rest of its directory.
func TestPartlyTrackedDirectory(t *testing.T) {
	dir := repository(t)
	write(t, dir+"/.husky/pre-commit", "true\n")
	write(t, dir+"/.husky/_/pre-commit", "true\n")
	git(t, dir, "add", ".husky/pre-commit")
	j := projectJail(t, dir)
	if got := access(t, j, dir+"/.husky/_/pre-commit"); got != sandbox.ReadOnly {
		t.Errorf("the untracked hook is %s", got)
	}
	if got := access(t, j, dir+"/.husky/pre-commit"); got != sandbox.ReadWrite {
		t.Errorf("the tracked hook is %s", got)
	}
}

// forge has the index in dir call what it holds below from by another name, to.
func forge(t *testing.T, dir, from, to string) {
	t.Helper()
	file := dir + "/.git/index"
	index, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	body := bytes.ReplaceAll(index[:len(index)-sha1.Size], []byte(from), []byte(to))
	sum := sha1.Sum(body) //nolint:gosec // as above
	if err := os.WriteFile(file, append(body, sum[:]...), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Nor must one that claims to track what git obeys in a repository that it knows to lie
// within the project.
func TestForgedIndexDoesNotOpenRepositoriesWithin(t *testing.T) {
	dir := repository(t)
	git(t, dir, "init", "-q", "lib")
	git(t, dir+"/lib", "-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "--allow-empty", "-m", "m")
	write(t, dir+"/lib/.git/hooks/pre-commit", "#!/bin/sh\n")
	git(t, dir, "add", "lib")
	write(t, dir+"/lic/xgit/hooks/pre-commit", "#!/bin/sh\n")
	write(t, dir+"/lic/xgit/config", "")
	git(t, dir, "add", "lic")
	forge(t, dir, "lic/xgit", "lib/.git")
	j := projectJail(t, dir)
	for _, p := range []string{"/lib/.git/hooks", "/lib/.git/hooks/pre-commit", "/lib/.git/config"} {
		if got := access(t, j, dir+p); got != sandbox.ReadOnly {
			t.Errorf("%s is %s", p, got)
		}
	}
}
