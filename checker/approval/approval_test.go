package approval_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/approval"
	"github.com/refnil/opencode-jail-devenv/checker/grants"
)

func TestMain(m *testing.M) {
	if state := os.Getenv("OCJAIL_TEST_WRITER"); state != "" { // a process to be killed
		s := approval.Open(state, "/p")
		for i := 0; ; i++ {
			if err := s.Approve("j", long(fmt.Sprint(i))); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			fmt.Println(i)
		}
	}
	if state := os.Getenv("OCJAIL_TEST_FILL"); state != "" { // in a file system that is soon full
		fill(approval.Open(state, "/p"))
	}
	os.Exit(m.Run())
}

// fill approves until the disk is full, and prints what is approved then.
func fill(s approval.Store) {
	var err error
	last := -1
	for i := 0; i < 100 && err == nil; i++ {
		if err = s.Approve(fmt.Sprint(i), long(fmt.Sprint(i))); err == nil {
			last = i
		}
	}
	again := s.Approve("0", long("again"))
	first, readErr := s.Approved("0")
	_, wholeErr := s.Approved(fmt.Sprint(last))
	fmt.Printf("%v; %v; %v, %v; %s\n", err, again, readErr, wholeErr, first.Grants.Paths[0].Path)
	os.Exit(0)
}

// A full disk leaves what was approved as it is.
func TestFullDisk(t *testing.T) {
	self, err := os.Executable()
	check(t, err)
	state := t.TempDir()
	c := exec.Command("bwrap", "--dev-bind", "/", "/", "--size", "131072", "--tmpfs", state, "--", self)
	c.Env = append(os.Environ(), "OCJAIL_TEST_FILL="+state)
	out, err := c.CombinedOutput()
	if text := string(out); err != nil || strings.Count(text, "no space left") != 2 || !strings.Contains(text, "<nil>, <nil>; /0/0") {
		t.Errorf("%v: %s", err, out)
	}
}

// long are grants that take more than one page to write.
func long(name string) *grants.Grants {
	g := &grants.Grants{Version: grants.Version}
	for i := range 500 {
		g.Paths = append(g.Paths, grants.Path{Path: fmt.Sprintf("/%s/%d", name, i), Access: grants.Read})
	}
	return g
}

