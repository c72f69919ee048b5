package main

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
)

func newBuild() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "build [flags] PATH…",
		Short: "Compile rules in Rego to WebAssembly",
		Long: `Compile the rules in folders or .rego files to one WebAssembly module, by OPA's
compiler and with what METADATA says of them. A policy whose source holds the
module (ocjail.hcl, policy "NAME") judges by it as by the sources. Lists in data/
are not compiled in: keep them beside the module.

Exit status 0, or 2 when a rule is broken.`,
		Example: `  ocjail build rules/ -o policy/acme.wasm
  ocjail build no-docker.rego -o no-docker.wasm`,
		Args: cobra.MinimumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"rego"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(_ *cobra.Command, paths []string) error {
			if filepath.Ext(output) != ".wasm" {
				return &statusError{brokenStatus, errors.New("name the module with -o FILE.wasm")}
			}
			return runRules("build", append([]string{"-output=" + output, "--"}, paths...)...)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "the module's `FILE`, NAME.wasm")
	must(c.MarkFlagFilename("output", "wasm"))
	return c
}

// runRules becomes ocjail-rules, where OPA is.
func runRules(command string, words ...string) error {
	program, err := worker.Program()
	if err == nil {
		words = append([]string{worker.Name, command, "-build=" + worker.Identity().String()}, words...)
		err = syscall.Exec(program, words, os.Environ())
	}
	return &statusError{brokenStatus, err}
}
