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

	"github.com/refnil/opencode-jail-devenv/checker/release"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

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
	words := args[1:]
	if filepath.Base(args[0]) == "bwrap" { // installed in bwrap's place: every word is bwrap's
		words = append([]string{"gate", "--"}, words...)
	}
	root := newRoot(stdout, stderr, words)
	root.SetArgs(words)
	if len(words) > 0 && words[0] == cobra.ShellCompRequestCmd {
		describePlainly(root)
	}
	ran, err := root.ExecuteContextC(context.Background())
	var s *statusError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &s):
		if s.err != nil {
			complain(stderr, s.err)
		}
		return s.status
	}
	complain(stderr, err)
	fmt.Fprintf(stderr, "Try '%s --help'.\n", ran.CommandPath())
	return usageStatus(words)
}

// complain ignores that standard error may be gone: there is nobody left to tell.
func complain(stderr io.Writer, err error) { _ = report.Error(stderr, err) }

// usageStatus: a launcher's misuse must not look like the command's own status.
func usageStatus(words []string) int {
	if len(words) > 0 && (words[0] == "run" || words[0] == "gate") {
		return launchFailed
	}
	return brokenStatus
}

func newRoot(stdout, stderr io.Writer, words []string) *cobra.Command {
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
  ocjail diff HEAD~1:jail.hcl jail.hcl   # what a change lets it do
  ocjail rules                     # what jails are judged by
  ocjail approve                   # accept what a jail may do, before it is launched
  ocjail review                    # what sessions changed that runs outside the jail
  ocjail log                       # which jails were started and refused, and why
  ocjail doctor                    # can this machine run jails`,
		Version:       release.Version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetVersionTemplate(versionLine())
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(flagError)
	if len(words) > 0 {
		if launch := launching(words[0]); launch != nil { // people wait for it: it is spared a quarter of a millisecond
			root.CompletionOptions.DisableDefaultCmd = true
			root.AddCommand(launch)
			return root
		}
	}
	root.AddCommand(append(launchers(), newLint(), newInspect(), newWhy(), newDiff(), newRules(), newConfig(), newTest(), newBuild(), newBundle(), newInit(), newVersion())...)
	root.InitDefaultCompletionCmd()
	root.SetHelpCommand(newHelp())
	isParent(root)
	for _, c := range root.Commands() {
		if c.HasSubCommands() {
			isParent(c)
		}
	}
	return root
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    "Print the version of ocjail, and what it was built with.",
		Example: "  ocjail version",
		Args:    operands(0),
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := io.WriteString(c.OutOrStdout(), versionLine())
			return err
		},
	}
}

func versionLine() string {
	return fmt.Sprintf("ocjail %s (%s, %s/%s)\n", release.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
