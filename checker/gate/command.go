package gate

import (
	"io"
	"os"
	"path"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker"
)

// findCommand looks for the command as execvp(3) would in the jail, so that a
// missing one is told from a failed jail.
func findCommand(j *checker.Jail, environ []string) error {
	name := j.Sandbox.Command[0]
	candidates := []string{name}
	if !strings.Contains(name, "/") {
		candidates = nil
		for _, v := range j.Sandbox.Environment(environ) {
			if v.Name != "PATH" {
				continue
			}
			for _, dir := range strings.Split(v.Value, ":") {
				candidates = append(candidates, path.Join(dir, name))
			}
		}
		if candidates == nil {
			candidates = []string{"/bin/" + name, "/usr/bin/" + name} // execvp's default
		}
	}
	for _, c := range candidates {
		if !path.IsAbs(c) {
			return nil // relative to the working directory in the jail: let execvp say
		}
		if at, err := j.Tree.Access(c); err != nil || at.Exists {
			return err
		}
	}
	return &CommandError{name}
}

// isScript tells whether the program at p begins with "#!" (execve(2)). One that
// can not be read is taken for a script.
func isScript(p string) bool {
	f, err := os.Open(p)
	if err != nil {
		return true
	}
	defer f.Close()
	magic := make([]byte, 2)
	_, err = io.ReadFull(f, magic)
	return err != nil || string(magic) == "#!"
}
