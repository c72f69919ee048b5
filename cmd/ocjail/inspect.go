package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

const inspectHelp = `Show what a jail sees and may write: its mounts as a tree, where each comes from,
what ocjail adds to protect the host, and the environment, namespaces, session,
sockets and watched paths. No value of a variable is shown but of those that are
no secret, such as HOME and PATH. Nothing is started and no rule is asked.

With --html FILE the rules are asked, and FILE becomes one page with all of this,
the findings, and a box that answers for any path whether the jail reaches it. The
page loads nothing from anywhere; it holds paths of this machine, and no secrets.`

func newInspect() *cobra.Command {
	var f jailFlags
	var page string
	c := &cobra.Command{
		Use:   "inspect [flags] [TARGET]",
		Short: "Show what a jail sees and may write",
		Long:  described(inspectHelp, targetHelp, `Exit status 0, or 2 when the jail could not be modelled or the page not be written.`),
		Example: `  ocjail inspect
  ocjail inspect --add 'readonly ~/notes'
  ocjail inspect --html jail.html && xdg-open jail.html
  ocjail inspect --format json | jq '.mounts[] | select(.access == "rw").path'`,
		Args:              operands(0, "TARGET"),
		ValidArgsFunction: completeTargets,
	}
	f.register(c)
	f.registerEvaluate(c)
	format := textOrJSON(c)
	onlyOutside(c, "the host, of which a jail is made, is not to be seen from here; ask the person who started it to run ocjail inspect outside",
		func(args []string) bool { return len(args) == 0 && !aboutAJail(c) })
	c.Flags().StringVar(&page, "html", "", "write a page to `FILE`, - for standard output")
	must(c.MarkFlagFilename("html", "html"))
	c.RunE = func(c *cobra.Command, args []string) error {
		t := targets{&f, c.InOrStdin(), c.ErrOrStderr()}
		if c.Flags().Changed("html") {
			if c.Flags().Changed("format") {
				return errors.New("--html goes without --format")
			}
			f.judges = true
			return writePage(c, t, page, args)
		}
		j, err := t.one(c, args)
		if err != nil {
			return &statusError{brokenStatus, err}
		}
		v, err := report.NewView(j)
		if err != nil {
			return &statusError{brokenStatus, err}
		}
		return write(c.OutOrStdout(), *format, v)
	}
	return c
}

// writePage writes the page, whole or not at all.
func writePage(c *cobra.Command, t targets, file string, args []string) error {
	if file == "" {
		return &statusError{brokenStatus, errors.New("--html: name the file to write")}
	}
	var page bytes.Buffer
	err := t.page(c, args, &page)
	switch {
	case err != nil:
	case file == "-":
		_, err = c.OutOrStdout().Write(page.Bytes())
	default:
		if err = replace(file, page.Bytes()); err == nil {
			err = say(c.OutOrStdout(), "Wrote "+report.Escape(file)+": open it in a browser.")
		}
	}
	if err != nil {
		return &statusError{brokenStatus, err}
	}
	return nil
}

// replace puts data into the place of a file in one step. A symbolic link there is
// replaced as well: an agent can have laid one to any file of the user's. What is
// neither, such as /dev/null, is written to and stays.
func replace(file string, data []byte) error {
	st, err := os.Lstat(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err != nil || st.Mode().IsRegular() || st.Mode()&fs.ModeSymlink != 0 {
		if err := renameio.WriteFile(file, data, 0o644); err != nil {
			return unwritable(file, err)
		}
		return nil
	}
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return unwritable(file, err)
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// page judges the only target and writes its page.
func (t targets) page(c *cobra.Command, args []string, w io.Writer) error {
	names, err := t.named(c, args)
	if err != nil {
		return err
	}
	j, found, err := t.resolve(names[0])
	if err != nil {
		return about(names[0], err)
	}
	rules, err := found.machine.rules()
	if err != nil {
		return err
	}
	r, err := rules.Check(c.Context(), j)
	if err != nil {
		return err
	}
	r.Findings = append(r.Findings, found.open...)
	finding.Sort(r.Findings)
	p, err := report.NewPage(r)
	if err != nil {
		return err
	}
	return p.Write(w)
}
