package main

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/host"
)

func newBuild() *cobra.Command {
	var output string
	var warm bool
	c := &cobra.Command{
		Use:   "build [flags] PATH…",
		Short: "Compile rules in Rego to WebAssembly",
		Long: `Compile the rules in folders or .rego files to one WebAssembly module, by OPA's
compiler and with what METADATA says of them. A policy whose source holds the
module (ocjail.hcl, policy "NAME") judges by it as by the sources. Lists in data/
are not compiled in: keep them beside the module.

Before a module judges it is compiled to native code, which takes 0.05 s and more
and is kept in ~/.cache/ocjail/rules ($XDG_CACHE_HOME/ocjail/rules) for the next
launch. --warm does that now. A lint and a launch do it when they meet a module
that is not there. To clear the cache, remove the folder.

Exit status 0, or 2 when a rule is broken.`,
		Example: `  ocjail build rules/ -o policy/acme.wasm
  ocjail build --warm no-docker.rego -o no-docker.wasm
  rm -rf ~/.cache/ocjail/rules     # forget compiled rules`,
		Args: operands(1, "PATH…"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"rego"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(_ *cobra.Command, paths []string) error {
			if filepath.Ext(output) != ".wasm" {
				return &statusError{brokenStatus, errors.New("name the module with -o FILE.wasm")}
			}
			words := []string{"-output=" + output}
			if warm {
				facts, err := host.Gather(host.NewFS(), "/")
				if err != nil {
					return &statusError{brokenStatus, err}
				}
				place := checker.CacheOf(facts)
				words = append(words, "-cache="+place.Cache, "-home="+place.Home)
			}
			return runRules("build", append(append(words, "--"), paths...)...)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "the module's `FILE`, NAME.wasm")
	must(c.MarkFlagFilename("output", "wasm"))
	c.Flags().BoolVar(&warm, "warm", false, "also compile the module to native code, for the next launch of yours")
	return c
}

// runRules becomes ocjail-rules, where OPA is.
func runRules(command string, words ...string) error {
	return runRulesIn(os.Environ(), command, words...)
}

func runRulesIn(env []string, command string, words ...string) error {
	program, err := worker.Program()
	if err == nil {
		words = append([]string{worker.Name, command, "-build=" + worker.Identity().String()}, words...)
		err = syscall.Exec(program, words, env)
	}
	return &statusError{brokenStatus, err}
}
