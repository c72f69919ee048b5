package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker/report"
)

// textOrJSON adds --format to c and returns its value, checked before c runs.
func textOrJSON(c *cobra.Command) *string { return formats(c, "text", "json") }

// formats is textOrJSON for a command with other formats; the first is the default.
func formats(c *cobra.Command, names ...string) *string {
	last := len(names) - 1
	choice := strings.Join(names[:last], ", ") + " or " + names[last]
	format := c.Flags().String("format", names[0], "output `FORMAT`: "+choice)
	must(c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)))
	c.PreRunE = func(*cobra.Command, []string) error {
		if !slices.Contains(names, *format) {
			return fmt.Errorf("unknown --format %q: write %s", *format, choice)
		}
		return nil
	}
	return format
}

// document is a report that people and programs can read.
type document interface {
	Text(w io.Writer, s report.Style) error
}

// write writes d in a format that formats returned.
func write(w io.Writer, format string, d document) error {
	var err error
	switch format {
	case "json":
		err = report.JSON(w, d)
	case "markdown":
		page, ok := d.(interface{ Markdown(io.Writer) error })
		if !ok {
			return errors.New("this report has no markdown")
		}
		err = page.Markdown(w)
	default:
		err = d.Text(w, report.StyleOf(w))
	}
	if err != nil {
		return &statusError{brokenStatus, fmt.Errorf("write the report: %w", err)}
	}
	return nil
}

// say writes a line for people.
func say(out io.Writer, text string) error {
	_, err := fmt.Fprintln(out, text)
	return err
}
