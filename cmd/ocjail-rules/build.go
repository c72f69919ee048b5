package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/cache"
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
	var place cache.Place
	flags.StringVar(&place.Cache, "cache", "", "")
	flags.StringVar(&place.Home, "home", "", "")
	if err := flags.Parse(words); err != nil {
		return err
	}
	if err := sameBuild(*ofBuild); err != nil {
		return err
	}
	sources, lists, err := sourcesOf(flags.Args())
	if err != nil {
		return err
	}
	built, err := opa.Build(context.Background(), sources...)
	var lacks *engine.LackError
	if errors.As(err, &lacks) && len(lists) > 0 {
		built, err = opa.Build(context.Background(), append(sources, lists...)...)
	}
	if err != nil {
		return err
	}
	code, err := wasm.Describe(built.Code, wasm.About{Rules: built.Rules, Reads: built.Reads, Data: built.Data, Needs: built.Needs})
	if err != nil {
		return err
	}
	if err := putFile(*file, code, 0o644); err != nil {
		return err
	}
	if place != (cache.Place{}) {
		if err := warm(place, wasm.Module{Name: *file, Code: code}); err != nil {
			return fmt.Errorf("%s is built; --warm: %w", *file, err)
		}
	}
	_, err = fmt.Fprintf(out, "%s: %s, %d KiB\n", *file, counted(len(built.Rules), "rule"), kib(code))
	return err
}

// sourcesOf are those that were named, and the lists that lie beside single files, of
// which a rule may need some, and which may be of something else.
func sourcesOf(names []string) (sources, lists []engine.Source, err error) {
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w: name a folder of rules or a .rego file", name, errors.Unwrap(err)) // an *fs.PathError, without stat
		}
		if !info.IsDir() && filepath.Ext(name) != ".rego" {
			return nil, nil, fmt.Errorf("%s is neither a folder nor a .rego file", name)
		}
		whole, err := filepath.Abs(name) // a slash at the end, and dots, name the folder as well
		if err != nil {
			return nil, nil, err
		}
		folder := filepath.Dir(whole)
		sources = append(sources, engine.Source{Name: name, FS: engine.Folder(folder), Root: filepath.Base(whole)})
		same := func(s engine.Source) bool { return s.Name == folder }
		if data, err := os.Stat(filepath.Join(folder, "data")); err == nil && data.IsDir() && !info.IsDir() && !slices.ContainsFunc(lists, same) {
			lists = append(lists, engine.Source{Name: folder, FS: engine.Folder(folder), ListsOnly: true})
		}
	}
	return sources, lists, nil
}

// warm compiles a module for the next launch. Here it is an error that a launch
// would only warn of.
func warm(place cache.Place, m wasm.Module) (err error) {
	c, err := cache.Open(place)
	if err != nil {
		return err
	}
	note := func(message string) { err = errors.Join(err, errors.New(message)) }
	e, failed := wasm.Open(context.Background(), wasm.Options{Functions: opa.Function, Cache: c, Note: note}, m)
	if failed == nil {
		failed = e.Close(context.Background())
	}
	return errors.Join(err, failed, c.Close())
}
