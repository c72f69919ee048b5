package gate

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// overlaid is a jail with overlays of directories below dir.
func overlaid(t *testing.T, dir string) *checker.Jail {
	t.Helper()
	for _, d := range []string{"a/low", "a/other", "b/up", "b/work/work", "secret"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for at, to := range map[string]string{"link": "a/low", "evil": "secret"} {
		if err := os.Symlink(to, filepath.Join(dir, at)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := sandbox.ParseArgv([]string{"--overlay-src", "a/other", "--overlay-src", "link", "--overlay", "b/up", "b/work", "/d",
		"--overlay-src", "link", "--overlay-src", dir + "/a/other", "--ro-overlay", "/e", "--", "true"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	fs := host.NewFS()
	tree, err := s.Simulate(sandbox.Config{Host: fs, Strict: true, Cwd: dir})
	if err != nil {
		t.Fatal(err)
	}
	at, err := exec.LookPath("bwrap")
	if err != nil {
		t.Fatalf("%v: run tests/install/install.sh", err)
	}
	bwrap, err := host.FindBwrap(fs, at)
	if err != nil {
		t.Fatal(err)
	}
	return &checker.Jail{Request: checker.Request{Sandbox: s, FS: fs, Bwrap: bwrap}, Tree: tree}
}

// What bwrap is told are the directories that were judged, and no links to them.
func TestOverlaysAreResolved(t *testing.T) {
	dir := canonicalDir(t)
	j := overlaid(t, dir)
	s := j.Sandbox.Clone()
	if err := resolveSources(s, j, nil); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	want := []string{"--overlay-src", at("a/other"), "--overlay-src", at("a/low"), "--overlay", at("b/up"), at("b/work"), "/d",
		"--overlay-src", at("a/low"), "--overlay-src", at("a/other"), "--ro-overlay", "/e"}
	if got := s.Words(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func canonicalDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// An overlay has an identity of its own, so that what it shows can not be seen in it.
// That a layer was swapped for a link, and back, is told nevertheless.
func TestLayersAreSteady(t *testing.T) {
	for name, c := range map[string]struct {
		change func(at func(string) string) error
		steady bool
	}{
		"nothing":            {func(func(string) string) error { return nil }, true},
		"a file beside":      {func(at func(string) string) error { return os.WriteFile(at("a/x"), nil, 0o600) }, true},
		"a file in a layer":  {func(at func(string) string) error { return os.WriteFile(at("a/low/x"), nil, 0o600) }, true},
		"a file in the work": {func(at func(string) string) error { return os.Mkdir(at("b/work/work/x"), 0o700) }, true},
		"another link":       {func(at func(string) string) error { return thereAndBack(at("link"), at("evil")) }, true},
		"a lower layer":      {func(at func(string) string) error { return thereAndBack(at("a/low"), at("evil")) }, false},
		"the upper layer":    {func(at func(string) string) error { return thereAndBack(at("b/up"), at("evil")) }, false},
		"the work directory": {func(at func(string) string) error { return thereAndBack(at("b/work"), at("evil")) }, false},
		"a directory above":  {func(at func(string) string) error { return thereAndBack(at("a"), at("evil")) }, false},
		"made anew": {func(at func(string) string) error {
			return errors.Join(os.Remove(at("a/other")), os.Mkdir(at("a/other"), 0o755))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := canonicalDir(t)
			j := overlaid(t, dir)
			l, err := watchLayers(j)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.change(func(name string) string { return filepath.Join(dir, name) }); err != nil {
				t.Fatal(err)
			}
			err = l.steady()
			var m *mismatch
			if c.steady != (err == nil) || err != nil && !errors.As(err, &m) {
				t.Error(err)
			}
			if err := l.close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func thereAndBack(a, b string) error {
	swap := func() error { return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE) }
	return errors.Join(swap(), swap())
}

// What was swapped since it was judged is not watched as if it were that.
func TestLayersAreThoseThatWereJudged(t *testing.T) {
	for _, name := range []string{"a/low", "a", "b/work"} {
		dir := canonicalDir(t)
		j := overlaid(t, dir)
		for _, d := range []string{"a/low", "a", "b/work"} {
			if _, err := j.FS.Lstat(filepath.Join(dir, d)); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(os.Rename(filepath.Join(dir, name), filepath.Join(dir, "before")), os.MkdirAll(filepath.Join(dir, name, "low"), 0o755)); err != nil {
			t.Fatal(err)
		}
		_, err := watchLayers(j)
		var m *mismatch
		if !errors.As(err, &m) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A jail without overlays has nothing to watch.
func TestNoLayers(t *testing.T) {
	tree, err := (&sandbox.Sandbox{Command: []string{"true"}}).Simulate(sandbox.Config{Host: host.NewFS(), Strict: true, Cwd: "/"})
	if err != nil {
		t.Fatal(err)
	}
	l, err := watchLayers(&checker.Jail{Tree: tree})
	if l != nil || err != nil || l.steady() != nil || l.close() != nil {
		t.Error(l, err)
	}
}
