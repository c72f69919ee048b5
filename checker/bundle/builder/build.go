// Package builder makes bundles of rules out of folders, and reads the keys that
// sign them. It links OPA, so ocjail-rules uses it.
package builder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/judge/rego"
	"github.com/refnil/opencode-jail-devenv/checker/engine/opa"
	"github.com/refnil/opencode-jail-devenv/checker/engine/plan"
	"github.com/refnil/opencode-jail-devenv/checker/engine/planner"
	"github.com/refnil/opencode-jail-devenv/checker/engine/wasm"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/ruletest"
)

// Options say what can not be read from the folder.
type Options struct {
	Revision bundle.Revision
	Created  time.Time
	Expires  time.Time // from when on it is refused; zero for never
	Ocjail   string    // the least version that can use it, "1.2.0"; "" for any
	// Known are ocjail's own rules, which ocjail.hcl may name beside the folder's.
	Known []engine.Rule
	// WASM compiles the Rego files to policy.wasm, and leaves them out.
	WASM bool
	// NoPlan leaves out what a launch could read in place of the Rego files.
	NoPlan bool
}

// Built is a bundle, and what is worth telling of it.
type Built struct {
	Archive  []byte
	Manifest bundle.Manifest
	Tests    *ruletest.Report // nil when there is no Rego
	// NoPlan says why there is no plan of Rego that is there; nil when there is one.
	NoPlan error
	// Expired are waivers of its configuration that count no more.
	Expired []config.Waiver
}

// ErrTests says that rules' tests fail; Built has the report.
var ErrTests = errors.New("tests of the rules fail: no bundle was made")

// configFile is the configuration that a bundle brings.
const configFile = "ocjail.hcl"

// Build makes an unsigned bundle of the folder: what a launch would read of it as a
// policy's source, and ocjail.hcl. The rules are compiled and their tests run before.
// Equal folders and options give equal bytes.
func Build(ctx context.Context, dir string, o Options) (*Built, error) {
	f, err := read(dir)
	if err != nil {
		return nil, err
	}
	b := &Built{Manifest: bundle.Manifest{Revision: o.Revision, Created: o.Created.UTC().Truncate(time.Second), Expires: o.Expires, Ocjail: o.Ocjail}}
	rules, err := f.rules(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		b.Manifest.Rules = append(b.Manifest.Rules, bundle.Rule{ID: r.ID, Title: r.Title, Severity: string(r.Severity)})
	}
	if b.Expired, err = f.settles(o.Known, rules, o.Created); err != nil {
		return nil, err
	}
	if f.rego {
		if b.Tests, err = test(ctx, dir); err != nil {
			return b, err
		}
	}
	c := bundle.Content{Rules: f.texts, Config: f.config}
	if len(f.files) > 0 {
		if c.Data, err = engine.Lists(f.source); err != nil {
			return nil, err
		}
	}
	if b.Manifest.Roots, err = f.roots(); err != nil {
		return nil, err
	}
	if o.WASM {
		if b.Manifest.Entrypoints, err = f.compile(ctx, c.Rules); err != nil {
			return nil, err
		}
	}
	if c.Plan, b.NoPlan, err = f.plan(ctx, o); err != nil {
		return nil, err
	}
	if c.Plan != nil {
		b.Manifest.Pack = worker.Identity().Pack
	}
	c.Manifest = b.Manifest
	b.Archive, err = bundle.Write(c)
	return b, err
}

func test(ctx context.Context, dir string) (*ruletest.Report, error) {
	suite, err := ruletest.Load(ctx, dir)
	if err != nil {
		return nil, err
	}
	r, err := ruletest.Run(ctx, suite)
	if err == nil && r.Failed > 0 {
		err = ErrTests
	}
	return r, err
}

// folder is what a bundle is made of.
type folder struct {
	source engine.Source
	files  []engine.File
	texts  map[string][]byte // rules, and what describes them
	config []byte
	parsed *config.File // nil without config
	rego   bool
}

// read reads a folder. What would be silently left out and looks as if it mattered
// is an error.
func read(dir string) (*folder, error) {
	if info, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("%s: %w: name the folder that holds the rules and their tests", dir, errors.Unwrap(err)) // an *fs.PathError, without stat
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a folder: name the one that holds the rules and their tests", dir)
	}
	f := &folder{source: engine.Source{Name: dir, FS: engine.Folder(dir)}, texts: map[string][]byte{}}
	for _, name := range []string{"data.json", "data.yaml", "data.yml", ".manifest"} {
		if _, err := fs.Stat(f.source.FS, name); err == nil {
			return nil, fmt.Errorf("%s is OPA's, and would be left out: write lists to data/NAME.json and give the rest as flags", filepath.Join(dir, name))
		}
	}
	if err := f.readConfig(dir); err != nil {
		return nil, err
	}
	var err error
	f.files, err = engine.Read(f.source)
	if err != nil && (f.config == nil || !errors.Is(err, engine.ErrEmpty)) { // it may only configure
		return nil, err
	}
	for _, file := range f.files {
		if !file.IsList() {
			f.texts[file.Path] = file.Text
		}
		f.rego = f.rego || strings.HasSuffix(file.Path, ".rego")
	}
	return f, nil
}

