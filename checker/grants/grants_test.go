package grants_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/grants"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// world is a small host: "@" stands for its folder in options, and @/p is the
// project, a repository with files that ocjail protects.
type world struct {
	dir    string
	config *config.Config
	facts  host.Facts
	fs     *host.FS
	files  []string

	environ []string // the caller's
}

// descriptor: 20 to 23 are files, 24 and all others a pipe.
func (w *world) descriptor(n int) (string, error) {
	if file, ok := map[int]string{20: "/q/secret/key", 21: "/p/src/main.go", 22: "/u/fifo", 23: "/q/gone"}[n]; ok {
		return w.dir + file, nil
	}
	return "", fmt.Errorf("descriptor %d is a pipe", n)
}

var folders = []string{"p/.git/hooks", "p/src/deep/er", "p/data", "q/a/b", "q/secret", "r", "u", "work"}

func newWorld(t testing.TB) *world {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	check(t, err)
	return worldIn(t, dir)
}

func worldIn(t testing.TB, dir string) *world {
	t.Helper()
	w := &world{dir: dir, config: config.Default(), fs: host.NewFS()}
	for _, d := range folders {
		check(t, os.MkdirAll(filepath.Join(dir, d), 0o755))
	}
	for _, f := range []string{"p/.envrc", "p/.git/hooks/pre-commit", "p/src/main.go", "p/src/deep/er/x", "q/a/b/f", "q/secret/key", "r/f", "u/f"} {
		check(t, os.WriteFile(filepath.Join(dir, f), nil, 0o644))
	}
	git := exec.Command("git", "init", "-q", filepath.Join(dir, "p"))
	if out, err := git.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	check(t, os.Symlink("../q", filepath.Join(dir, "p/link")))
	var err error
	w.facts, err = host.Gather(w.fs, filepath.Join(dir, "p"))
	check(t, err)
	check(t, filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		w.files = append(w.files, p)
		if d.IsDir() {
			w.files = append(w.files, filepath.Join(p, "new"))
		}
		return err
	}))
	return w
}

