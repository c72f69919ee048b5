package wasm

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/refnil/opencode-jail-devenv/checker/engine/cache"
)

// startless is a WASI command that says nothing and ends, in the binary format of
// WebAssembly, with enough code to be worth keeping.
func startless() []byte {
	const i32, i32const, globalGet, globalSet, add, end = 0x7f, 0x41, 0x23, 0x24, 0x6a, 0x0b
	body := []byte{0}
	for range 2000 {
		body = append(body, globalGet, 0, i32const, 1, add, globalSet, 0)
	}
	body = append(body, end)
	code := append([]byte{1}, binary.AppendUvarint(nil, uint64(len(body)))...)
	m := []byte("\x00asm\x01\x00\x00\x00")
	m = section(m, 1, []byte{1, 0x60, 0, 0})
	m = section(m, 3, []byte{1, 0})
	m = section(m, 6, []byte{1, i32, 1, i32const, 0, end})
	m = section(m, 7, append(text([]byte{1}, "_start"), 0, 0))
	return section(m, 10, append(code, body...))
}

func keep(t *testing.T) *cache.Cache {
	t.Helper()
	dir, err := filepath.EvalSymlinks(os.Getenv("WASM_TEST_DIR"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := cache.Open(cache.Place{Cache: filepath.Join(dir, "ocjail"), Home: dir})
	if err != nil {
		t.Fatal(err)
	}
	nativeMaker = func() (string, error) { return "test", nil }
	return c
}

// run loads the module and has it judge, with what was kept of it.
func run(t *testing.T, c *cache.Cache) {
	t.Helper()
	e, err := Open(t.Context(), Options{Cache: c, Note: func(n string) { t.Error(n) }}, Module{Name: "m", ID: "a/m", Code: startless()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Evaluate(context.Background(), []byte("{}")); err == nil || !strings.Contains(err.Error(), "no JSON array") {
		t.Fatalf("the module ran otherwise: %v", err)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// That native code in a cache is run is why its key must vouch for it: code of
// somebody who has the key kills the process here.
func TestNativeCodeIsRun(t *testing.T) {
	if os.Getenv("WASM_TEST_DIR") != "" {
		run(t, keep(t))
		return
	}
	t.Setenv("WASM_TEST_DIR", t.TempDir())
	c := keep(t)
	run(t, c)
	again := func() ([]byte, error) {
		return exec.Command(os.Args[0], "-test.run", "^TestNativeCodeIsRun$").CombinedOutput()
	}
	if out, err := again(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	entry := entryOf(t, startless())
	code, err := c.Get(entry)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Put(entry, trapping(t, code)); err != nil {
		t.Fatal(err)
	}
	out, err := again()
	if err == nil || !strings.Contains(string(out), "SIGTRAP") && !strings.Contains(string(out), "SIGILL") {
		t.Fatalf("planted code was not run: %v: %s", err, out)
	}
}

// spy learns wazero's keys.
type spy struct{ asked [][32]byte }

func (s *spy) Get(key [32]byte) (io.ReadCloser, bool, error) {
	s.asked = append(s.asked, key)
	return nil, false, nil
}
func (s *spy) Add([32]byte, io.Reader) error { return nil }
func (s *spy) Delete([32]byte) error         { return nil }

// entryOf is the module's in a cache.
func entryOf(t *testing.T, code []byte) cache.Entry {
	t.Helper()
	s := &spy{}
	native, err := keeping(s)
	if err != nil {
		t.Fatal(err)
	}
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfig().WithCompilationCache(native))
	defer r.Close(t.Context())
	if _, err := r.CompileModule(t.Context(), code); err != nil || len(s.asked) != 1 {
		t.Fatal(err, s.asked)
	}
	return cache.Entry{Kind: nativeKind, Maker: "test", ID: s.asked[0]}
}

// trapping replaces the machine code of wazero's serialized form, and its checksum
// (internal/engine/wazevo/engine_cache.go), by instructions that trap.
func trapping(t *testing.T, code []byte) []byte {
	t.Helper()
	at := len("WAZEVO")
	at += 1 + int(code[at])
	at += 4 + 8*int(binary.LittleEndian.Uint32(code[at:]))
	size := int(binary.LittleEndian.Uint64(code[at:]))
	machine := code[at+8 : at+8+size]
	clear(machine) // on arm64 that is udf
	if runtime.GOARCH == "amd64" {
		copy(machine, bytes.Repeat([]byte{0xcc}, size)) // int3
	}
	binary.LittleEndian.PutUint32(code[at+8+size:], crc32.Checksum(machine, crc32.MakeTable(crc32.Castagnoli)))
	return code
}
