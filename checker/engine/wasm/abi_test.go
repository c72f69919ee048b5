package wasm_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/engine/wasm"
)

// Sections of a module and kinds of export (WebAssembly core specification, 5.5).
const (
	globalSection = 6
	exportSection = 7
	globalKind    = 3
)

// section returns the content of a module's section, which shares its memory.
func section(t *testing.T, code []byte, id byte) []byte {
	t.Helper()
	for rest := code[8:]; len(rest) > 0; {
		size, n := binary.Uvarint(rest[1:])
		content := rest[1+n:][:size]
		if rest[0] == id {
			return content
		}
		rest = rest[1+n+int(size):]
	}
	t.Fatalf("no section %d", id)
	return nil
}

// global returns the one byte of an exported i32 constant below 64.
func global(t *testing.T, code []byte, name string) *byte {
	t.Helper()
	exports := section(t, code, exportSection)
	at := bytes.Index(exports, append([]byte{byte(len(name))}, name...))
	if at < 0 || exports[at+1+len(name)] != globalKind {
		t.Fatalf("no global %s", name)
	}
	index, _ := binary.Uvarint(exports[at+2+len(name):])
	globals := section(t, code, globalSection)
	count, n := binary.Uvarint(globals)
	globals = globals[n:]
	for range min(index, count) { // type, mutability, i32.const, a number, end
		globals = globals[3:]
		_, n := binary.Uvarint(globals) // signed ones are as long
		globals = globals[n+1:]
	}
	if globals[2] != 0x41 || globals[4] != 0x0b {
		t.Fatalf("%s is no small constant: % x", name, globals[:5])
	}
	return &globals[3]
}

// version makes a module of another version of the ABI, without the exports of the
// names, which are called otherwise.
func version(t *testing.T, code []byte, major, minor byte, without ...string) []byte {
	t.Helper()
	code = bytes.Clone(code)
	*global(t, code, "opa_wasm_abi_version"), *global(t, code, "opa_wasm_abi_minor_version") = major, minor
	exports := section(t, code, exportSection)
	for _, name := range without {
		at := bytes.Index(exports, append([]byte{byte(len(name))}, name...))
		if at < 0 {
			t.Fatalf("%s is not exported", name)
		}
		exports[at+len(name)] = '_'
	}
	return code
}

// A module of version 1.1, which has no opa_eval, finds what it does in 1.3. OPA
// 0.28 makes the like.
func TestOldABI(t *testing.T) {
	code := build(t, rule, "acme/no_tmp/deny", "acme/no_tmp/warn", "acme/no_tmp/violation")
	e, err := open(t, data, wasm.Module{Name: "rule.wasm", Code: code})
	if err != nil {
		t.Fatal(err)
	}
	old, err := open(t, data, wasm.Module{Name: "rule.wasm", Code: version(t, code, 1, 1, "opa_eval")})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		want, err := e.Evaluate(t.Context(), input)
		if err != nil {
			t.Fatal(err)
		}
		got, err := old.Evaluate(t.Context(), input)
		if diff := cmp.Diff(want, got); err != nil || diff != "" || len(got) != 4 {
			t.Fatalf("1.3 (-), 1.1 (+), %v:\n%s", err, diff)
		}
	}
	for name, rego := range map[string]string{
		"a host function fails": "package a\ndeny contains x if x := regex.replace(input.phase, \"(\", \"x\")",
		"undefined":             "package a\ndeny := {\"x\"} if input.nothing",
		"conflict":              "package a\ndeny := {\"x\"} if input.version\ndeny := {\"y\"} if input.phase",
	} {
		e, err := open(t, "{}", wasm.Module{Name: "rule.wasm", Code: version(t, build(t, rego, "a/deny"), 1, 1, "opa_eval")})
		if err != nil {
			t.Fatal(err)
		}
		if fs, err := e.Evaluate(t.Context(), input); err == nil || !strings.HasPrefix(err.Error(), "rule.wasm: ") {
			t.Errorf("%s: %+v, error %v", name, fs, err)
		}
	}
}

func TestRefusesABI(t *testing.T) {
	code := build(t, rule, "acme/no_tmp/deny")
	for name, tc := range map[string]struct {
		code []byte
		want string
	}{
		"older":               {version(t, code, 1, 0), "has version 1.0 of OPA's ABI, and this ocjail runs 1.1 to 1.3"},
		"newer":               {version(t, code, 1, 4), "has version 1.4 of OPA's ABI, and this ocjail runs 1.1 to 1.3"},
		"another":             {version(t, code, 2, 1), "has version 2.1 of OPA's ABI"},
		"no version":          {version(t, code, 1, 3, "opa_wasm_abi_version"), "does not say which version of OPA's ABI it has (opa_wasm_abi_version)"},
		"no minor version":    {version(t, code, 1, 3, "opa_wasm_abi_minor_version"), "does not say which version"},
		"1.2 with no eval":    {version(t, code, 1, 2, "opa_eval"), "does not export opa_eval: build it with a newer OPA"},
		"1.1 with no context": {version(t, code, 1, 1, "opa_eval_ctx_new"), "does not export opa_eval_ctx_new"},
	} {
		if _, err := open(t, "{}", wasm.Module{Name: "rule.wasm", Code: tc.code}); err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "rule.wasm: ") {
			t.Errorf("%s: error %v, want one with %q", name, err, tc.want)
		}
	}
}
