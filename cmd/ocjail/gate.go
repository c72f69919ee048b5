package main

import (
	"errors"
	"os"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker/gate"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/profile"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

func newGate() *cobra.Command {
	f := jailFlags{judges: true}
	var verbose, timings bool
	c := &cobra.Command{
		Use:   "gate [flags] -- BWRAP-ARGV…",
		Short: "Stand in bwrap's place: check the jail that the arguments describe, then start it",
		Long: `Stand in bwrap's place: check the jail that bwrap's arguments describe, then
start it with the real bwrap. Installed under the name bwrap, ocjail takes all
its arguments as bwrap's.

Exit statuses are those of 'ocjail run'.`,
		Example: `  ocjail gate -- --ro-bind /usr /usr --symlink usr/bin /bin --proc /proc -- true
  ln -s "$(command -v ocjail)" ~/jail/bwrap   # for programs that call bwrap`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			l := newLauncher(c.ErrOrStderr(), verbose, timings)
			m, err := f.openForGate()
			if err != nil {
				return launchError(err)
			}
			l.step("facts")
			err = l.launch(c, &f, m, "bwrap", args)
			var exit *sandbox.ExitError
			if errors.As(err, &exit) {
				return execReal(m.bwrap, exit.Option)
			}
			return err
		},
	}
	f.registerHost(c)
	launchFlags(c, &verbose, &timings)
	return c
}

// openForGate takes the project around the working directory, or that directory
// itself: the gate's caller decides where it starts.
func (f *jailFlags) openForGate() (*machine, error) {
	home, err := host.Home(host.NewFS())
	if err != nil {
		return nil, err
	}
	cwd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	root, err := profile.FindProject(home, cwd, "")
	if err != nil {
		root = cwd
	}
	return f.open(root, true)
}

// execReal lets the real bwrap print its help or version.
func execReal(b *host.Bwrap, option string) error {
	return &statusError{gate.Broken, syscall.Exec(b.Path, []string{"bwrap", option}, os.Environ())}
}
