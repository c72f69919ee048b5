package wasm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/engine/wasm/wasmtest"
	"github.com/refnil/opencode-jail-devenv/checker/host/hosttest"
)

// programs are ocjail, ocjail-rules and ocjail-wasm, in one folder that only their owner can write.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "ocjail-wasm-")
	if err != nil {
		return "", err
	}
	return dir, hosttest.Build(dir, "ocjail", "ocjail-rules", "ocjail-wasm")
})

func TestMain(m *testing.M) {
	status := m.Run()
	if dir, err := programs(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(status)
}

// organisation is a folder of rules, and an ocjail.hcl that names it.
type organisation struct {
	t        *testing.T
	dir, bin string
}

func newOrganisation(t *testing.T) *organisation {
	t.Helper()
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	o := &organisation{t, t.TempDir(), bin}
	for _, d := range []string{"rules/acme", "home", "project/.git"} {
		if err := os.MkdirAll(filepath.Join(o.dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	o.within("1m") // so that no rule lacks time on a busy machine
	return o
}

// within writes an ocjail.hcl that gives the rules so much time.
func (o *organisation) within(limit string) {
	o.t.Helper()
	o.write("ocjail.hcl", fmt.Appendf(nil, "policy \"acme\" {\n  source = \"rules\"\n}\ngate {\n  timeout = %q\n}\n", limit))
}

// withOPA has modules judged in ocjail-rules, as where there is no ocjail-wasm.
func (o *organisation) withOPA() {
	o.t.Helper()
	dir := filepath.Join(o.dir, "bin")
	if err := os.Mkdir(dir, 0o755); err != nil {
		o.t.Fatal(err)
	}
	for _, name := range []string{"ocjail", "ocjail-rules"} {
		if err := os.Link(filepath.Join(o.bin, name), filepath.Join(dir, name)); err != nil {
			o.t.Fatal(err)
		}
	}
	o.bin = dir
}

func (o *organisation) write(name string, text []byte) {
	o.t.Helper()
	if err := os.WriteFile(filepath.Join(o.dir, name), text, 0o644); err != nil {
		o.t.Fatal(err)
	}
}

// environ has ocjail keep to the folder.
func (o *organisation) environ() []string {
	home := filepath.Join(o.dir, "home")
	return append(os.Environ(), "HOME="+home, hosttest.HomeVariable+"="+home, "XDG_CONFIG_HOME=", "XDG_CACHE_HOME=")
}

// ocjail runs it in the project and returns its exit status and what it says.
func (o *organisation) ocjail(stdin string, words ...string) (status int, stdout, stderr string) {
	o.t.Helper()
	c := exec.CommandContext(o.t.Context(), filepath.Join(o.bin, "ocjail"), words...)
	c.Dir = filepath.Join(o.dir, "project")
	c.Env = o.environ()
	c.Stdin = strings.NewReader(stdin)
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		o.t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String(), said.String()
}

const (
	jail = `"--ro-bind", "/usr", "/usr", "--unshare-user", "--unshare-pid", "--clearenv", "--die-with-parent"`
	open = `[` + jail + `, "--", "/usr/bin/true"]`
	shut = `[` + jail + `, "--unshare-net", "--", "/usr/bin/true"]`
)

// found are the findings of the organisation's rule, as JSON without their title.
func (o *organisation) found(argv string) []map[string]any {
	o.t.Helper()
	status, out, said := o.ocjail(argv, "lint", "--config", filepath.Join(o.dir, "ocjail.hcl"), "--format", "json", "-")
	if status == 2 {
		o.t.Fatal(said)
	}
	var doc struct {
		Targets []struct{ Findings []map[string]any }
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		o.t.Fatal(err)
	}
	found := []map[string]any{}
	for _, f := range doc.Targets[0].Findings {
		if f["rule"] == "acme/no-network" {
			found = append(found, f)
		}
	}
	return found
}

// guest builds a rule in rules/acme.
func (o *organisation) guest(env []string, command ...string) {
	o.t.Helper()
	if _, err := exec.LookPath(command[0]); err != nil {
		o.t.Fatalf("%v: run tests/install/install.sh tests", err)
	}
	c := exec.Command(command[0], append(command[1:], "-o", filepath.Join(o.dir, "rules/acme/no-network.wasm"))...)
	c.Env = append(os.Environ(), env...)
	if out, err := c.CombinedOutput(); err != nil {
		o.t.Fatalf("%v: %v\n%s", command, err, out)
	}
	about, err := os.ReadFile("guests/no-network.json")
	if err != nil {
		o.t.Fatal(err)
	}
	o.write("rules/acme/no-network.json", about)
}

// One rule in Rego, in Rego compiled, in Go and in C finds the same.
func TestGuests(t *testing.T) {
	want := []map[string]any{{
		"rule": "acme/no-network", "severity": "warning", "title": "The network is shared", "message": "the jail shares the host's network",
		"subject": map[string]any{"kind": "namespace", "name": "net"}, "remedy": "add --unshare-net",
	}}
	for name, build := range map[string]func(*organisation){
		"Rego": func(o *organisation) {
			text, err := os.ReadFile("guests/rego/no_network.rego")
			if err != nil {
				t.Fatal(err)
			}
			o.write("rules/acme/no_network.rego", text)
		},
		"Rego compiled": func(o *organisation) {
			rego, err := filepath.Abs("guests/rego")
			if err != nil {
				t.Fatal(err)
			}
			if status, out, said := o.ocjail("", "build", rego, "-o", filepath.Join(o.dir, "rules/acme.wasm")); status != 0 || !strings.Contains(out, "acme.wasm: 1 rule, ") {
				t.Fatalf("%d %s%s", status, out, said)
			}
		},
		"Go": func(o *organisation) {
			o.guest([]string{"GOOS=wasip1", "GOARCH=wasm"}, "go", "build", "-C", "guests/go")
		},
		"C": func(o *organisation) { o.guest(nil, "clang", "--target=wasm32-wasi", "-O2", "guests/c/no-network.c") },
	} {
		t.Run(name, func(t *testing.T) {
			o := newOrganisation(t)
			build(o)
			for _, small := range []bool{true, false} {
				if !small {
					o.withOPA()
				}
				if diff := cmp.Diff(want, o.found(open)); diff != "" {
					t.Error(diff)
				}
				if found := o.found(shut); len(found) > 0 {
					t.Errorf("without a network: %v", found)
				}
			}
		})
	}
}

// Whatever a module does, the jail is not allowed, the module is named and ocjail
// lives to say so.
func TestIllNatured(t *testing.T) {
	for _, name := range []string{"ocjail-wasm", "ocjail-rules"} {
		t.Run(name, func(t *testing.T) {
			o := newOrganisation(t)
			if name == "ocjail-rules" {
				o.withOPA()
			}
			illNatured(t, o)
		})
	}
}

func illNatured(t *testing.T, o *organisation) {
	t.Helper()
	for name, tc := range map[string]struct {
		program wasmtest.Program
		want    string
	}{
		"endless loop":             {wasmtest.Program{Start: wasmtest.Loop}, "rules overran the time limit of 1s"},
		"endless before the start": {wasmtest.Program{Begin: wasmtest.Loop}, "rules overran the time limit of 1s"},
		"endless output":           {wasmtest.Program{Start: wasmtest.Forever(wasmtest.Print(strings.Repeat("x", 60000)))}, "writes more than 16 MiB"},
		"deep recursion":           {wasmtest.Program{Start: wasmtest.Recurse}, "stack overflow"},
		"all the memory":           {wasmtest.Program{Start: wasmtest.Forever(wasmtest.Grow(1000))}, ""}, // of its end or of its time
		"trap":                     {wasmtest.Program{Start: wasmtest.Unreachable}, "unreachable"},
		"failure":                  {wasmtest.Program{Start: wasmtest.Exit(1)}, "exit_code(1)"},
		"no answer":                {wasmtest.Program{}, "no JSON array"},
		"unknown import":           {wasmtest.Program{Import: "env.system"}, "imports env.system"},
	} {
		// What ends by itself has all the time that there is, on however busy a machine.
		limit := "1m"
		if strings.HasPrefix(name, "endless") && name != "endless output" || name == "all the memory" {
			limit = "1s"
		}
		o.within(limit)
		o.write("rules/acme/bad.wasm", tc.program.Encode())
		status, out, said := o.ocjail(shut, "lint", "--config", filepath.Join(o.dir, "ocjail.hcl"), "-")
		if status != 2 || !strings.Contains(said, tc.want) || !strings.Contains(said, "acme/bad.wasm") {
			t.Errorf("%s: status %d\n%s%s", name, status, out, said)
		}
	}
	o.within("1m")
	o.write("rules/acme/bad.wasm", wasmtest.Program{Start: wasmtest.Print("[]")}.Encode())
	if status, out, said := o.ocjail(shut, "lint", "--config", filepath.Join(o.dir, "ocjail.hcl"), "-"); status != 0 {
		t.Errorf("a good one: status %d\n%s%s", status, out, said)
	}
}

// Broken files are errors that name the file.
func TestBrokenFiles(t *testing.T) {
	good := wasmtest.Program{Start: wasmtest.Print("[]")}.Encode()
	for name, tc := range map[string]struct {
		files map[string]string
		want  string
	}{
		"no rule at all":   {nil, "no rule and no list"},
		"text":             {map[string]string{"acme/x.wasm": "hello"}, "acme/x.wasm: is no WASM module"},
		"truncated":        {map[string]string{"acme/x.wasm": string(good[:40])}, "acme/x.wasm: is no WASM module"},
		"description":      {map[string]string{"acme/x.wasm": string(good), "acme/x.json": `{"severty": "info"}`}, `acme/x.wasm: its description: json: unknown field "severty"`},
		"a rule of ours":   {map[string]string{"fs/root_exposed.wasm": string(good)}, "fs/root-exposed"},
		"one rule, twice":  {map[string]string{"acme/x_y.wasm": string(good), "acme/x-y.wasm": string(good)}, "acme/x_y.wasm: leave one out, or rename one"},
		"in two languages": {map[string]string{"acme/x.wasm": string(good), "x.rego": "# METADATA\n# custom:\n#   severity: error\npackage ocjail.rules.acme.x\nfindings contains {} if false"}, "rule acme/x is defined twice, in "},
	} {
		o := newOrganisation(t)
		for file, text := range tc.files {
			if err := os.MkdirAll(filepath.Join(o.dir, "rules", filepath.Dir(file)), 0o755); err != nil {
				t.Fatal(err)
			}
			o.write("rules/"+file, []byte(text))
		}
		status, out, said := o.ocjail(shut, "lint", "--config", filepath.Join(o.dir, "ocjail.hcl"), "-")
		if status != 2 || !strings.Contains(said, tc.want) {
			t.Errorf("%s: status %d\n%s%s", name, status, out, said)
		}
	}
}

func TestBuildRefuses(t *testing.T) {
	o := newOrganisation(t)
	o.write("clock.rego", []byte("package a\ndeny contains time.now_ns()"))
	o.write("helper.rego", []byte("package a\nx := 1"))
	target := filepath.Join(o.dir, "out.wasm")
	for name, tc := range map[string]struct {
		words []string
		want  string
	}{
		"clock":       {[]string{filepath.Join(o.dir, "clock.rego"), "-o", target}, "undefined function time.now_ns"},
		"no rule":     {[]string{filepath.Join(o.dir, "helper.rego"), "-o", target}, "no rule in any source"},
		"absent":      {[]string{filepath.Join(o.dir, "none"), "-o", target}, "no such file"},
		"no rego":     {[]string{filepath.Join(o.dir, "ocjail.hcl"), "-o", target}, "neither a folder nor a .rego file"},
		"no output":   {[]string{filepath.Join(o.dir, "clock.rego")}, "name the module with -o FILE.wasm"},
		"no such dir": {[]string{"../../../tests/wasm/guests/rego", "-o", filepath.Join(o.dir, "none/x.wasm")}, "no such file"},
	} {
		if status, out, said := o.ocjail("", append([]string{"build"}, tc.words...)...); status != 2 || !strings.Contains(said, tc.want) {
			t.Errorf("%s: status %d\n%s%s", name, status, out, said)
		}
	}
	if _, err := os.Stat(target); err == nil {
		t.Error("a module was left behind")
	}
}