// readConfig reads ocjail.hcl, which may name no policies: a bundle is whole.
func (f *folder) readConfig(dir string) error {
	c, err := config.LoadUntrusted(config.Organisation, filepath.Join(dir, configFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(c.Policies) > 0 {
		return fmt.Errorf("%s: a bundle's configuration can not name further policies: put the rules into the bundle", c.Policies[0].Pos)
	}
	f.parsed = c
	f.config, err = fs.ReadFile(f.source.FS, configFile)
	return err
}

// settles makes sure that the configuration fits the rules: a misspelt one would keep
// every jail of the organisation from starting, and a misspelt waiver would waive
// nothing. What a rule still has to be told, the file that names the bundle may say. It
// returns the waivers that have expired.
func (f *folder) settles(own, rules []engine.Rule, now time.Time) (expired []config.Waiver, err error) {
	if f.parsed == nil {
		return nil, nil
	}
	known := map[string]config.Known{}
	for l, all := range map[config.Layer][]engine.Rule{config.Embedded: own, config.Organisation: rules} {
		for _, r := range all {
			known[r.ID] = config.Known{Severity: r.Severity, Layer: l, Params: r.Params}
		}
	}
	settled, err := config.Merge(f.parsed).Settle(known)
	var wrong hclfile.Diagnostics
	if errors.As(err, &wrong) {
		return nil, wrong
	}
	if settled != nil {
		for _, w := range settled.Waivers {
			wrong = append(wrong, hclfile.Diagnostic{Pos: w.Pos, Message: w.Message + ": " + w.Remedy})
		}
	}
	if wrong != nil {
		return nil, wrong
	}
	for _, w := range f.parsed.Waivers {
		if w.Expired(now) {
			expired = append(expired, w)
		}
	}
	return expired, nil
}

// rules are all that a launch would judge by, from Rego and WASM.
func (f *folder) rules(ctx context.Context) ([]engine.Rule, error) {
	if len(f.texts) == 0 { // lists alone
		return nil, nil
	}
	load := worker.Source{Name: f.source.Name, Files: map[string][]byte{}}
	for _, file := range f.files {
		load.Files[file.Path] = file.Text
	}
	e, err := rego.Means.Open(ctx, worker.Load{Sources: []worker.Source{load}})
	if err != nil {
		return nil, err
	}
	return e.Rules(), nil
}

// plan compiles the Rego files for this ocjail. What only OPA can judge by has none.
func (f *folder) plan(ctx context.Context, o Options) (compiled []byte, without, err error) {
	if !f.rego || o.WASM {
		return nil, nil, nil
	}
	if o.NoPlan {
		return nil, errors.New("as asked"), nil
	}
	for name := range f.texts {
		if strings.HasSuffix(name, ".wasm") {
			return nil, fmt.Errorf("%s is there beside Rego", name), nil
		}
	}
	compiled, err = planner.Others(ctx, f.anywhere())
	if errors.Is(err, plan.ErrUnsupported) {
		return nil, err, nil
	}
	return compiled, nil, err
}

// anywhere is the source under a name that does not say where the folder lies: what
// is compiled names the place of an error.
func (f *folder) anywhere() engine.Source {
	s := f.source
	s.Name = "bundle"
	return s
}

// compile puts the Rego files, as one module, in their own place.
func (f *folder) compile(ctx context.Context, texts map[string][]byte) ([]bundle.Entrypoint, error) {
	const module = "policy.wasm"
	if !f.rego {
		return nil, errors.New("there is no Rego to compile to WASM: leave --wasm out")
	}
	if texts[module] != nil {
		return nil, fmt.Errorf("there is a %s already, as what is compiled is called: rename it", module)
	}
	built, err := opa.Build(ctx, f.anywhere())
	if err != nil {
		return nil, err
	}
	if texts[module], err = wasm.Describe(built.Code, wasm.About{Rules: built.Rules, Reads: built.Reads, Data: built.Data, Needs: built.Needs}); err != nil {
		return nil, err
	}
	var entrypoints []bundle.Entrypoint
	for path := range built.Rules {
		entrypoints = append(entrypoints, bundle.Entrypoint{Entrypoint: path, Module: module})
	}
	slices.SortFunc(entrypoints, func(a, b bundle.Entrypoint) int { return strings.Compare(a.Entrypoint, b.Entrypoint) })
	for name := range texts {
		if strings.HasSuffix(name, ".rego") {
			delete(texts, name)
		}
	}
	return entrypoints, nil
}
