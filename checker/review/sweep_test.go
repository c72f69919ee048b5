package review

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/host"
)

// folder is a project without a jail: what a session does, the tests do.
type folder struct {
	t    *testing.T
	dir  string
	plan Plan
}

func newFolder(t *testing.T, roots ...string) *folder {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	check(t, err)
	f := &folder{t, dir, Plan{Project: dir, Areas: []string{dir}}}
	for _, r := range roots {
		f.plan.Roots = append(f.plan.Roots, Root{Path: filepath.Join(dir, r), Reason: "a test"})
	}
	return f
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, name) }

func (f *folder) write(name, text string) {
	f.t.Helper()
	check(f.t, os.MkdirAll(filepath.Dir(f.path(name)), 0o755))
	check(f.t, os.WriteFile(f.path(name), []byte(text), 0o644))
}

func (f *folder) git(args ...string) {
	f.t.Helper()
	c := exec.Command("git", args...)
	c.Dir, c.Env = f.dir, []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1"}
	if out, err := c.CombinedOutput(); err != nil {
		f.t.Fatalf("git %v: %v: %s", args, err, out)
	}
}

func (f *folder) repository() {
	f.git("init", "-q", "-b", "main")
	g, err := host.NewFS().FindGit(f.dir)
	check(f.t, err)
	f.plan.Git = g
}

func (f *folder) take(known ...string) *record {
	f.t.Helper()
	r, err := take(f.plan, known)
	check(f.t, err)
	return r
}

// changed returns "what path" of each change.
func (f *folder) changed(r *record) []string {
	f.t.Helper()
	changes, _, err := r.sweep()
	check(f.t, err)
	var list []string
	for _, c := range changes {
		list = append(list, fmt.Sprintf("%s %s", c.What, strings.TrimPrefix(c.Path, f.dir+"/")))
	}
	return list
}

func (f *folder) want(r *record, want ...string) {
	f.t.Helper()
	if got := f.changed(r); !slices.Equal(got, want) {
		f.t.Errorf("changed: %q, want %q", got, want)
	}
}

// Whatever lies at a watched path, looking at it neither waits nor follows.
func TestKindsOfFiles(t *testing.T) {
	kinds := map[string]func(path string) error{
		"fifo":    func(p string) error { return unix.Mkfifo(p, 0o644) },
		"link":    func(p string) error { return os.Symlink("/etc/passwd", p) },
		"loop":    func(p string) error { return os.Symlink(filepath.Base(p), p) },
		"dir":     func(p string) error { return os.Mkdir(p, 0o755) },
		"socket":  func(p string) error { return unix.Mknod(p, unix.S_IFSOCK|0o644, 0) },
		"file":    func(p string) error { return os.WriteFile(p, []byte("x"), 0o644) },
		"program": func(p string) error { return os.WriteFile(p, []byte("x"), 0o755) },
		"large":   func(p string) error { return os.WriteFile(p, make([]byte, maxContent+1), 0o644) },
		"sparse":  func(p string) error { return os.Truncate(p, 1<<40) },
	}
	for from, a := range kinds {
		for to, b := range kinds {
			f := newFolder(t, "x")
			make := func(kind func(string) error, name string) {
				if name == "sparse" {
					check(t, os.WriteFile(f.path("x"), nil, 0o644))
				}
				check(t, kind(f.path("x")))
			}
			make(a, from)
			r := f.take()
			f.want(r)
			check(t, os.RemoveAll(f.path("x")))
			if from == "dir" {
				f.want(r) // an empty folder less
			} else {
				f.want(r, "removed x")
			}
			make(b, to)
			// An equal file made anew is the same but where only its inode could tell.
			if from == to && from != "large" && from != "sparse" {
				f.want(r)
			} else {
				f.want(r, "changed x")
			}
		}
	}
}

func TestTimesAloneAreNoChange(t *testing.T) {
	f := newFolder(t, "x", "sub/y")
	f.write("x", "same")
	r := f.take()
	check(t, os.Chtimes(f.path("x"), time.Now(), time.Now()))
	check(t, os.Chmod(f.path("x"), 0o600))
	f.want(r)
	check(t, os.Chmod(f.path("x"), 0o700))
	f.want(r, "changed x")
	check(t, os.Chmod(f.path("x"), 0o600))

	// A folder above that becomes a link leads elsewhere.
	f.write("other/y", "evil")
	check(t, os.Symlink("other", f.path("sub")))
	f.want(r, "new sub/y")
}

// What is read-only in the jail changes by the user's hand only, unless another
// file takes its place, which ends the mount.
func TestHeld(t *testing.T) {
	f := newFolder(t, "x", "dir")
	f.plan.Roots[0].Held, f.plan.Roots[1].Held = true, true
	f.write("x", "one")
	f.write("dir/y", "one")
	r := f.take()
	f.write("x", "two")
	f.write("dir/y", "two")
	f.write("dir/z", "two")
	f.want(r)
	f.write("new", "three")
	check(t, os.Rename(f.path("new"), f.path("x")))
	check(t, os.Rename(f.path("dir"), f.path("old")))
	f.write("dir/y", "three")
	f.want(r, "changed dir/y", "changed x")
}

