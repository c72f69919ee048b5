package nix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// standIn is the uid that stands for an ordinary user when the test runs as
// root. No account has this number.
const standIn = 54321

// world is a made-up home with a project in it, and a user who owns both.
type world struct {
	t    *testing.T
	dir  string
	home string
	uid  int
	etc  string // a folder that stands for /etc, or ""
}

// userConfig is the user's own configuration: nobody is there to approve jails.
const userConfig = ".config/ocjail/ocjail.hcl"

// newWorld makes a world of root's, or of an ordinary user's: the caller, or a
// stand-in if the caller is root.
func newWorld(t *testing.T, asRoot bool) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "ocjail-nix-world-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	w := &world{t: t, dir: dir, home: filepath.Join(dir, "home"), uid: os.Getuid()}
	if w.uid == 0 && !asRoot {
		w.uid = standIn
	}
	w.write("project/file", "from the host\n")
	w.write(userConfig, "gate {\n  approval = \"off\"\n}\n")
	passwd := fmt.Sprintf("dev:x:%d:%d:Dev:%s:/bin/sh\n", w.uid, w.uid, homeDir)
	if err := os.WriteFile(filepath.Join(dir, "passwd"), []byte(passwd), 0o644); err != nil {
		t.Fatal(err)
	}
	return w
}

// write creates a file below the home, with its directories.
func (w *world) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// read returns a file below the home; a missing one is empty.
func (w *world) read(name string) string {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.home, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.t.Fatal(err)
	}
	return string(b)
}

// result is what came of a launch.
type result struct {
	status         int
	stdout, stderr string
}

// launch runs a program in the project as the world's user. The stage around it
// is no jail: it only puts the home where its passwd entry says. Variables in
// env are NAME=VALUE; HOME and PATH are set unless env does.
func (w *world) launch(env []string, argv ...string) result {
	w.t.Helper()
	if err := os.Chmod(w.dir, 0o755); err != nil {
		w.t.Fatal(err)
	}
	err := filepath.WalkDir(w.dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, w.uid, w.uid))
	})
	if err != nil {
		w.t.Fatal(err)
	}
	stage := []string{
		"--dev-bind", "/", "/", "--tmpfs", "/home", "--bind", w.home, homeDir,
	}
	if w.etc != "" {
		stage = append(stage, "--ro-bind", w.etc, "/etc")
	}
	stage = append(stage, "--ro-bind", filepath.Join(w.dir, "passwd"), "/etc/passwd", "--chdir", projectDir, "--die-with-parent", "--")
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bwrap", append(stage, argv...)...)
	cmd.Dir = w.dir
	cmd.Env = append([]string{"HOME=" + homeDir, "PATH=/usr/local/bin:/usr/bin:/bin"}, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(w.uid), Gid: uint32(w.uid)}
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		w.t.Fatalf("%v: %v %v\n%s", argv, err, ctx.Err(), stderr.String())
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}