func approved(t *testing.T, s approval.Store, jail string) *approval.Record {
	t.Helper()
	r, err := s.Approved(jail)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func check(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func TestApproveAndRevoke(t *testing.T) {
	state := t.TempDir()
	s, other := approval.Open(state, "/p"), approval.Open(state, "/q")
	if r := approved(t, s, "j"); r != nil {
		t.Fatalf("%+v without an approval", r)
	}
	check(t, s.Wait("j", long("asked")), s.Approve("k", long("k")), other.Approve("j", long("other")))
	if w, err := s.Waiting("j"); err != nil || w == nil || w.Grants.Paths[0].Path != "/asked/0" {
		t.Fatal(w, err)
	}
	if r := approved(t, s, "j"); r != nil {
		t.Fatalf("%+v, which only waits", r)
	}
	check(t, s.Dismiss("j"), s.Dismiss("j"))
	if w, err := s.Waiting("j"); w != nil || err != nil {
		t.Error("what was dismissed waits", err)
	}
	check(t, s.Wait("j", long("asked")), s.Approve("j", long("now")))
	r := approved(t, s, "j")
	if diff := cmp.Diff(long("now").Paths, r.Grants.Paths); diff != "" || r.Project != "/p" || time.Since(r.Time) > time.Hour {
		t.Error(diff, r.Project, r.Time)
	}
	if w, err := s.Waiting("j"); w != nil || err != nil {
		t.Error("it still waits", err)
	}
	all, waiting, err := approval.All(state)
	if len(all) != 3 || len(waiting) != 0 || err != nil {
		t.Error(len(all), len(waiting), err)
	}
	if n, err := s.Revoke("j"); n != 1 || err != nil || approved(t, s, "j") != nil || approved(t, s, "k") == nil {
		t.Error(n, err)
	}
	if n, err := s.Revoke(); n != 1 || err != nil || approved(t, s, "k") != nil || approved(t, other, "j") == nil {
		t.Error(n, err)
	}
}

// What is not surely the user's own approval approves nothing.
func TestBrokenStore(t *testing.T) {
	for name, harm := range map[string]func(dir, file string) error{
		"others can open the folder":    func(dir, _ string) error { return os.Chmod(dir, 0o755) },
		"others can write the folder":   func(dir, _ string) error { return os.Chmod(filepath.Dir(dir), 0o777) },
		"others can read the record":    func(_, file string) error { return os.Chmod(file, 0o644) },
		"cut off":                       func(_, file string) error { return os.Truncate(file, 200) },
		"empty":                         func(_, file string) error { return os.Truncate(file, 0) },
		"too large":                     func(_, file string) error { return os.Truncate(file, 1<<40) },
		"another version":               replace(`"version":1,"project"`, `"version":2,"project"`),
		"another version of the grants": replace(`"grants":{"version":1`, `"grants":{"version":2`),
		"an unknown access":             replace(`"ro"`, `"all"`),
		"a field of a later one":        replace(`"project"`, `"but_not":["x"],"project"`),
		"of another project":            replace(`"/p"`, `"/q"`),
		"of another jail":               replace(`"j"`, `"k"`),
		"no grants":                     replace(`"grants":`, `"grants":null,"x":`),
		"a link": func(_, file string) error {
			return errors.Join(os.Rename(file, file+".moved"), os.Symlink(file+".moved", file))
		},
		"a folder": func(_, file string) error { return errors.Join(os.Remove(file), os.Mkdir(file, 0o700)) },
		"a pipe": func(_, file string) error {
			return errors.Join(os.Remove(file), exec.Command("mkfifo", file).Run())
		},
		"the folder is a link": func(dir, _ string) error {
			return errors.Join(os.Rename(dir, dir+".moved"), os.Symlink(dir+".moved", dir))
		},
	} {
		t.Run(name, func(t *testing.T) {
			state := t.TempDir()
			s := approval.Open(state, "/p")
			check(t, s.Approve("j", long("a")))
			files, err := filepath.Glob(filepath.Join(state, "approvals", "*", "*.approved.json"))
			if err != nil || len(files) != 1 {
				t.Fatal(files, err)
			}
			check(t, harm(filepath.Dir(files[0]), files[0]))
			r, err := s.Approved("j")
			var broken *approval.BrokenError
			if r != nil || !errors.As(err, &broken) {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}

func replace(old, new string) func(string, string) error {
	return func(_, file string) error {
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), old) {
			return errors.Join(fmt.Errorf("no %s in %.300s", old, text), err)
		}
		return os.WriteFile(file, []byte(strings.Replace(string(text), old, new, 1)), 0o600)
	}
}

// A broken record can be revoked, and what is beside it is listed.
func TestRevokeBroken(t *testing.T) {
	state := t.TempDir()
	s := approval.Open(state, "/p")
	check(t, s.Approve("j", long("a")), s.Approve("k", long("b")))
	files, err := filepath.Glob(filepath.Join(state, "approvals", "*", "*.approved.json"))
	check(t, err, os.Truncate(files[0], 10))
	all, _, err := approval.All(state)
	if len(all) != 1 || err == nil {
		t.Error(len(all), err)
	}
	if n, err := s.Revoke(); n != 2 || err != nil {
		t.Error(n, err)
	}
	if r := approved(t, s, "j"); r != nil {
		t.Error("it is still there")
	}
}

// Killed at any moment, a writer leaves a whole record, and the next one takes over.
func TestKilledWriter(t *testing.T) {
	state := t.TempDir()
	s := approval.Open(state, "/p")
	check(t, s.Approve("j", long("before")))
	self, err := os.Executable()
	check(t, err)
	for i := range 15 {
		c := exec.Command(self)
		c.Env = append(os.Environ(), "OCJAIL_TEST_WRITER="+state)
		out, err := c.StdoutPipe()
		check(t, err, c.Start())
		_, err = out.Read(make([]byte, 1)) // it has begun
		check(t, err)
		time.Sleep(time.Duration(i) * 3 * time.Millisecond)
		check(t, c.Process.Kill())
		_ = c.Wait() // killed
		if r := approved(t, s, "j"); r == nil || len(r.Grants.Paths) != 500 {
			t.Fatalf("%+v", r)
		}
	}
	check(t, s.Approve("j", long("after")))
	left, err := filepath.Glob(filepath.Join(state, "approvals", "*", ".new-*"))
	if len(left) != 0 || err != nil {
		t.Error(left, err)
	}
}

func TestConcurrentWriters(t *testing.T) {
	state := t.TempDir()
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			s := approval.Open(state, "/p")
			if err := errors.Join(s.Wait("j", long("w")), s.Approve("j", long(fmt.Sprint(i))), s.Approve(fmt.Sprint(i), long("x"))); err != nil {
				t.Error(err)
			}
			if r, err := s.Approved("j"); err != nil || len(r.Grants.Paths) != 500 {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if a, _, err := approval.All(state); len(a) != 21 || err != nil {
		t.Error(len(a), err)
	}
}

func TestTooLong(t *testing.T) {
	state := t.TempDir()
	s := approval.Open(state, "/p")
	check(t, s.Approve("j", long("before")))
	g := long("x")
	for len(g.Paths) < 200_000 {
		g.Paths = append(g.Paths, g.Paths...)
	}
	if err := s.Approve("j", g); err == nil {
		t.Error("no error")
	}
	if r := approved(t, s, "j"); r.Grants.Paths[0].Path != "/before/0" {
		t.Errorf("%+v", r.Grants.Paths[0])
	}
}

// A record of a project that nobody can name by it any more is in nobody's way.
func TestBrokenRecordOfAnotherProject(t *testing.T) {
	state := t.TempDir()
	for _, project := range []string{"/p", "/q"} {
		check(t, approval.Open(state, project).Approve("j", long(project)))
	}
	files, err := filepath.Glob(filepath.Join(state, "approvals", "*", "*.approved.json"))
	check(t, err)
	check(t, os.WriteFile(files[0], []byte("{"), 0o600))
	_, _, err = approval.All(state)
	if err == nil || !strings.Contains(err.Error(), files[0]) || !strings.Contains(err.Error(), "remove that file") {
		t.Fatal(err)
	}
	check(t, os.Remove(files[0]))
	if approved, _, err := approval.All(state); err != nil || len(approved) != 1 {
		t.Errorf("%v, %v", approved, err)
	}
}

// Names that are no text, of a project, a jail or what it may do, stay themselves: JSON
// has one character for all that it can not write.
func TestNamesThatAreNoText(t *testing.T) {
	state := t.TempDir()
	const project, jail = "/p\xff", "j\xfe"
	s := approval.Open(state, project)
	g := &grants.Grants{Version: grants.Version, Paths: []grants.Path{{Path: "/x\xff", Access: grants.Read | grants.Write}}}
	check(t, s.Approve(jail, g))
	r := approved(t, s, jail)
	if r == nil || r.Project != project || r.Jail != jail {
		t.Fatalf("%+v", r)
	}
	if d := grants.Compare(r.Grants, g); len(d.Wider) != 0 {
		t.Errorf("what was approved is asked for again: %v", d.Wider)
	}
	for _, other := range []string{"/x\xfe", "/x\ufffd"} {
		g.Paths[0].Path = other
		if d := grants.Compare(r.Grants, g); len(d.Wider) == 0 {
			t.Errorf("%q was approved with another name", other)
		}
	}
}
