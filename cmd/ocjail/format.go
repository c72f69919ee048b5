package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker/report"
)

// textOrJSON adds --format to c and returns its value, checked before c runs.
func textOrJSON(c *cobra.Command) *string {
	format := c.Flags().String("format", "text", "output `FORMAT`: text or json")
	must(c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp)))
	c.PreRunE = func(*cobra.Command, []string) error {
		if *format != "text" && *format != "json" {
			return fmt.Errorf("unknown --format %q: write text or json", *format)
		}
		return nil
	}
	return format
}

// document is a report that people and programs can read.
type document interface {
	Text(w io.Writer, s report.Style) error
}

// write writes d in a format that textOrJSON returned.
func write(w io.Writer, format string, d document) error {
	var err error
	if format == "json" {
		err = report.JSON(w, d)
	} else {
		err = d.Text(w, report.StyleOf(w))
	}
	if err != nil {
		return &statusError{brokenStatus, fmt.Errorf("write the report: %w", err)}
	}
	return nil
}
