package wasm

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// command is a WASI program (preview 1): the policy input is its standard input,
// a JSON array of findings its standard output, and 0 its exit status.
type command struct {
	runtime wazero.Runtime
	module  Module
	code    wazero.CompiledModule
	rule    engine.Rule
	parts   []string // of the input that it reads; nil for any
}

const wasi = wasi_snapshot_preview1.ModuleName

func (e *Engine) loadCommand(ctx context.Context, m Module, c wazero.CompiledModule) (loaded, error) {
	rule, parts, err := about(m.ID, m.About)
	if err != nil {
		return nil, err
	}
	if len(c.ImportedMemories()) > 0 {
		return nil, errors.New("imports a memory: a WASI command has its own")
	}
	if e.runtime.Module(wasi) == nil {
		if _, err := wasi_snapshot_preview1.Instantiate(ctx, e.runtime); err != nil {
			return nil, err
		}
	}
	known := e.runtime.Module(wasi).ExportedFunctionDefinitions()
	for _, f := range c.ImportedFunctions() {
		from, name, _ := f.Import()
		if from != wasi || known[name] == nil {
			return nil, fmt.Errorf("imports %s.%s: a WASI command may import what %s defines, and nothing else", from, name, wasi)
		}
	}
	return &command{e.runtime, m, c, rule, parts}, nil
}

func (c *command) rules() []engine.Rule { return []engine.Rule{c.rule} }

func (c *command) reads() []string { return c.parts }

func (c *command) name() string { return c.module.Name }

// evaluate runs the program. wazero gives it by default a clock that stands
// still, the same random bytes each time, and no arguments, variables or files.
func (c *command) evaluate(ctx context.Context, input []byte) ([]finding.Finding, error) {
	out, said := &bounded{most: maxOutput}, &bounded{most: 4 << 10, cut: true}
	config := wazero.NewModuleConfig().WithName("").WithStdin(bytes.NewReader(input)).WithStdout(out).WithStderr(said)
	m, err := c.runtime.InstantiateModule(withMemory(ctx), c.code, config)
	if m != nil {
		err = errors.Join(err, m.Close(ctx))
	}
	var exit *sys.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 0 {
		err = nil
	}
	if errors.Is(err, errFull) {
		return nil, errFull
	}
	if err != nil {
		if said.Len() > 0 {
			return nil, fmt.Errorf("%w: it says %q", err, said.String())
		}
		return nil, err
	}
	return findings(c.rule, out.Bytes())
}

// bounded takes no more than most bytes. Then it drops the rest, or ends the
// program, which could overlook an error: wazero returns what a host function
// panics with.
type bounded struct {
	bytes.Buffer
	most int
	cut  bool
}

var errFull = fmt.Errorf("writes more than %d MiB", maxOutput>>20)

func (b *bounded) Write(p []byte) (int, error) {
	if room := b.most - b.Len(); len(p) > room {
		if !b.cut {
			panic(errFull)
		}
		b.Buffer.Write(p[:room])
		return len(p), nil
	}
	return b.Buffer.Write(p)
}
