package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/opa"
	"github.com/refnil/opencode-jail-devenv/checker/engine/wasm"
)

// build compiles the folders that the words of ocjail build name, which has
// checked them.
func build(words []string, out io.Writer) error {
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	file := flags.String("output", "", "")
	ofBuild := flags.String("build", "", "")
	if err := flags.Parse(words); err != nil {
		return err
	}
	if err := sameBuild(*ofBuild); err != nil {
		return err
	}
	var sources []engine.Source
	for _, name := range flags.Args() {
		if info, err := os.Stat(name); err != nil {
			return err
		} else if !info.IsDir() && filepath.Ext(name) != ".rego" {
			return fmt.Errorf("%s is neither a folder nor a .rego file", name)
		}
		sources = append(sources, engine.Source{Name: name, FS: os.DirFS(filepath.Dir(name)), Root: filepath.Base(name)})
	}
	built, err := opa.Build(context.Background(), sources...)
	if err != nil {
		return err
	}
	code, err := wasm.Describe(built.Code, built.Rules)
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(*file, code, 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %d rules, %d KiB\n", *file, len(built.Rules), len(code)>>10)
	return err
}
