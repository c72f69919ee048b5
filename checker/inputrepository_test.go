package checker_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker"
)

// initGit makes a repository; words are git init's.
func initGit(t *testing.T, words ...string) {
	t.Helper()
	c := exec.Command("git", append([]string{"init", "-q"}, words...)...)
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func makeDirs(t *testing.T, dirs ...string) {
	t.Helper()
	for _, d := range dirs {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// repositories of all mounts that were asked for.
func repositories(in *checker.Input) []string {
	all := []string{}
	for _, m := range asked(in) {
		all = append(all, m.Repositories...)
	}
	slices.Sort(all)
	return slices.Compact(all) // a pinned .git is a mount of its own
}

// A repository beside the project is found where git would obey what the jail
// writes, and nowhere else.
func TestInputRepositories(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	src, app, lib, bare, linked, plain, kept := dir+"/src", dir+"/src/app", dir+"/src/lib", dir+"/src/store.git", dir+"/src/linked", dir+"/src/plain", dir+"/.local/home"
	makeDirs(t, app, lib, linked, plain)
	initGit(t, app)
	initGit(t, lib)
	initGit(t, kept+"/clone")
	initGit(t, "--bare", bare)
	if err := os.WriteFile(linked+"/.git", []byte("gitdir: ../lib/.git\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	protected := []string{"--bind", lib + "/.git", lib + "/.git", "--ro-bind", lib + "/.git/config", lib + "/.git/config", "--ro-bind", lib + "/.git/hooks", lib + "/.git/hooks"}
	for name, tc := range map[string]struct {
		options []string
		want    []string
	}{
		"the project":      {[]string{"--bind", app, app}, nil},
		"its git folder":   {[]string{"--bind", app + "/.git", "/git"}, nil},
		"another":          {[]string{"--bind", app, app, "--bind", lib, "/lib"}, []string{lib}},
		"another's":        {[]string{"--bind", lib + "/.git", "/git"}, []string{lib}},
		"read-only":        {[]string{"--bind", app, app, "--ro-bind", lib, "/lib"}, nil},
		"protected":        {append([]string{"--bind", lib, lib}, protected...), nil},
		"hooks alone":      {append([]string{"--bind", lib, lib}, protected[:6]...), []string{lib}},
		"bare":             {[]string{"--bind", bare, bare}, []string{bare}},
		"a work tree":      {[]string{"--bind", linked, linked}, []string{linked}},
		"no repository":    {[]string{"--bind", plain, plain}, nil},
		"the folder above": {[]string{"--bind", src, src}, []string{lib, linked, bare}},
		"hidden":           {[]string{"--bind", src, src, "--tmpfs", lib, "--tmpfs", linked, "--tmpfs", bare}, nil},
		"a kept home":      {[]string{"--bind", kept, "/home/me"}, nil},
		"a clone in it":    {[]string{"--bind", kept + "/clone", "/clone"}, []string{kept + "/clone"}},
		"absent":           {[]string{"--bind-try", dir + "/none", "/none"}, nil},
		"a file":           {[]string{"--bind", linked + "/.git", "/file"}, nil},
	} {
		if diff := cmp.Diff(append([]string{}, tc.want...), repositories(input(t, app, tc.options...))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for i := range 600 { // a cache: its folders are not looked at, itself is
		makeDirs(t, fmt.Sprintf("%s/many/%d", dir, i))
	}
	makeDirs(t, dir+"/many/.git/hooks", dir+"/many/1/.git/hooks")
	if diff := cmp.Diff([]string{dir + "/many"}, repositories(input(t, app, "--bind", dir+"/many", "/many"))); diff != "" {
		t.Error(diff)
	}
}

// A socket that is not there yet is one that the jail will reach, if the folder
// in which it will be made is in the jail.
func TestInputSocketsThatAppear(t *testing.T) {
	dir := t.TempDir()
	path := ""
	for _, p := range []string{"/run/crio/crio.sock", "/run/incus/unix.socket", "/run/podman/podman.sock"} {
		if _, err := os.Lstat(filepath.Dir(p)); err != nil {
			path = p
		}
	}
	if path == "" {
		t.Fatal("crio, incus and podman have all run here: remove one's folder in /run")
	}
	rest := strings.TrimPrefix(path, "/run")
	for name, tc := range map[string]struct {
		options           []string
		access, how, seen string
	}{
		"the folder above": {[]string{"--ro-bind", "/run", "/host"}, "ro", "appear", "/host" + rest},
		"the root":         {[]string{"--ro-bind", "/", "/host"}, "ro", "appear", "/host/run" + rest},
		"a folder beside":  {[]string{"--ro-bind", "/usr", "/usr"}, "none", "", ""},
		"hidden":           {[]string{"--ro-bind", "/", "/host", "--tmpfs", "/host/run"}, "none", "", ""},
	} {
		in := input(t, dir, tc.options...)
		i := slices.IndexFunc(in.Watched, func(w checker.InputWatch) bool { return w.Path == path })
		if i < 0 {
			t.Fatalf("%s is not watched", path)
		}
		if w := in.Watched[i]; w.Access != tc.access || w.How != tc.how || w.Inside != tc.seen || (w.Via != nil) != (tc.how != "") {
			t.Errorf("%s: %+v", name, w)
		}
	}
}
