package wasm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// opaModule is a module that OPA compiled. Its ABI is documented at
// https://www.openpolicyagent.org/docs/wasm#abi; from version 1.2 on one call,
// opa_eval, evaluates, where 1.1 takes a context and several.
type opaModule struct {
	runtime   wazero.Runtime
	module    Module
	code      wazero.CompiledModule
	env       wazero.CompiledModule // owns the memory
	data      []byte
	functions map[int32]Function // of the host, by number
	steps     bool               // it is of version 1.1
	entries   []entry            // by rule
	parts     []string
	// entrypoints are all that it has, by name.
	entrypoints map[string]int32
}

// entry is an entrypoint of the module, and the rule that it stands for.
type entry struct {
	engine.Rule
	number int32
}

const (
	abiMajor    = 1
	oldestMinor = 1
	newestMinor = 3
	evalMinor   = 2 // from which on there is opa_eval
)

// exported is what modules of every version export, and what evaluates in 1.1 and
// from 1.2 on.
var (
	exported     = []string{"opa_malloc", "opa_json_parse", "opa_json_dump", "opa_value_parse", "opa_value_dump", "opa_heap_ptr_get", "builtins", "entrypoints"}
	exportedSlow = []string{
		"eval", "opa_eval_ctx_new", "opa_eval_ctx_set_input", "opa_eval_ctx_set_data", "opa_eval_ctx_set_entrypoint", "opa_eval_ctx_get_result", "opa_heap_ptr_set",
	}
	exportedFast = []string{"opa_eval"}
)

func (e *Engine) loadOPA(ctx context.Context, m Module, c wazero.CompiledModule) (loaded, error) {
	o := &opaModule{runtime: e.runtime, module: m, code: c}
	if err := o.prepare(ctx, e); err != nil {
		return nil, err
	}
	known, err := described(c.CustomSections())
	if err != nil {
		return nil, err
	}
	if o.parts, err = said[[]string](c.CustomSections(), readsSection); err != nil {
		return nil, err
	}
	if o.data, err = e.options.dataFor(c.CustomSections()); err != nil {
		return nil, err
	}
	o.entries, err = entriesOf(o.entrypoints, known)
	return o, err
}

// noData are no base documents.
var noData = []byte("{}")

// dataFor are the base documents for a module, none if it says that it reads none. One
// that reads them all the same finds them undefined, as if it had not read them.
func (o Options) dataFor(sections []api.CustomSection) ([]byte, error) {
	if slices.ContainsFunc(sections, func(s api.CustomSection) bool { return s.Name() == noDataSection }) {
		return noData, nil
	}
	needs, err := said[[]engine.Need](sections, needsSection)
	if err != nil {
		return nil, err
	}
	d, err := o.Data()
	for _, n := range needs {
		if err == nil {
			err = n.Check(d.Lists)
		}
	}
	return d.JSON, err
}

// prepare checks that the module is one that can be run, and reads what it is.
func (o *opaModule) prepare(ctx context.Context, e *Engine) error {
	if err := checkOPAImports(o.code); err != nil {
		return err
	}
	var err error
	if o.env, err = e.compileEnv(ctx, o.code.ImportedMemories(), len(o.module.Code)); err != nil {
		return err
	}
	return o.within(ctx, func(i *instance) error {
		if err := o.checkABI(i); err != nil {
			return err
		}
		numbers, err := i.names("builtins")
		if err != nil {
			return err
		}
		if o.functions, err = e.options.lookUp(numbers); err != nil {
			return err
		}
		o.entrypoints, err = i.names("entrypoints")
		return err
	})
}

// checkOPAImports refuses what is no part of the ABI, before anything runs.
func checkOPAImports(c wazero.CompiledModule) error {
	for _, f := range c.ImportedFunctions() {
		from, name, _ := f.Import()
		if from != "env" || !slices.Contains(hostFunctions, name) {
			return fmt.Errorf("imports %s.%s, which is no part of OPA's ABI", from, name)
		}
	}
	memories := c.ImportedMemories()
	if len(memories) != 1 {
		return fmt.Errorf("imports %d memories, and a module of OPA one", len(memories))
	}
	if from, name, _ := memories[0].Import(); from != "env" || name != "memory" {
		return fmt.Errorf("imports the memory %s.%s, which is no part of OPA's ABI", from, name)
	}
	return checkExports(c, exported)
}

func checkExports(c wazero.CompiledModule, names []string) error {
	for _, name := range names {
		if c.ExportedFunctions()[name] == nil {
			return fmt.Errorf("does not export %s: build it with a newer OPA", name)
		}
	}
	return nil
}

