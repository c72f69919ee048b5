//go:build !linux || nojail

package main

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// launchFailed is the exit status of a launch that was none.
const launchFailed = 125

// canFilter: a jail that is judged here is started on Linux.
func canFilter() bool { return true }

// launchers stand for the commands that need Linux. Jails are judged anywhere.
func launchers() []*cobra.Command {
	return []*cobra.Command{
		needsLinux("run", "Build a jail from a profile, check it and start the command in it", launchFailed),
		needsLinux("gate", "Stand in bwrap's place", launchFailed),
		needsLinux("review", "Show what sessions changed that runs outside the jail, and keep or revert it", brokenStatus),
		needsLinux("approve", "Approve what a jail may do, before it is launched, or take that back", brokenStatus),
		needsLinux("log", "Show which jails were started and refused, and why", brokenStatus),
		needsLinux("doctor", "Tell whether this machine can run jails", foundStatus),
	}
}

// launching returns nil: there is none.
func launching(string) *cobra.Command { return nil }

func needsLinux(name, short string, status int) *cobra.Command {
	return &cobra.Command{
		Use:                name,
		Short:              short + " (on Linux)",
		Long:               "Jails are made by bubblewrap, which needs Linux: use a Linux machine, virtual machine or container.",
		DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
				return c.Help()
			}
			return &statusError{status, errors.New("ocjail " + name + fmt.Sprintf(": this ocjail was built for %s; jails are made by bubblewrap, which needs Linux: use a Linux machine, virtual machine or container; nothing was started", runtime.GOOS))}
		},
	}
}
