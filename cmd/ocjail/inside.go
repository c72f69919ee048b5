package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/inmate"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

// onlyOutside has a command say in a jail why it can do nothing there: what it looks
// at is on the host, and what it would find instead means nothing. where tells for
// which words of the command that is so, nil for all.
func onlyOutside(c *cobra.Command, why string, where func(args []string) bool) {
	before := c.PreRunE
	c.PreRunE = func(c *cobra.Command, args []string) error {
		if before != nil {
			if err := before(c, args); err != nil {
				return err
			}
		}
		if os.Getenv(checker.InmateVariable) != "1" || where != nil && !where(args) {
			return nil
		}
		d, err := inmate.Read()
		if err != nil {
			return nil // no jail of ocjail's, or nothing that is known of it
		}
		return &statusError{brokenStatus, fmt.Errorf("this is inside of jail %s: %s. Here ocjail why PATH tells what can be reached, and %s all of it",
			report.Escape(d.Name), why, checker.InmateDescription)}
	}
}