// entriesOf turns entrypoints into rules: a/b_c/deny is rule "a.b-c/deny", and
// ocjail/rules/a/b_c/findings rule "a/b-c". What is known of them goes with it.
func entriesOf(numbers map[string]int32, known map[string]engine.Rule) ([]entry, error) {
	var all []entry
	for path, n := range numbers {
		parts := strings.Split(strings.ReplaceAll(path, "_", "-"), "/")
		last := len(parts) - 1
		id := strings.Join(parts[:last], ".") + "/" + parts[last]
		word, _, _ := strings.Cut(parts[last], "-")
		severity, isRule := severities[word]
		if own, ok := strings.CutPrefix(path, engine.Reserved+"/rules/"); ok && len(parts) == 5 {
			id, isRule = strings.ReplaceAll(strings.TrimSuffix(own, "/findings"), "_", "-"), strings.HasSuffix(own, "/findings")
			severity = finding.Error
		}
		if !isRule || last == 0 {
			return nil, fmt.Errorf("its entrypoint %s is no rule: build it with entrypoints PACKAGE/deny, violation or warn, or %s/rules/CATEGORY/NAME/findings", path, engine.Reserved)
		}
		rule := engine.Rule{ID: id, Title: id, Severity: severity}
		if r, ok := known[path]; ok {
			rule, rule.ID = r, id
		}
		all = append(all, entry{rule, n})
	}
	if len(all) == 0 {
		return nil, errors.New("has no entrypoint")
	}
	slices.SortFunc(all, func(a, b entry) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
}

// severities are those of conftest's rules.
var severities = map[string]finding.Severity{"deny": finding.Error, "violation": finding.Error, "warn": finding.Warning}

func (o *opaModule) rules() []engine.Rule {
	rules := make([]engine.Rule, len(o.entries))
	for i, e := range o.entries {
		rules[i] = e.Rule
	}
	return rules
}

func (o *opaModule) reads() []string { return o.parts }

func (o *opaModule) name() string { return o.module.Name }

func (o *opaModule) evaluate(ctx context.Context, input []byte) ([]finding.Finding, error) {
	var all []finding.Finding
	err := o.within(ctx, func(i *instance) error {
		data, err := i.parse("opa_json_parse", o.data)
		if err != nil {
			return fmt.Errorf("data: %w", err)
		}
		heap, err := i.call("opa_heap_ptr_get")
		if err != nil {
			return err
		}
		for _, e := range o.entries {
			answer, err := i.evaluate(e.number, data, heap, input)
			if err != nil {
				return err
			}
			found, err := e.found(answer)
			if err != nil {
				return fmt.Errorf("rule %s: %w", e.ID, err)
			}
			all = append(all, found...)
		}
		return nil
	})
	return all, err
}

// found reads the answer to an entrypoint, a set with at most one {"result": …}.
func (e entry) found(answer []byte) ([]finding.Finding, error) {
	var results []struct{ Result json.RawMessage }
	d := json.NewDecoder(bytes.NewReader(answer))
	if err := d.Decode(&results); err != nil {
		return nil, fmt.Errorf("its answer: %w", err)
	}
	if len(results) != 1 || results[0].Result == nil {
		return nil, errors.New("is undefined for this input: a rule must always yield a set")
	}
	return findings(e.Rule, results[0].Result)
}

// within runs f on a fresh instance.
func (o *opaModule) within(ctx context.Context, f func(*instance) error) error {
	i, err := o.instantiate(ctx)
	if err != nil {
		return err
	}
	return errors.Join(f(i), i.close())
}

// checkABI makes sure that the module is of a version that is known, and exports
// what evaluates in that version.
func (o *opaModule) checkABI(i *instance) error {
	major, minor := i.global("opa_wasm_abi_version"), i.global("opa_wasm_abi_minor_version")
	switch {
	case major < 0 || minor < 0:
		return errors.New("does not say which version of OPA's ABI it has (opa_wasm_abi_version): build it with a newer OPA")
	case major != abiMajor || minor < oldestMinor || minor > newestMinor:
		return fmt.Errorf("has version %d.%d of OPA's ABI, and this ocjail runs %d.%d to %d.%d", major, minor, abiMajor, oldestMinor, abiMajor, newestMinor)
	case minor < evalMinor:
		o.steps = true
		return checkExports(o.code, exportedSlow)
	}
	return checkExports(o.code, exportedFast)
}

// global returns an exported number, -1 if there is none.
func (i *instance) global(name string) int32 {
	g := i.policy.ExportedGlobal(name)
	if g == nil || g.Type() != api.ValueTypeI32 {
		return -1
	}
	return int32(uint32(g.Get()))
}
