package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// starter is a policy repository that passes its own tests.
//
//go:embed all:organisation
var starter embed.FS

const starterRoot = "organisation"

func newInit() *cobra.Command {
	var org string
	c := &cobra.Command{
		Use:   "init --org DIR",
		Short: "Write a starter repository for an organisation's policy",
		Long: `Write a repository for an organisation's policy into DIR, which must not exist or
hold nothing but .git and a LICENSE: a rule with its tests and a list, an ocjail.hcl,
a script that tests, builds, signs, verifies and pushes the bundle, a GitHub workflow
that runs it, a .gitignore that keeps private keys out, and a README that says what to
do next.

Exit status 0, or 2 when nothing, or not all of it, was written.`,
		Example: `  ocjail init --org acme-policy
  cd acme-policy && ocjail test rules --coverage 100`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 && org == "" {
				return fmt.Errorf("the folder goes with a flag: ocjail init --org %s", args[0])
			}
			return operands(0)(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) error {
			if err := writeStarter(org); err != nil {
				return &statusError{brokenStatus, err}
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "%s is a policy repository: its README.md says what to do next\n", org)
			return err
		},
	}
	c.Flags().StringVar(&org, "org", "", "the repository's `DIR`")
	must(c.MarkFlagRequired("org"))
	must(c.MarkFlagDirname("org"))
	return c
}

// writeStarter writes the starter repository, and over nothing that is there.
func writeStarter(dir string) error {
	if dir == "" {
		return errors.New("--org: name a folder")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	there, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range there { // what git init, and a forge, leave in a new repository
		if e.Name() != ".git" && !strings.HasPrefix(e.Name(), "LICENSE") {
			return fmt.Errorf("%s is not empty (%q is in it): name a new folder; nothing was written", dir, e.Name())
		}
	}
	if err := copyStarter(dir); err != nil {
		return fmt.Errorf("%w: mend that, and remove what was written of %s", err, dir)
	}
	return nil
}

func copyStarter(dir string) error {
	return fs.WalkDir(starter, starterRoot, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(starterRoot, filepath.FromSlash(name))
		if err != nil {
			return err
		}
		to := filepath.Join(dir, rel)
		if e.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		text, err := starter.ReadFile(name)
		if err != nil {
			return err
		}
		return writeNew(to, text)
	})
}

// writeNew writes a file that is not there.
func writeNew(name string, text []byte) error {
	f, err := os.OpenFile(filepath.Clean(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
