package gate_test

import (
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

func TestMain(m *testing.M) { gatetest.Main(m) }

// want fails unless a run ended with status and printed exactly stdout.
func want(t *testing.T, o gatetest.Outcome, status int, stdout string) {
	t.Helper()
	if o.Status != status || o.Stdout != stdout {
		t.Errorf("status %d, output %.300q, want %d, %.300q\nstandard error: %s", o.Status, o.Stdout, status, stdout, o.Stderr)
	}
}

// sh appends a shell script as the command.
func sh(argv []string, script string) []string {
	return append(argv[:len(argv):len(argv)], "--", "sh", "-c", script)
}
