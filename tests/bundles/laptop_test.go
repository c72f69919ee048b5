package bundles

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/bundletest"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/decision"
	"github.com/refnil/opencode-jail-devenv/checker/host/hosttest"
)

func check(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// count is how often a test does something: what the variable says, if it does.
func count(t *testing.T, variable string, times int) int {
	t.Helper()
	if v := os.Getenv(variable); v != "" {
		n, err := strconv.Atoi(v)
		check(t, err)
		return n
	}
	return times
}

// laptop is a machine whose policy is fetched.
type laptop struct {
	t       testing.TB
	home    string // made up
	project string
	source  string
	key     bundletest.Key
}

func newLaptop(t testing.TB, source string) *laptop {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	check(t, err)
	l := &laptop{t: t, home: filepath.Join(dir, "home"), project: filepath.Join(dir, "project"), source: source, key: bundletest.NewKey(t, "acme")}
	check(t, os.MkdirAll(l.home, 0o700), os.MkdirAll(filepath.Join(l.project, ".git"), 0o755))
	l.write("acme.pem", string(l.key.PublicPEM))
	l.configure("")
	return l
}

// configure writes the user's configuration, with more in its policy.
func (l *laptop) configure(more string) {
	l.t.Helper()
	l.write(".config/ocjail/ocjail.hcl", fmt.Sprintf("policy \"acme\" {\n  source = %q\n  keys   = [\"~/acme.pem\"]\n%s}\n", l.source, more))
}

func (l *laptop) write(name, text string) {
	l.t.Helper()
	file := filepath.Join(l.home, name)
	check(l.t, os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600))
}

// command is ocjail on this laptop, in a process group of its own.
func (l *laptop) command(words ...string) *exec.Cmd {
	c := exec.Command(ocjail, words...)
	c.Dir = l.project
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + l.home, hosttest.HomeVariable + "=" + l.home}
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return c
}

// outcome is what a process left.
type outcome struct {
	status int
	said   string // on both outputs
}

func ran(c *exec.Cmd) (outcome, error) {
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		return outcome{}, err
	}
	hung := time.AfterFunc(2*time.Minute, func() { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) })
	defer hung.Stop()
	err := c.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil
	}
	return outcome{c.ProcessState.ExitCode(), out.String()}, err
}

func (l *laptop) do(words ...string) outcome {
	l.t.Helper()
	o, err := ran(l.command(words...))
	check(l.t, err)
	return o
}

// jail are the words for a jail that the rules of these tests have nothing against but,
// if it is so, that the host's network is in it.
func jail(network bool, command ...string) []string {
	words := []string{"gate", "--", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--new-session", "--die-with-parent", "--clearenv", "--setenv", "PATH", "/usr/bin:/bin",
		"--ro-bind", "/usr", "/usr", "--ro-bind", "/bin", "/bin", "--ro-bind", "/lib", "/lib", "--ro-bind-try", "/lib64", "/lib64", "--proc", "/proc"}
	if !network {
		words = append(words, "--unshare-net")
	}
	return append(words, command...)
}

func (l *laptop) store() store.Store { return store.User(l.home) }

// kept is the bundle that a launch would go by, which must be whole and signed.
func (l *laptop) kept() *bundle.Bundle {
	l.t.Helper()
	e, err := l.store().Find(l.source)
	check(l.t, err)
	archive, err := l.store().Read(e)
	check(l.t, err)
	b, err := bundle.Open(archive, bundle.Trust{Keys: bundletest.Keys(l.key), Now: time.Now(), Version: "v99.0.0"})
	check(l.t, err)
	if b.Manifest.Revision.Compare(e.Revision) != 0 || b.Digest != e.Digest {
		l.t.Fatalf("the entry has revision %s (%s), the archive %s (%s)", e.Revision, e.Digest, b.Manifest.Revision, b.Digest)
	}
	return b
}

// decisions are those that were logged.
func (l *laptop) decisions() (all []decision.Decision) {
	l.t.Helper()
	check(l.t, decision.At(filepath.Join(l.home, ".local/state/ocjail")).Read(func(e decision.Entry) error {
		all = append(all, e.Decision)
		return nil
	}, func(err error) error { return err }))
	return all
}

// says fails unless the outcome has the status and all of the words, on one line.
func (o outcome) says(t *testing.T, status int, want ...string) {
	t.Helper()
	for line := range strings.Lines(o.said) {
		missing := false
		for _, w := range want {
			missing = missing || !strings.Contains(line, w)
		}
		if !missing && o.status == status {
			return
		}
	}
	t.Errorf("status %d, want %d and a line with all of %q:\n%s", o.status, status, want, o.said)
}
