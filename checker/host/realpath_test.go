package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

func TestRealPath(t *testing.T) {
	d := tempDir(t)
	write(t, d+"/real/sub/file", "")
	link(t, "real", d+"/one")
	link(t, d+"/one/sub", d+"/two")
	link(t, "../one/sub/../sub", d+"/dir/up")
	link(t, "file", d+"/real/sub/l")
	link(t, "../gone/x", d+"/real/dangling")
	two := []Link{{d + "/two", d + "/one/sub"}, {d + "/one", "real"}}
	for _, c := range []struct {
		path, want string
		links      []Link
		absent     bool
	}{
		{path: "/", want: "/"},
		{path: d + "/real//sub/./file", want: d + "/real/sub/file"},
		{path: d + "/two/file", want: d + "/real/sub/file", links: two},
		{path: d + "/two/..", want: d + "/real", links: two},
		{path: d + "/two/", want: d + "/real/sub", links: two},
		{path: "/../.." + d, want: d},
		{path: d + "/dir/up/l", want: d + "/real/sub/file", links: []Link{
			{d + "/dir/up", "../one/sub/../sub"}, {d + "/one", "real"}, {d + "/real/sub/l", "file"}}},
		{path: d + "/real/none/below", want: d + "/real/none/below", absent: true},
		{path: d + "/two/none", want: d + "/real/sub/none", links: two, absent: true},
		{path: d + "/real/dangling/y", want: d + "/gone/x/y", links: []Link{{d + "/real/dangling", "../gone/x"}}, absent: true},
		{path: d + "/real/sub/file/", want: d + "/real/sub/file", absent: true},
		{path: d + "/real/sub/file/..", want: d + "/real/sub", absent: true},
	} {
		f := NewFS()
		for range 2 { // the second time from memory
			real, err := f.RealPath(c.path)
			if c.absent {
				wantAbsent(t, err)
			} else if err != nil {
				t.Errorf("%s: %v", c.path, err)
			}
			if diff := cmp.Diff(c.links, real.Links); diff != "" || real.Path != c.want {
				t.Errorf("%s leads to %s, want %s; links %s", c.path, real.Path, c.want, diff)
			}
		}
	}
}

func TestRealPathLinkLimit(t *testing.T) {
	d := tempDir(t)
	write(t, d+"/l0", "")
	for i := range 41 {
		link(t, fmt.Sprint("l", i), fmt.Sprint(d, "/l", i+1))
	}
	link(t, "loop", d+"/loop")
	f := NewFS()
	if real, err := f.RealPath(d + "/l40"); err != nil || len(real.Links) != 40 || real.Path != d+"/l0" {
		t.Errorf("40 links: %v %v", real, err)
	}
	for _, name := range []string{"/l41", "/loop", "/loop/below"} {
		_, err := f.RealPath(d + name)
		wantUnknown(t, err)
		if !errors.Is(err, unix.ELOOP) {
			t.Errorf("%s: %v, want ELOOP", name, err)
		}
	}
}

// The text of a magic link is not where the kernel goes (proc(5)).
func TestMagicLinksAreUnknown(t *testing.T) {
	d := tempDir(t)
	write(t, d+"/deleted", "")
	file, err := os.Open(d + "/deleted")
	check(t, err)
	check(t, os.Remove(d+"/deleted"))
	r, w, err := os.Pipe()
	check(t, err)
	t.Cleanup(func() { _ = errors.Join(file.Close(), r.Close(), w.Close()) })
	f := NewFS()
	for _, fd := range []uintptr{file.Fd(), r.Fd()} {
		_, err := f.RealPath(fmt.Sprintf("/proc/self/fd/%d", fd))
		wantUnknown(t, err)
	}
	if real, err := f.RealPath("/proc/self/status"); err != nil || real.Path != fmt.Sprintf("/proc/%d/status", os.Getpid()) {
		t.Errorf("an ordinary link in /proc: %v %v", real, err)
	}
	_, err = f.RealPath("relative")
	wantUnknown(t, err)
}

// RealPath agrees with the standard library wherever that has an answer.
func TestRealPathAgreesWithEvalSymlinks(t *testing.T) {
	var paths []string
	for _, pattern := range []string{"/*", "/usr/bin/*", "/etc/*", "/etc/alternatives/*", "/dev/*", "/lib/*"} {
		more, err := filepath.Glob(pattern)
		check(t, err)
		paths = append(paths, more[:min(len(more), 300)]...)
	}
	f := NewFS()
	if len(paths) < 20 {
		t.Fatalf("only %d paths to compare", len(paths))
	}
	for _, path := range paths {
		want, wantErr := filepath.EvalSymlinks(path)
		real, err := f.RealPath(path)
		if errors.Is(err, sandbox.ErrUnknown) {
			continue // a magic link, as /dev/stdin
		}
		if (err == nil) != (wantErr == nil) || err == nil && real.Path != want {
			t.Errorf("%s: %s %v, want %s %v", path, real.Path, err, want, wantErr)
		}
	}
	if !slices.Contains(paths, "/etc") {
		t.Error("no /etc among the paths")
	}
}