// A folder of many files is judged by their times.
func TestLargeFolder(t *testing.T) {
	f := newFolder(t, "lib", "small")
	for i := range maxFolder + 10 {
		f.write(fmt.Sprintf("lib/%d/file", i), "x")
	}
	f.write("small/a", "x")
	time.Sleep(200 * time.Millisecond)
	r := f.take()
	if e := r.Entries[f.path("lib")]; !e.Large {
		t.Fatalf("%+v", e)
	}
	f.want(r)
	f.write("lib/7/file", "evil")
	check(t, os.Rename(f.path("lib/8/file"), f.path("lib/8/moved")))
	f.want(r, "many lib")
	if changes, _, err := r.sweep(); err != nil || changes[0].Count != 2 {
		t.Errorf("%+v, %v", changes, err)
	}
	for i := range maxFolder + 10 {
		f.write(fmt.Sprintf("small/%d", i), "evil")
	}
	check(t, os.Remove(f.path("small/a")))
	f.want(r, "many lib", "many small", "removed small/a")
	// Set clocks do not hide it.
	r.Started.Wall += int64(time.Hour)
	f.want(r, "many lib", "many small", "removed small/a")
}

// Nothing hides behind a crowd.
func TestCrowds(t *testing.T) {
	f := newFolder(t)
	f.repository()
	f.git("init", "-q", "lib")
	r := f.take(f.take().Repositories...)
	for i := range maxFolder + 10 {
		f.write(fmt.Sprintf("lib/.git/hooks/x%d", i), "x")
	}
	f.want(r, "many lib/.git/hooks")
	for i := range maxGitDirs + 10 {
		check(t, os.MkdirAll(f.path(fmt.Sprintf(".git/modules/%d", i)), 0o755))
	}
	f.want(r, "many .git/modules", "many lib/.git/hooks")
	if _, err := take(f.plan, nil); err == nil || !strings.Contains(err.Error(), ".git/modules holds more") {
		t.Errorf("%v", err)
	}
	check(t, os.RemoveAll(f.path(".git/modules")))
	deep := f.path(".git/modules/" + strings.Repeat("d/", maxGitDepth+3))
	check(t, os.MkdirAll(deep, 0o755))
	if got := f.changed(r); len(got) != 2 || !strings.HasPrefix(got[0], "many .git/modules/d/") {
		t.Errorf("%q", got)
	}
}

func TestPatternsOfMuch(t *testing.T) {
	f := newFolder(t)
	f.plan.Patterns = []Pattern{{Glob: "gen/*.sh"}, {Glob: "lit"}}
	f.write("lit/x", "x")
	r := f.take()
	for i := range maxMatches + 10 {
		f.write(fmt.Sprintf("gen/%d.sh", i), "x")
		f.write(fmt.Sprintf("lit/%d", i), "x")
	}
	if got := f.changed(r); !slices.Contains(got, "many gen") || !slices.Contains(got, "many lit") {
		t.Errorf("%q", got)
	}
	if _, err := take(f.plan, nil); err == nil || !strings.Contains(err.Error(), "holds more") {
		t.Errorf("%v", err)
	}
}

// A repository that the user made between two sessions is the user's own, until
// something in it changes.
func TestRepositoriesOfTheUser(t *testing.T) {
	f := newFolder(t)
	f.repository()
	before := f.take().Repositories
	f.git("init", "-q", "mine")
	f.git("init", "-q", "--bare", "bare.git")
	f.git("-C", "mine", "config", "core.pager", "less")
	time.Sleep(200 * time.Millisecond)
	r := f.take(before...)
	f.want(r)
	f.git("-C", "bare.git", "config", "core.pager", "evil")
	f.write("mine/.git/hooks/post-checkout", "evil")
	f.want(r, "repository bare.git", "repository mine/.git")
	r.Started.Boot = "another" // nobody knows what was before
	f.git("init", "-q", "more")
	f.want(r, "repository bare.git", "repository mine/.git", "repository more/.git")
}

// A known repository that was removed and made anew is a new one; one that goes
// away is no change.
func TestRepositoryMadeAnew(t *testing.T) {
	f := newFolder(t)
	f.repository()
	f.git("init", "-q", "lib")
	known := f.take().Repositories
	r := f.take(known...)
	check(t, os.RemoveAll(f.path("lib")))
	f.want(r)
	r = f.take(known...)
	f.git("init", "-q", "lib")
	f.git("-C", "lib", "config", "core.fsmonitor", "evil")
	f.want(r, "repository lib/.git")
}

func TestHead(t *testing.T) {
	for text, valid := range map[string]bool{
		"ref: refs/heads/main\n": true, "ref:refs/heads/x": true, strings.Repeat("a", 40) + "\n": true, strings.Repeat("0", 64): true,
		"": false, "ref: heads/main": false, "nonsense\n": false, strings.Repeat("a", 39): false,
	} {
		f := newFolder(t)
		f.repository()
		r := f.take()
		f.write(".git/HEAD", text)
		want := []string{"changed .git/HEAD"}
		if valid {
			want = nil
		}
		f.want(r, want...)
	}
}

