// Package workertest builds the programs that judge for tests.
package workertest

import (
	"fmt"
	"os/exec"
	"path/filepath"

	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
)

// Build builds ocjail-rules and ocjail-wasm, as part of this build, into a folder, and
// returns where the first of them is.
func Build(dir string) (file string, err error) {
	c := exec.Command("go", "build", "-o", dir+"/")
	for _, name := range []string{worker.Name, worker.WASM} {
		c.Args = append(c.Args, "github.com/refnil/opencode-jail-devenv/cmd/"+name)
	}
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %w\n%s", c.Args, err, out)
	}
	return filepath.Join(dir, worker.Name), nil
}
