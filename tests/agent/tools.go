package agent

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// Tools are the programs that a run needs, as paths on the host.
type Tools struct {
	Bwrap    string // bubblewrap
	Ocjail   string // the command under test
	Opencode string // the real agent
	Probe    string // cmd/probe
}

// install says how to get what FindTools misses.
const install = "run tests/install/install.sh, which `make test` and `make run` do first"

// FindTools finds bubblewrap and the opencode that the module at root pins, and
// builds the probe into dir, which must exist. ocjail is a built command; when
// empty, it is built as well.
func FindTools(root, dir, ocjail string) (Tools, error) {
	t := Tools{
		Ocjail:   ocjail,
		Opencode: filepath.Join(root, ".tools/opencode/node_modules/opencode-ai/bin/opencode.exe"),
		Probe:    filepath.Join(dir, "probe"),
	}
	bwrap, err := exec.LookPath("bwrap")
	if err != nil {
		return t, fmt.Errorf("bubblewrap is missing: %w: %s", err, install)
	}
	t.Bwrap = bwrap
	if _, err := os.Stat(t.Opencode); err != nil {
		return t, fmt.Errorf("opencode is missing: %w: %s", err, install)
	}
	if err := build(root, t.Probe, "./tests/agent/cmd/probe"); err != nil {
		return t, err
	}
	if t.Ocjail == "" {
		t.Ocjail = filepath.Join(dir, "ocjail")
		return t, build(root, t.Ocjail, "./cmd/ocjail")
	}
	if _, err = os.Stat(t.Ocjail); err != nil {
		return t, fmt.Errorf("ocjail is missing: %w: run make build", err)
	}
	return t, nil
}

func build(root, out, pkg string) error {
	cmd := exec.Command("go", "build", "-o", out, pkg)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if b, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, b)
	}
	return nil
}

// copyFile copies a program, so that a user who cannot enter the folder it
// comes from can run it.
func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, in)
	return err
}