// A rebase that is left half-way is everyday work, unless it waits with a command.
func TestRebaseThatWaits(t *testing.T) {
	f := newFolder(t)
	f.repository()
	r := f.take()
	f.write(".git/rebase-merge/git-rebase-todo", "pick 0123abc one\n# x comment\n")
	f.want(r)
	f.write(".git/rebase-merge/git-rebase-todo", "pick 0123abc one\n  x touch evil\n")
	f.want(r, "new .git/rebase-merge/git-rebase-todo")
}

// Names of files and folders that nobody foresaw.
func TestStrangeNames(t *testing.T) {
	f := newFolder(t, "dir")
	f.write("dir/a\nb\x1b[2J", "x")
	r := f.take()
	f.write("dir/\xff\xfe", "x")
	f.write("x\n/.GIT/HEAD", "x")
	deep := f.dir
	for range 120 {
		deep = filepath.Join(deep, "ddd")
	}
	check(t, os.MkdirAll(deep, 0o755))
	f.write("dir/a\nb\x1b[2J", "y")
	if got := f.changed(r); len(got) != 3 {
		t.Errorf("%q", got)
	}
}

// What lies too deep for anybody to look is told.
func TestTooDeep(t *testing.T) {
	f := newFolder(t)
	r := f.take()
	fd, err := unix.Open(f.dir, unix.O_DIRECTORY, 0)
	check(t, err)
	for range maxScanDepth + 20 {
		check(t, unix.Mkdirat(fd, "d", 0o755))
		next, err := unix.Openat(fd, "d", unix.O_DIRECTORY, 0)
		check(t, err)
		unix.Close(fd)
		fd = next
	}
	unix.Close(fd)
	if got := f.changed(r); len(got) != 1 || !strings.HasPrefix(got[0], "many d/d/d") {
		t.Errorf("%q", got)
	}
}

func TestRuns(t *testing.T) {
	for text, want := range map[string][]string{
		"[core]\nbare = false\n[remote \"o\"]\nurl = x\nfetch = y\n[branch \"a.b\"]\nremote = o\nmerge = m\n": nil,
		"[core]\nfsmonitor = true\n":                    nil,
		"[core]\nfsmonitor = ./evil\n":                  {"core.fsmonitor = ./evil"},
		"[Alias]\nst = !evil\n":                         {"alias.st = !evil"},
		"[filter \"x\"]\nclean = evil\nsmudge = evil\n": {"filter.x.clean = evil", "filter.x.smudge = evil"},
		"[include]\npath = ../evil\n":                   {"include.path = ../evil"},
		"[remote \"o\"]\nuploadpack = evil\n":           {"remote.o.uploadpack = evil"},
		"[gc]\nrecentObjectsHook = evil\n":              {"gc.recentobjectshook = evil"},
		"[branch \"x\"]\nmergeoptions = -s evil\n":      {"branch.x.mergeoptions = -s evil"},
		"[core": {"what git cannot read, and stops at"},
		"[core]\nsshCommand = " + strings.Repeat("x", 300): {"core.sshcommand = " + strings.Repeat("x", 120) + "…"},
	} {
		if got := runs([]byte(text)); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// The scan that a session's end makes: 50,000 files.
func BenchmarkSweepOf50000(b *testing.B) {
	dir := b.TempDir()
	for i := range 5000 {
		d := fmt.Sprintf("%s/%d/%d", dir, i%50, i)
		check(b, os.MkdirAll(d, 0o755))
		for j := range 10 {
			check(b, os.WriteFile(fmt.Sprintf("%s/%d", d, j), nil, 0o644))
		}
	}
	r, err := take(Plan{Project: dir, Areas: []string{dir}}, nil)
	check(b, err)
	for b.Loop() {
		_, _, err := r.sweep()
		check(b, err)
	}
}

// Where a jail has all of the host, processes come and go while it is looked through.
func TestKernelsFolders(t *testing.T) {
	for _, dir := range []string{"/proc", "/sys"} {
		all, err := openAreas([]string{dir}, nil)
		check(t, err)
		found, deep, err := newLooker(all).scan()
		if err != nil || len(found)+len(deep) > 0 {
			t.Errorf("%s: %q, %q, %v", dir, found, deep, err)
		}
		all.close()
	}
	// /dev has kernel's folders and memory mounted in it.
	shm, err := os.MkdirTemp("/dev/shm", "ocjail")
	check(t, err)
	defer os.RemoveAll(shm)
	check(t, os.Mkdir(filepath.Join(shm, ".git"), 0o755))
	all, err := openAreas([]string{"/dev"}, nil)
	check(t, err)
	defer all.close()
	if found, _, err := newLooker(all).scan(); err != nil || !slices.Contains(found, filepath.Join(shm, ".git")) {
		t.Errorf("/dev: %q, %v", found, err)
	}
}
