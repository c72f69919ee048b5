// Package gatetest starts jails for tests, with ocjail and without.
package gatetest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/host/hosttest"
)

// ordinary is the user and group that jails run as when root runs the tests:
// root's jails have rules of their own. No account has this number, so ocjail
// takes the home from $HOME.
const ordinary = 54321

// timeLimit bounds one run; the longest of them takes about a second.
const timeLimit = 60 * time.Second

// World is a project to run jails in and what a user has beside it.
type World struct {
	Dir     string // holds all that follows
	Home    string // made up
	Project string // the working directory; a git repository after Git
	State   string // where the home's programs keep their state
	Env     []string
	attr    *syscall.SysProcAttr
	t       testing.TB
}

// New makes a world for an ordinary user.
func New(t testing.TB) *World {
	t.Helper()
	w := bare(t)
	if os.Geteuid() == 0 {
		w.attr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ordinary, Gid: ordinary}}
	}
	return w.furnish()
}

// NewRoot makes a world for root; ok is false when the tests run as another.
func NewRoot(t testing.TB) (w *World, ok bool) {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil, false
	}
	return bare(t).furnish(), true
}

func bare(t testing.TB) *World {
	t.Helper()
	if _, err := exec.LookPath("bwrap"); err != nil {
		t.Fatalf("%v: run tests/install/install.sh", err)
	}
	dir, err := os.MkdirTemp("", "ocjail-gate-")
	check(t, err)
	t.Cleanup(func() { check(t, os.RemoveAll(dir)) })
	dir, err = filepath.EvalSymlinks(dir)
	check(t, err, os.Chmod(dir, 0o755))
	return &World{Dir: dir, Home: filepath.Join(dir, "home"), attr: &syscall.SysProcAttr{}, t: t}
}

func (w *World) furnish() *World {
	w.t.Helper()
	w.Project, w.State = filepath.Join(w.Dir, "project"), filepath.Join(w.Home, ".local/state")
	for _, d := range []string{w.Project, w.State, filepath.Join(w.Home, ".config"), filepath.Join(w.Home, ".cache")} {
		check(w.t, os.MkdirAll(d, 0o755))
	}
	w.Own()
	w.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.Home, hosttest.HomeVariable + "=" + w.Home, "GIT_CONFIG_NOSYSTEM=1"}
	return w
}

// Own gives everything in the world to its user.
func (w *World) Own() {
	w.t.Helper()
	if w.attr.Credential == nil {
		return
	}
	check(w.t, filepath.WalkDir(w.Dir, func(p string, _ os.DirEntry, err error) error {
		if err = errors.Join(err, os.Lchown(p, ordinary, ordinary)); errors.Is(err, os.ErrNotExist) {
			return nil // somebody swaps it
		}
		return err
	}))
}

// Write makes a file, and the directories above it, below Dir and returns its path.
func (w *World) Write(name, text string, mode os.FileMode) string {
	w.t.Helper()
	p := filepath.Join(w.Dir, name)
	check(w.t, os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, []byte(text), mode), os.Chmod(p, mode))
	w.Own()
	return p
}

// Read returns the content of a file below Dir; an absent one is empty.
func (w *World) Read(name string) string {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.Dir, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		w.t.Fatal(err)
	}
	return string(b)
}

// Git makes the project a repository, in which the named files are committed.
func (w *World) Git(files ...string) {
	w.t.Helper()
	for _, args := range [][]string{{"init", "-q"}, {"config", "user.name", "Dev"}, {"config", "user.email", "dev@example.org"},
		append([]string{"add", "--"}, files...), {"commit", "-q", "--allow-empty", "-m", "Start"}} {
		if o := w.Run(w.Command("git", args...)); o.Status != 0 {
			w.t.Fatalf("git %v: %s", args, o.Stderr)
		}
	}
}

// Command runs a program on the host as the world's user, in the project.
func (w *World) Command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Dir, c.Env = w.Project, slices.Clone(w.Env)
	attr := *w.attr
	c.SysProcAttr = &attr
	return c
}

