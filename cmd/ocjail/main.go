// Command ocjail checks bubblewrap jails against rules and launches them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker/gate"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

// version is set by the build.
var version = "devel"

// --die-with-parent follows the thread that forked bwrap, so launches stay on
// the first thread (see gate.Request.Launch).
func init() { runtime.LockOSThread() }

func main() {
	// A launch is over before a collection would pay; lint sets its own pace.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(48 << 20)
	os.Exit(doMain(os.Args, os.Stdout, os.Stderr))
}

// statusError ends the process with a status; its error, if any, is printed.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *statusError) Unwrap() error { return e.err }

// doMain runs one command and returns the exit status.
func doMain(args []string, stdout, stderr io.Writer) int {
	root := newRoot(stdout, stderr)
	if filepath.Base(args[0]) == "bwrap" { // installed in bwrap's place: every word is bwrap's
		root.SetArgs(append([]string{"gate", "--"}, args[1:]...))
	} else {
		root.SetArgs(args[1:])
	}
	err := root.ExecuteContext(context.Background())
	var s *statusError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &s):
		if s.err != nil {
			fmt.Fprintf(stderr, "ocjail: %s\n", report.Escape(s.err.Error()))
		}
		return s.status
	}
	fmt.Fprintf(stderr, "ocjail: %s\nTry 'ocjail --help'.\n", report.Escape(err.Error()))
	return usageStatus(args)
}

// usageStatus: a launcher's misuse must not look like the command's own status.
func usageStatus(args []string) int {
	if len(args) > 1 && (args[1] == "run" || args[1] == "gate") {
		return gate.Broken
	}
	return 2
}

func newRoot(stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "ocjail",
		Short: "Jail opencode with bubblewrap, and check the jail before it starts",
		Long: `ocjail runs an LLM agent in a bubblewrap jail, after the jail has been checked
against rules such as "no rw-bind outside $HOME". It refuses with reasons, and
starts nothing, when the jail breaks one.`,
		Example: `  ocjail run                       # opencode, jailed, in this project
  ocjail run -- opencode run "fix the tests"
  ocjail inspect                   # what the jail sees and may write
  ocjail why ~/.ssh                # can it reach that, and how
  ocjail doctor                    # can this machine run jails`,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.AddCommand(newRun(), newGate(), newLint())
	return root
}
