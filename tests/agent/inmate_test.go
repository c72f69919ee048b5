package agent

import (
	"strings"
	"testing"
)

// The agent's model is told that it works in a jail, what its errors mean and what
// to ask for, beside the instructions of the user and the project. Without a jail
// it is told nothing.
func TestTheModelIsToldOfTheJail(t *testing.T) {
	tools, err := FindTools(moduleRoot, t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	told := []string{
		"This session runs in a jail", "Read-only file system", "Trying again, sudo, chmod or another tool does not help",
		"`" + projectDir + "`", "`" + projectDir + "/.git/hooks`", "--add 'rw-bind /PATH /PATH'",
	}
	for _, jailed := range []bool{false, true} {
		system, err := System(t.Context(), tools, jailed)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"House rule: be brief.", "Project rule: shell scripts only."} {
			if !strings.Contains(system, want) {
				t.Errorf("jailed %v: the model was not told %q", jailed, want)
			}
		}
		for _, text := range told {
			if strings.Contains(system, text) != jailed {
				t.Errorf("jailed %v: the model was told %q: %v; all of it:\n%s", jailed, text, !jailed, system)
			}
		}
	}
}