func check(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// resolve makes a jail of options.
func (w *world) resolve(words ...string) (*checker.Jail, error) {
	for i := range words {
		words[i] = strings.ReplaceAll(words[i], "@", w.dir)
	}
	s, err := sandbox.ParseArgv(append(words, "--", "/usr/bin/true"), nil)
	if err != nil {
		return nil, err
	}
	return checker.Resolve(checker.Request{
		Name: "test", Phase: checker.Launch, Sandbox: s, FS: w.fs, Facts: w.facts, Config: w.config, Cwd: w.facts.ProjectRoot,
		Filters: map[int][]byte{9: []byte("nine"), 10: []byte("ten")},
		Environ: w.environ, Descriptor: w.descriptor,
	})
}

func (w *world) of(t testing.TB, words string) *grants.Grants {
	t.Helper()
	j, err := w.resolve(strings.Fields(words)...)
	if err != nil {
		t.Fatalf("%s: %v", words, err)
	}
	return grants.Of(j)
}

// lines are a difference's, in short.
func lines(d grants.Difference) []string {
	list := []string{}
	for n, items := range [][]grants.Item{d.Wider, d.Narrower} {
		sign := "+-"[n : n+1]
		for _, i := range items {
			list = append(list, strings.Join(strings.Fields(fmt.Sprint(sign, " ", i.Kind, " ", i.Access, " ", i.Name)), " "))
		}
	}
	return list
}

const closed = "--unshare-all --unshare-user --unshare-cgroup --disable-userns --new-session --clearenv "

func TestCompare(t *testing.T) {
	w := newWorld(t)
	q := w.dir + "/q"
	for _, c := range []struct {
		name, a, b string
		want       []string // of b's items, "+"; a's, "-"
	}{
		{"the same", "--bind @/q /q", "--bind @/q /q", nil},
		{"order and place do not matter", "--bind @/q /q --ro-bind @/r /r", "--ro-bind @/r /x --bind @/q /y", nil},
		{"read-only is covered by writable", "--bind @/q /q", "--ro-bind @/q /q", []string{"- path rw " + q}},
		{"writable is not covered by read-only", "--ro-bind @/q /q", "--bind @/q /q", []string{"+ path rw " + q}},
		{"below is covered", "--ro-bind @/q /q", "--ro-bind @/q/a /a", []string{"- path ro " + q}},
		{"above is not", "--ro-bind @/q/a /a", "--ro-bind @/q /q", []string{"+ path ro " + q}},
		{"what hides is missing", "--bind @/q /q --tmpfs /q/secret", "--bind @/q /q", []string{"+ path rw " + q + "/secret"}},
		{"what makes read-only is missing", "--bind @/p /p --ro-bind @/p/src/deep /p/src/deep", "--bind @/p /p", []string{"+ path rw {project}/src/deep"}},
		{"what hides is another host folder", "--bind @/q /q --bind @/r /r --tmpfs /q/a/b", "--bind @/q /q --bind @/r /r --bind @/r /q/a/b", []string{"+ path rw " + q + "/a/b"}},
		{"through a link", "--ro-bind @/q /q", "--ro-bind @/p/link /q", nil},
		{"one by one or whole", "--ro-bind @/q/a /q/a --ro-bind @/q/secret /q/secret", "--ro-bind @/q /q", []string{"+ path ro " + q}},
		{"order decides", "--ro-bind @/q/a /q/a --bind @/q /q", "--bind @/q /q --ro-bind @/q/a /q/a", []string{"- path rw " + q + "/a"}},
		{"devices", "--bind @/q /q", "--dev-bind @/q /q", []string{"+ path dev " + q}},
		{"devices, though read-only", "--dev-bind @/q /q --remount-ro /q", "--dev-bind @/q /q", []string{"+ path dev " + q}},
		{"an overlay of something else", "--overlay-src @/q --tmp-overlay /o --tmpfs /o/secret", "--overlay-src @/q --tmp-overlay /o",
			[]string{"+ overlay layers " + q, "- overlay layers " + q + " under /secret"}},
		{"network", "", "--share-net", []string{"+ network"}},
		{"capabilities", "--cap-add ALL --cap-drop CAP_SYS_ADMIN", "--cap-add ALL", []string{"+ capability CAP_SYS_ADMIN"}},
		{"capabilities, one", "--cap-add ALL", "--cap-add CAP_NET_RAW", []string{"- capability ALL"}},
		{"variables", "--setenv A x", "--setenv B x --setenv TERM x --setenv LC_ALL x", []string{"+ environment B", "- environment A"}},
		{"filters", "--seccomp 9", "", []string{"+ filter", "x"}},
		{"labels", "--exec-label a", "--exec-label b", []string{"x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := lines(grants.Compare(w.of(t, closed+c.a), w.of(t, closed+c.b)))
			if len(c.want) > 0 && c.want[len(c.want)-1] == "x" {
				if len(got) == 0 {
					t.Error("nothing differs")
				}
				return
			}
			if diff := cmp.Diff(append([]string{}, c.want...), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What comes as data was read on the host all the same.
func TestDataIsRead(t *testing.T) {
	w := newWorld(t)
	check(t, syscall.Mkfifo(w.dir+"/u/fifo", 0o600))
	key := "+ path ro " + w.dir + "/q/secret/key"
	for _, c := range []struct{ name, before, more, want string }{
		{"--file", "", "--file 20 /x", key},
		{"--bind-data", "", "--bind-data 20 /x", key},
		{"--ro-bind-data", "", "--ro-bind-data 20 /x", key},
		{"what a mount hides", "--bind @/q /q --tmpfs /q/secret", "--file 20 /x", key},
		{"a file that can not be looked at", "", "--file 23 /x", "+ path ro " + w.dir + "/q/gone"},
		{"another file than before", "--file 21 /y", "--file 20 /x", key},
		{"what the jail reads anyway", "--ro-bind @/q /q", "--file 20 /x", ""},
		{"what the jail writes anyway", "--bind @/p /p", "--ro-bind-data 21 /x", ""},
		{"a named pipe", "", "--file 22 /x", ""},
		{"a pipe", "", "--file 24 /x", ""},
	} {
		got := strings.Join(lines(grants.Compare(w.of(t, closed+c.before), w.of(t, closed+c.before+" "+c.more))), ", ")
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// A variable is passed by whatever name the jail gets it.
func TestRenamedVariableIsPassed(t *testing.T) {
	w := newWorld(t)
	w.environ = []string{
		"GITHUB_TOKEN=ghp_0123456789", "SHLVL=1", "OLDPWD=" + w.dir, "EDITOR=code --wait", "GIT_EDITOR=code --wait", "TERM=xterm-256color", "AWS_SECRET=/slash+first", "EMPTY=",
	}
	token := "+ environment GITHUB_TOKEN"
	for _, c := range []struct{ name, value, want string }{
		{"EDITOR", "ghp_0123456789", token},
		{"LC_ALL", "ghp_0123456789", token},
		{"LC_X", "x", "+ environment LC_X"},
		{"LC_X", "ghp_0123456789", token + ", + environment LC_X"},
		{"GITHUB_TOKEN", "ghp_0123456789", token},
		{"PAGER", "/slash+first", "+ environment AWS_SECRET"},
		{"EDITOR", "code --wait", "+ environment GIT_EDITOR"},
		{"GIT_EDITOR", "code --wait", "+ environment GIT_EDITOR"},
		{"TERM", "xterm-256color", ""},
		{"VISUAL", "", ""},
		{"LINES", "1", ""},
		{"HOME", w.dir, ""},
		{"EDITOR", "ghp_of_somebody_else", ""},
	} {
		j, err := w.resolve(append(strings.Fields(closed), "--setenv", c.name, c.value)...)
		check(t, err)
		if got := strings.Join(lines(grants.Compare(w.of(t, closed), grants.Of(j))), ", "); got != c.want {
			t.Errorf("%s=%s: %q, want %q", c.name, c.value, got, c.want)
		}
	}
	j, err := w.resolve(append(strings.Fields(closed), "--setenv", "EDITOR", "ghp_0123456789", "--setenv", "EDITOR", "vi")...)
	check(t, err)
	if d := grants.Compare(w.of(t, closed), grants.Of(j)); !d.Same() {
		t.Errorf("set anew: %q", lines(d))
	}
}

func TestOpenness(t *testing.T) {
	w := newWorld(t)
	for option, want := range map[string]string{
		"--unshare-pid": "namespace pid", "--unshare-ipc": "namespace ipc", "--unshare-uts": "namespace uts", "--unshare-cgroup": "namespace cgroup",
		"--unshare-net": "network", "--new-session": "terminal", "--disable-userns": "user-namespaces", "--clearenv": "environment *",
	} {
		all := "--unshare-user --unshare-pid --unshare-ipc --unshare-uts --unshare-cgroup --unshare-net --new-session --disable-userns --clearenv "
		d := grants.Compare(w.of(t, all), w.of(t, strings.Replace(all, option+" ", "", 1)))
		if got := lines(d); len(got) != 1 || got[0] != "+ "+want {
			t.Errorf("without %s: %q", option, got)
		}
	}
	d := grants.Compare(w.of(t, "--unsetenv SECRET"), w.of(t, ""))
	if got := lines(d); len(got) != 1 || got[0] != "+ environment SECRET" {
		t.Errorf("without --unsetenv: %q", got)
	}
	if d := grants.Compare(nil, w.of(t, closed)); len(lines(d)) != 0 {
		t.Errorf("a jail that grants nothing: %q", lines(d))
	}
}

// What ocjail protects comes and goes with the files.
func TestProtectionIsNoGrant(t *testing.T) {
	w := newWorld(t)
	before := w.of(t, "--bind @/p /p")
	check(t, os.Remove(w.dir+"/p/.envrc"))
	check(t, os.Mkdir(w.dir+"/p/.vscode", 0o755))
	w.fs = host.NewFS()
	if d := grants.Compare(before, w.of(t, "--bind @/p /p")); !d.Same() {
		t.Errorf("%q", lines(d))
	}
	if n := len(before.Paths); n != 1 {
		t.Errorf("%+v", before.Paths)
	}
}

// bits is what the model says that h is in the end, by whatever name. That ocjail
// binds folders onto themselves without their devices, to keep them in place, is
// nothing that a jail asked for.
func bits(j *checker.Jail, h string) (a grants.Access) {
	for _, way := range j.Tree.HostAccess(h) {
		if way.How == sandbox.ByBelow || way.Access == sandbox.None {
			continue
		}
		a |= grants.Read
		if way.Access.Writes() {
			a |= grants.Write
		}
		m := way.Mount
		for m.Option >= 0 && j.Sandbox.Options[m.Option].Added != "" {
			m = m.Parent()
		}
		if m.Devices && way.Exists { // new devices are made by nobody without CAP_MKNOD
			a |= grants.Device
		}
	}
	return a
}

// randomJail makes options of a few mounts that nest, collide and hide each other.
func randomJail(r *rand.Rand, more ...string) []string {
	sources := append([]string{"@/p", "@/p", "@/p/src", "@/p/src/deep", "@/p/.git", "@/p/.envrc", "@/q", "@/q/a", "@/q/a/b", "@/q/secret", "@/r", "@/p/link", "@"}, more...)
	dests := []string{"@", "@/p", "@/p/src", "@/p/src/deep", "@/p/src/deep/er", "@/p/.git", "@/p/.git/hooks", "@/p/data", "@/q", "@/q/a", "@/q/a/b", "@/q/secret", "/x", "/x/a", "/x/src/deep"}
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	words := []string{"--unshare-pid"}
	for range 1 + r.IntN(5) {
		switch n := r.IntN(20); {
		case n < 12:
			source := pick(sources)
			dest := source
			if r.IntN(2) == 0 {
				dest = pick(dests)
			}
			words = append(words, pick([]string{"--bind", "--bind", "--ro-bind", "--ro-bind", "--dev-bind", "--bind-try"}), source, dest)
		case n < 16:
			words = append(words, "--tmpfs", pick(dests))
		case n < 18:
			words = append(words, "--remount-ro", pick(dests))
		case n < 19:
			words = append(words, "--overlay-src", pick([]string{"@/q", "@/r"}), "--tmp-overlay", pick(dests))
		default:
			words = append(words, "--overlay-src", "@/r", "--overlay", "@/u", "@/work", pick(dests))
		}
	}
	return words
}

// TestNotWiderIsNotWider holds the comparison against the model: where it says
// that one jail is not wider than another, no path is more open in it.
func TestNotWiderIsNotWider(t *testing.T) { notWider(t, newWorld(t)) }

// The same, where the host shows a folder under two names: with each of them, what
// the other hides may be reached.
func TestNotWiderByAlias(t *testing.T) {
	if dir := os.Getenv("OCJAIL_TEST_ALIASED"); dir != "" {
		w := worldIn(t, dir)
		j, err := w.resolve("--bind", "@/alias", "/x")
		check(t, err)
		if bits(j, dir+"/q/secret/key") == grants.None {
			t.Fatal("there is no alias")
		}
		notWider(t, w, "@/alias", "@/alias", "@/alias/a", "@/alias/secret")
		return
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	check(t, err)
	self, err := os.Executable()
	check(t, err, os.MkdirAll(filepath.Join(dir, "q"), 0o755), os.Mkdir(filepath.Join(dir, "alias"), 0o755))
	c := exec.Command("bwrap", "--dev-bind", "/", "/", "--bind", dir+"/q", dir+"/alias", "--", self, "-test.run", "^"+t.Name()+"$", "-test.v")
	c.Env = append(os.Environ(), "OCJAIL_TEST_ALIASED="+dir)
	if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "pairs not wider") {
		t.Errorf("%v\n%s", err, out)
	}
}

func notWider(t *testing.T, w *world, more ...string) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("OCJAIL_TEST_SEED"); s != "" {
		var err error
		seed, err = strconv.ParseUint(s, 10, 64)
		check(t, err)
	}
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // to be repeated
	w.config.Protect.Pack = false       // what ocjail protects differs with the jail, and is no grant
	type jail struct {
		*checker.Jail
		grants *grants.Grants
		words  []string
	}
	var jails []jail
	for len(jails) < 60 {
		words := randomJail(r, more...)
		j, err := w.resolve(append([]string{}, words...)...)
		if err != nil { // bwrap would fail too, or leave something on the host
			continue
		}
		jails = append(jails, jail{j, grants.Of(j), words})
	}
	narrower, spurious := 0, 0
	for i, a := range jails {
		for k, b := range jails {
			d := grants.Compare(a.grants, b.grants)
			if i == k && !d.Same() {
				t.Errorf("seed %d: %q differs from itself: %q", seed, a.words, lines(d))
			}
			opened := ""
			for _, h := range w.files {
				if bits(b.Jail, h)&^bits(a.Jail, h) != 0 {
					opened = h
					break
				}
			}
			switch wider := len(d.Wider) > 0; {
			case !wider && opened != "":
				t.Fatalf("seed %d: %q is said to be no wider than %q, but %s is %s instead of %s",
					seed, b.words, a.words, opened, bits(b.Jail, opened), bits(a.Jail, opened))
			case !wider && i != k:
				narrower++
			case wider && opened == "":
				spurious++
			}
		}
	}
	t.Logf("%d pairs not wider, %d said to be wider by more than the model's paths show", narrower, spurious)
	if narrower < 50 {
		t.Errorf("seed %d: only %d pairs were not wider: the jails are too different to say much", seed, narrower)
	}
}
