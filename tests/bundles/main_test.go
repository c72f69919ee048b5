package bundles

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/host/hosttest"
)

// ocjail is the program that is tested, with ocjail-rules and ocjail-wasm beside it.
var ocjail string

func TestMain(m *testing.M) {
	status, err := build(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func build(m *testing.M) (status int, err error) {
	if _, err := exec.LookPath("bwrap"); err != nil {
		return 1, fmt.Errorf("%w: run tests/install/install.sh", err)
	}
	dir, err := os.MkdirTemp("", "ocjail-bundles-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		return 1, err
	}
	ocjail = filepath.Join(dir, "ocjail")
	if err := hosttest.Build(dir, "ocjail", "ocjail-rules", "ocjail-wasm"); err != nil {
		return 1, err
	}
	return m.Run(), nil
}