// Ocjail runs argv through the gate.
func (w *World) Ocjail(argv ...string) *exec.Cmd {
	w.t.Helper()
	return w.Command(Build(w.t).Ocjail, append([]string{"gate", "--"}, argv...)...)
}

// Configured is Ocjail with --config and a file of that text.
func (w *World) Configured(config string, argv ...string) *exec.Cmd {
	w.t.Helper()
	file := w.Write("config/test.hcl", config, 0o644)
	return w.Command(Build(w.t).Ocjail, append([]string{"gate", "--config", file, "--"}, argv...)...)
}

// Bwrap runs argv without ocjail.
func (w *World) Bwrap(argv ...string) *exec.Cmd { return w.Command("bwrap", argv...) }

// System is the argv of a jail that has the host's programs, the probe at
// /probe, and nothing else.
func (w *World) System() []string {
	w.t.Helper()
	argv := []string{"--unshare-all", "--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "HOME", "/nohome", "--proc", "/proc", "--dev", "/dev"}
	for _, d := range []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/alternatives"} {
		if _, err := os.Stat(d); err == nil {
			argv = append(argv, "--ro-bind", d, d)
		}
	}
	return append(argv, "--ro-bind", Build(w.t).Probe, "/probe")
}

// Jail is System with the project writable as the working directory.
func (w *World) Jail(more ...string) []string {
	w.t.Helper()
	argv := append(w.System(), "--bind", w.Project, w.Project, "--chdir", w.Project)
	return append(argv, more...)
}

// Outcome is how a run ended.
type Outcome struct {
	Status         int // 128 and the signal's number where a signal ended it
	Signal         syscall.Signal
	Stdout, Stderr string
}

// Run runs c to its end. Output goes through pipes unless c has its own.
func (w *World) Run(c *exec.Cmd) Outcome {
	w.t.Helper()
	var stdout, stderr bytes.Buffer
	if c.Stdout == nil {
		c.Stdout = &stdout
	}
	if c.Stderr == nil {
		c.Stderr = &stderr
	}
	check(w.t, c.Start())
	timer := time.AfterFunc(timeLimit, func() { _ = c.Process.Kill() })
	err := c.Wait()
	timer.Stop()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatalf("%s: %v", strings.Join(c.Args, " "), err)
	}
	o := Outcome{Status: c.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
	if ws, ok := c.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		o.Signal, o.Status = ws.Signal(), 128+int(ws.Signal())
	}
	return o
}

// Until waits for a fact, as long as a busy machine may take.
func Until(t testing.TB, what string, fact func() bool) {
	t.Helper()
	if !until(fact) {
		t.Fatalf("after %s there is not: %s", timeLimit, what)
	}
}

func until(fact func() bool) bool {
	for end := time.Now().Add(timeLimit); !fact(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// Programs are built once a test run.
type Programs struct{ Ocjail, Probe, dir string }

var build = sync.OnceValues(func() (Programs, error) {
	dir, err := os.MkdirTemp("", "ocjail-bin-")
	if err != nil {
		return Programs{}, err
	}
	p := Programs{filepath.Join(dir, "ocjail"), filepath.Join(dir, "probe"), dir}
	if err := os.Chmod(dir, 0o755); err != nil {
		return p, err
	}
	c := exec.Command("go", "build", "-o", p.Probe, "github.com/refnil/opencode-jail-devenv/checker/gate/gatetest/probe")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := c.CombinedOutput(); err != nil {
		return p, errors.Join(err, errors.New(string(text)))
	}
	return p, hosttest.Build(dir, "ocjail")
})

// Build returns the programs.
func Build(t testing.TB) Programs {
	t.Helper()
	p, err := build()
	check(t, err)
	return p
}

// Main is a TestMain's: it runs the tests and removes the programs.
func Main(m *testing.M) {
	status := m.Run()
	if p, _ := build(); p.dir != "" {
		_ = os.RemoveAll(p.dir)
	}
	os.Exit(status)
}

func check(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}
