//go:build linux && !nojail

package main

import (
	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker/gate"
)

// launchFailed is the exit status of a launch that was none.
const launchFailed = gate.Broken

// canFilter tells whether a launch from here could have a seccomp filter.
func canFilter() bool { return gate.CanFilter() }

// launchers are the commands that need Linux.
func launchers() []*cobra.Command {
	return []*cobra.Command{newRun(), newGate(), newReview(), newApprove(), newLog(), newDoctor()}
}

// launching returns the command that starts jails by that name, nil for any other.
func launching(name string) *cobra.Command {
	switch name {
	case "run":
		return newRun()
	case "gate":
		return newGate()
	}
	return nil
}
