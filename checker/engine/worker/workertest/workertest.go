// Package workertest builds ocjail-rules for tests.
package workertest

import (
	"fmt"
	"os/exec"
	"path/filepath"

	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
)

// Build builds ocjail-rules, as part of this build, into a folder.
func Build(dir string) (file string, err error) {
	file = filepath.Join(dir, worker.Name)
	out, err := exec.Command("go", "build", "-o", file, "github.com/refnil/opencode-jail-devenv/cmd/"+worker.Name).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", worker.Name, err, out)
	}
	return file, nil
}
