package packages

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// version is of the packages that the tests make, and packaged what it becomes.
const (
	version  = "v1.2.3-rc.1"
	packaged = "1.2.3~rc.1"
)

const installs = "run tests/install/install.sh tests"

// outcome is what a command left.
type outcome struct {
	status int
	output string
}

func run(t *testing.T, env []string, words ...string) outcome {
	t.Helper()
	c := exec.Command(words[0], words[1:]...)
	c.Dir, c.Env = "../..", env
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %s", err, installs)
	}
	return outcome{c.ProcessState.ExitCode(), string(out)}
}

// is fails unless the outcome has the status and says the text.
func (o outcome) is(t *testing.T, status int, text string) {
	t.Helper()
	if o.status != status || !strings.Contains(o.output, text) {
		t.Errorf("status %d, want %d and %q:\n%s", o.status, status, text, o.output)
	}
}

// build makes both packages and returns the folder that they are in.
func build(t *testing.T, umask string, env ...string) string {
	t.Helper()
	dir := t.TempDir()
	var clean []string // of what the make above says to those below
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "MAKE") && !strings.HasPrefix(v, "MFLAGS=") {
			clean = append(clean, v)
		}
	}
	o := run(t, append(clean, env...), "bash", "-c", `umask "$0" && exec make packages BIN="$1/bin" DIST="$1/dist" VERSION="$2"`, umask, dir, version)
	if o.status != 0 {
		t.Fatalf("make packages: status %d\n%s", o.status, o.output)
	}
	return filepath.Join(dir, "dist")
}

// one is the only file of the folder with the ending.
func one(t *testing.T, dir, ending string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*"+ending))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v: %v, want one %s", found, err, ending)
	}
	return found[0]
}

// machine is a root that packages are installed into. Whoever tests is root in it.
type machine struct {
	t    *testing.T
	root string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{t, filepath.Join(t.TempDir(), "root")}
	for _, d := range []string{"etc", "root", "work/.git", "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers"} {
		m.must(os.MkdirAll(m.path(d), 0o755))
	}
	for link, to := range map[string]string{"bin": "usr/bin", "lib": "usr/lib", "lib64": "usr/lib64"} {
		m.must(os.Symlink(to, m.path(link)))
	}
	m.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
	m.write("etc/group", "root:x:0:\n")
	m.write("var/lib/dpkg/status", "")
	m.write("var/lib/dpkg/available", "")
	m.write("work/jail.hcl", "command = [\"bash\"]\nsystem = true\nproject { access = \"rw\" }\n")
	return m
}

func (m *machine) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) path(name string) string { return filepath.Join(m.root, name) }

func (m *machine) write(name, text string) {
	m.t.Helper()
	m.must(os.MkdirAll(filepath.Dir(m.path(name)), 0o755))
	m.must(os.WriteFile(m.path(name), []byte(text), 0o644))
}

func (m *machine) has(name string) bool {
	m.t.Helper()
	_, err := os.Lstat(m.path(name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		m.t.Fatal(err)
	}
	return err == nil
}

// asRoot is root's bwrap in a user namespace of its own, with root's capabilities: rpm
// calls chroot(2), and a user namespace of root's can be made only with CAP_SETFCAP.
var asRoot = []string{"bwrap", "--die-with-parent", "--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "ALL"}

// manage runs a package manager of this machine, which may write the other's root only.
func (m *machine) manage(words ...string) outcome {
	m.t.Helper()
	jail := slices.Concat(asRoot, []string{"--ro-bind", "/", "/", "--dev", "/dev", "--bind", m.root, m.root, "--"})
	return run(m.t, os.Environ(), append(jail, words...)...)
}

// do runs a command of the machine's. Its libraries, bash and bwrap are ours.
func (m *machine) do(words ...string) outcome {
	m.t.Helper()
	jail := slices.Concat(asRoot, []string{"--bind", m.root, "/", "--dev", "/dev", "--tmpfs", "/tmp",
		"--bind", "/proc", "/proc", // a new one would be masked, and so forbid bwrap another
		"--ro-bind", "/usr/lib", "/usr/lib", "--ro-bind-try", "/usr/lib64", "/usr/lib64"})
	for _, name := range []string{"bash", "bwrap"} {
		file, err := exec.LookPath(name)
		if err != nil {
			m.t.Fatalf("%v: %s", err, installs)
		}
		jail = append(jail, "--ro-bind", file, "/usr/bin/"+name)
	}
	jail = append(jail, "--chdir", "/work", "--clearenv", "--setenv", "PATH", "/usr/bin", "--setenv", "HOME", "/root", "--")
	return run(m.t, os.Environ(), append(jail, words...)...)
}
