package wasm_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/engine/wasm"
	"github.com/refnil/opencode-jail-devenv/checker/engine/wasm/wasmtest"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// guest compiles a Go program for WASI.
func guest(t *testing.T, source string) []byte {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"main.go": source, "go.mod": "module guest\n\ngo 1.24\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command("go", "build", "-o", "guest.wasm", ".")
	c.Dir, c.Env = dir, append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOWORK=off")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	code, err := os.ReadFile(filepath.Join(dir, "guest.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// A program gets the input and nothing of the world.
func TestCommand(t *testing.T) {
	code := guest(t, `package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

func main() {
	var input struct{ Phase string }
	if err := json.NewDecoder(os.Stdin).Decode(&input); err != nil {
		panic(err)
	}
	found := []any{input.Phase, map[string]any{"msg": "as conftest"}, map[string]any{"message": "own", "subject": map[string]any{"kind": "session"}, "severity": "info"}}
	if _, err := os.ReadDir("/"); err == nil {
		found = append(found, "reads the root")
	}
	if f, err := os.Create("x"); err == nil {
		found = append(found, "writes "+f.Name())
	}
	if len(os.Environ()) > 0 || len(os.Args) > 1 {
		found = append(found, fmt.Sprint("knows ", os.Environ(), os.Args))
	}
	if _, err := net.Dial("tcp", "127.0.0.1:1"); err == nil {
		found = append(found, "dials")
	}
	if time.Now().Year() > 2022 {
		found = append(found, "knows the time")
	}
	if rest, err := io.ReadAll(os.Stdin); err != nil || len(rest) > 0 {
		found = append(found, "has more input")
	}
	fmt.Fprintln(os.Stderr, "chatter")
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		panic(err)
	}
}
`)
	e, err := open(t, "{}", wasm.Module{Name: "rule.wasm", ID: "acme/rule", Code: code, About: []byte(`{"severity": "warning", "title": "T", "remedy": "R"}`)})
	if err != nil {
		t.Fatal(err)
	}
	plain := finding.Finding{Rule: "acme/rule", Severity: finding.Warning, Title: "T", Remedy: "R", Subject: finding.Subject{Kind: "config", Name: "acme/rule"}}
	launch, conftest, own := plain, plain, plain
	launch.Message, conftest.Message, own.Message = "launch", "as conftest", "own"
	own.Subject, own.Severity = finding.Subject{Kind: "session"}, finding.Info
	for range 2 {
		got, err := e.Evaluate(t.Context(), input)
		if diff := cmp.Diff([]finding.Finding{conftest, launch, own}, got); err != nil || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
	}
}

// Whatever is no answer is no verdict.
func TestCommandFails(t *testing.T) {
	for name, tc := range map[string]struct {
		program wasmtest.Program
		want    string
	}{
		"trap":              {wasmtest.Program{Start: wasmtest.Unreachable}, "unreachable"},
		"says nothing":      {wasmtest.Program{}, "no JSON array"},
		"exit status":       {wasmtest.Program{Start: wasmtest.Exit(3)}, "exit_code(3)"},
		"exit without word": {wasmtest.Program{Start: wasmtest.Exit(0)}, "no JSON array"},
		"no JSON":           {wasmtest.Program{Start: wasmtest.Print("hello")}, "no JSON array"},
		"null":              {wasmtest.Program{Start: wasmtest.Print("null")}, "no JSON array"},
		"an object":         {wasmtest.Program{Start: wasmtest.Print("{}")}, "no JSON array"},
		"two arrays":        {wasmtest.Program{Start: wasmtest.Print("[] []")}, "no JSON array"},
		"invalid UTF-8":     {wasmtest.Program{Start: wasmtest.Print("[\"\xff\"]")}, "not UTF-8"},
		"unknown severity":  {wasmtest.Program{Start: wasmtest.Print(`[{"message": "m", "subject": {"kind": "path"}, "severity": "fatal"}]`)}, "unknown severity"},
		"raised severity":   {wasmtest.Program{Start: wasmtest.Print(`[{"message": "m", "subject": {"kind": "path"}, "severity": "error"}]`)}, "above the rule's"},
		"gigabytes":         {wasmtest.Program{Start: wasmtest.Forever(wasmtest.Print(strings.Repeat("x", 60000)))}, "writes more than 16 MiB"},
		"more memory":       {wasmtest.Program{Start: wasmtest.Forever(wasmtest.Grow(100))}, "unreachable"},
		"recursion":         {wasmtest.Program{Start: wasmtest.Recurse}, "stack overflow"},
	} {
		e, err := open(t, "{}", wasm.Module{Name: "rule.wasm", ID: "acme/rule", Code: tc.program.Encode(), About: []byte(`{"severity": "warning"}`)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if fs, err := e.Evaluate(t.Context(), input); err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "rule.wasm: ") {
			t.Errorf("%s: %+v, error %.300v, want one with %q", name, fs, err, tc.want)
		}
	}
	e, err := open(t, "{}", wasm.Module{Name: "rule.wasm", ID: "acme/rule", Code: wasmtest.Program{Start: wasmtest.Print("[]")}.Encode()})
	if err != nil {
		t.Fatal(err)
	}
	if fs, err := e.Evaluate(t.Context(), input); err != nil || len(fs) > 0 {
		t.Errorf("nothing found: %v %v", fs, err)
	}
}

func TestRefusesCommands(t *testing.T) {
	for name, tc := range map[string]struct {
		program wasmtest.Program
		about   string
		want    string
	}{
		"unknown import":       {wasmtest.Program{Import: "path_destroy"}, "", "imports wasi_snapshot_preview1.path_destroy"},
		"unknown module":       {wasmtest.Program{Import: "env.system"}, "", "imports env.system"},
		"too much memory":      {wasmtest.Program{Pages: 5000}, "", "5000"},
		"unknown field":        {wasmtest.Program{}, `{"sevrity": "info"}`, `unknown field "sevrity"`},
		"unknown severity":     {wasmtest.Program{}, `{"severity": "fatal"}`, `unknown severity "fatal"`},
		"unknown part":         {wasmtest.Program{}, `{"reads": ["jial"]}`, `reads: the policy input has no part "jial", but agent, host, jail`},
		"described by nothing": {wasmtest.Program{}, " ", "EOF"},
	} {
		m := wasm.Module{Name: "rule.wasm", ID: "acme/rule", Code: tc.program.Encode()}
		if tc.about != "" {
			m.About = []byte(tc.about)
		}
		if _, err := open(t, "{}", m); err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "rule.wasm: ") {
			t.Errorf("%s: error %.300v, want one with %q", name, err, tc.want)
		}
	}
}
