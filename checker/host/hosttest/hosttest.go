// Package hosttest builds programs for tests, which keep off the home of whoever runs
// them.
package hosttest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const module = "github.com/refnil/opencode-jail-devenv"

// HomeVariable says to what Build builds where the user's home is, whatever the password
// file says. They start nothing without it.
const HomeVariable = "OCJAIL_TEST_HOME"

// Build builds programs of cmd/ into a folder, without cgo.
func Build(dir string, names ...string) error {
	for _, name := range names {
		c := exec.Command("go", "build", "-ldflags", "-X "+module+"/checker/host.HomeVariable="+HomeVariable, "-o", filepath.Join(dir, name), module+"/cmd/"+name)
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
	}
	return nil
}
