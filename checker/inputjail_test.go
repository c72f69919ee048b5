package checker_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// input resolves a jail of options, started in dir from the terminal /dev/null.
func input(t *testing.T, dir string, options ...string) *checker.Input {
	t.Helper()
	fs := host.NewFS()
	facts, err := host.Gather(fs, dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sandbox.ParseArgv(append(options, "--", "/usr/bin/true"), nil)
	if err != nil {
		t.Fatal(err)
	}
	j, err := checker.Resolve(checker.Request{Name: "test", Phase: checker.Launch, Sandbox: s, FS: fs, Facts: facts, Config: config.Default(),
		Cwd: dir, Environ: []string{}, Terminal: "/dev/ptmx"})
	if err != nil {
		t.Fatal(err)
	}
	in, err := j.Input(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func device(t *testing.T, in *checker.Input, path string) string {
	t.Helper()
	for _, w := range in.Watched {
		if w.Path == path && w.Class == "device" {
			return w.Access
		}
	}
	t.Fatalf("%s is not watched", path)
	return ""
}

// The console that --dev makes of the terminal is no device of the host's, but
// a dev-bind of the same one is.
func TestInputLeavesOutOwnDevices(t *testing.T) {
	dir := t.TempDir()
	if got := device(t, input(t, dir, "--dev", "/dev"), "/dev/ptmx"); got != "none" {
		t.Errorf("through --dev: %s", got)
	}
	if got := device(t, input(t, dir, "--dev", "/dev", "--dev-bind", "/dev/ptmx", "/other"), "/dev/ptmx"); got != "dev" {
		t.Errorf("through a dev-bind: %s", got)
	}
}

// asked leaves out what ocjail adds.
func asked(in *checker.Input) []checker.InputMount {
	return slices.DeleteFunc(slices.Clone(in.Jail.Mounts), func(m checker.InputMount) bool { return m.Hardening })
}

// Whatever an overlay writes to, each of its layers can be read.
func TestInputHasLayersOfOverlays(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "upper", "work"} {
		if err := os.Mkdir(dir+"/"+name, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	in := input(t, dir+"/a", "--overlay-src", dir+"/a", "--overlay-src", dir+"/b", "--tmp-overlay", "/x",
		"--overlay-src", dir+"/b", "--overlay", dir+"/upper", dir+"/work", "/y", "--tmpfs", "/y")
	type row struct {
		Op, Access, Real string
		Covers           []string
		Hidden           bool
	}
	var got []row
	for _, m := range asked(in) {
		got = append(got, row{m.Op, m.Access, m.SourceReal, m.Covers, m.ShadowedBy != nil})
	}
	none := []string{}
	want := []row{
		{"tmp-overlay", "scratch", "", none, false},
		{"overlay-src", "ro", dir + "/a", []string{"project"}, false},
		{"overlay-src", "ro", dir + "/b", none, false},
		{"overlay", "rw", dir + "/upper", none, true},
		{"overlay-src", "ro", dir + "/b", none, true},
		{"tmpfs", "scratch", "", none, false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestInputPropagates(t *testing.T) {
	dir := t.TempDir()
	var under sandbox.HostMount
	for _, m := range host.NewFS().Mounts() {
		if _, ok := sandbox.Below(m.Point, dir); ok && len(m.Point) >= len(under.Point) {
			under = m
		}
	}
	if err := os.WriteFile(dir+"/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	in := input(t, dir, "--ro-bind", dir, "/x", "--ro-bind", dir+"/file", "/file", "--tmpfs", "/tmp")
	var got []bool
	for _, m := range asked(in) {
		got = append(got, m.Propagates)
	}
	if want := []bool{under.Shared, false, false}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v on %s", got, want, under.Point)
	}
}

func TestInputKeepsStraysApart(t *testing.T) {
	dir := repository(t)
	write(t, dir+"/.git/commondir", "../evil\n")
	write(t, dir+"/evil/HEAD", "ref: refs/heads/main\n")
	in := input(t, dir, "--bind", dir, dir)
	if in.Host.GitCommonDir != "" || len(in.Host.GitStray) != 1 || !strings.HasSuffix(in.Host.GitStray[0].Target, "/evil") {
		t.Errorf("%+v", in.Host)
	}
}

// Where the home is a link, and opencode's folder in it as well, the folder is opencode's
// nevertheless: rules know the home by its real name.
func TestInputNamesSourcesByTheRealHome(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"real/dots", "real/.config", "real/project", "besides"} {
		if err := os.MkdirAll(filepath.Join(base, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for at, to := range map[string]string{"home": "real", "real/.config/opencode": "../dots"} {
		if err := os.Symlink(to, filepath.Join(base, at)); err != nil {
			t.Fatal(err)
		}
	}
	fs := host.NewFS()
	facts, err := host.Gather(fs, base+"/real/project")
	if err != nil {
		t.Fatal(err)
	}
	facts.Home, facts.HomeReal = base+"/home", base+"/real"
	sources := map[string]string{}
	for _, written := range []string{"~/.config/opencode", base + "/home/.config/opencode", base + "/real/.config/opencode", base + "/besides"} {
		s, err := sandbox.ParseArgv([]string{"--bind", written, "/x", "--", "/usr/bin/true"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		j, err := checker.Resolve(checker.Request{Name: "test", Phase: checker.Launch, Sandbox: s, FS: fs, Facts: facts, Config: config.Default(), Cwd: base})
		if err != nil {
			t.Fatal(err)
		}
		in, err := j.Input(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		m := in.Jail.Mounts[0]
		sources[written] = m.Source + " is " + m.SourceReal
	}
	ours := base + "/real/.config/opencode is " + base + "/real/dots"
	want := map[string]string{"~/.config/opencode": ours, base + "/home/.config/opencode": ours, base + "/real/.config/opencode": ours, base + "/besides": base + "/besides is " + base + "/besides"}
	if d := cmp.Diff(want, sources); d != "" {
		t.Error(d)
	}
}
