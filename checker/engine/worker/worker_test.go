//go:build linux

package worker_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/opa"
	"github.com/refnil/opencode-jail-devenv/checker/engine/wasm"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker/workertest"
)

// beside is where a test's worker must be; real is the one of this build.
var beside, real string

func TestMain(m *testing.M) {
	if os.Getenv("WORKER_TEST_PARENT") != "" {
		parent()
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "ocjail-worker-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	beside = filepath.Join(filepath.Dir(self), worker.Name)
	if real, err = workertest.Build(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// install puts the real worker, or a shell script, beside the test.
func install(t *testing.T, script string) {
	t.Helper()
	t.Cleanup(func() { os.Remove(beside) })
	os.Remove(beside) // that of an install before
	var err error
	if script == "" {
		err = os.Symlink(real, beside)
		installWASM(t, "")
	} else {
		err = os.WriteFile(beside, []byte("#!/bin/sh\n"+script), 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// installWASM is install for ocjail-wasm.
func installWASM(t *testing.T, script string) {
	t.Helper()
	of := func(program string) string { return filepath.Join(filepath.Dir(program), worker.WASM) }
	t.Cleanup(func() { os.Remove(of(beside)) })
	os.Remove(of(beside)) // that of an install before
	var err error
	if script == "" {
		err = os.Symlink(of(real), of(beside))
	} else {
		err = os.WriteFile(of(beside), []byte("#!/bin/sh\n"+script), 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func files(t *testing.T, pairs ...string) []engine.File {
	t.Helper()
	m := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	read, err := engine.Read(engine.Source{Name: "acme", FS: m})
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func open(t *testing.T, limit time.Duration, rules []engine.File) (*worker.Worker, error) {
	t.Helper()
	w, err := worker.Start(worker.Options{TimeLimit: limit}, rules)
	if err != nil {
		return nil, err
	}
	t.Cleanup(w.Close)
	return w, w.Open(t.Context())
}

const simple = "package main\ndeny contains \"no\""

var input = []byte(`{"version": 1, "phase": "lint", "never": -1}`)

func TestJudgesAsOPADoesHere(t *testing.T) {
	install(t, "")
	rules := files(t, "main.rego", `package main
deny contains msg if {
	some name in data.acme.names
	data.ocjail.lib.paths.under(name, "/a")
	msg := sprintf("%s in %s", [name, input.phase])
}
warn contains {"msg": "known"} if "/dev/null" in data.ocjail.tolerated.devices`,
		"data/acme.json", `{"names": ["/a/b", "/c"]}`)
	w, err := open(t, 0, rules)
	if err != nil {
		t.Fatal(err)
	}
	o, err := opa.New(t.Context(), opa.Options{WithoutPack: true}, engine.EmbeddedPack(), rules[0].Source)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(o.Rules(), w.Rules()); diff != "" || len(w.Rules()) != 2 {
		t.Errorf("here (-), there (+):\n%s", diff)
	}
	want, err := o.Evaluate(t.Context(), input)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // one process judges many inputs
		got, err := w.Evaluate(t.Context(), input)
		if diff := cmp.Diff(want, got); err != nil || diff != "" || len(got) != 2 {
			t.Errorf("here (-), there (+), %v:\n%s", err, diff)
		}
	}
}

// What a less trusted layer adds to the packages and lists of another changes
// nothing for that one's rules; within a layer it does.
func TestLayersShareNothing(t *testing.T) {
	install(t, "")
	rules := func(layer string, pairs ...string) []engine.File {
		all := files(t, pairs...)
		for i := range all {
			all[i].Source.Name, all[i].Source.Layer = layer, layer
		}
		return all
	}
	const deny = "package acme\nexempt contains \"nobody\"\ndeny contains \"no\" if { not exempt[\"usr\"]; not \"usr\" in data.tables.names }"
	organisation := func(more ...string) []engine.File {
		return rules("organisation", append(more, "a.rego", deny, "data/tables.json", `{"names": ["x"]}`)...)
	}
	const helper, list = "package acme\nexempt contains \"usr\"\nwarn contains \"mine\"", `{"names": ["usr"]}`
	for _, tc := range []struct {
		name  string
		rules []engine.File
		want  int // findings
	}{
		{"alone", organisation(), 1},
		{"its own helper", organisation("b.rego", "package acme\nexempt contains \"usr\""), 0},
		{"another's helper", append(organisation(), rules("project", "b.rego", helper)...), 2},
		{"another's list", append(organisation(), rules("project", "b.rego", "package x\nwarn contains \"mine\"", "data/tables.json", list)...), 2},
	} {
		w, err := open(t, 0, tc.rules)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if found, err := w.Evaluate(t.Context(), input); err != nil || len(found) != tc.want {
			t.Errorf("%s: %v, %v", tc.name, found, err)
		}
	}
	if _, err := open(t, 0, append(organisation(), rules("project", "b.rego", deny, "data/tables.json", list)...)); err == nil || !strings.Contains(err.Error(), "defined twice") {
		t.Errorf("two rules of one name: %v", err)
	}
}

func TestRefusesRules(t *testing.T) {
	install(t, "")
	for _, tc := range []struct{ name, want, text string }{
		{"syntax", "acme: x.rego:2", "package main\ndeny contains {"},
		{"clock", "undefined function time.now_ns", "package main\ndeny contains time.now_ns()"},
		{"no rule", "no rule in any source", "package main\nx := 1"},
		{"rule of the pack", "rule fs/root-exposed is defined twice", "# METADATA\n# custom:\n#   severity: error\npackage ocjail.rules.fs.root_exposed\nfindings contains 1"},
		{"package of the pack", "ocjail's own", "package ocjail.lib.paths\nx := 1"},
	} {
		if _, err := open(t, 0, files(t, "x.rego", tc.text)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one with %q", tc.name, err, tc.want)
		}
	}
}

func TestNoVerdict(t *testing.T) {
	install(t, "")
	for _, tc := range []struct {
		name, want, text string
		limit            time.Duration
	}{
		{"broken rule", "divide by zero", "package main\ndeny contains sprintf(\"%d\", [1 / (input.version - 1)])", 0},
		{"endless", "time limit of 200ms", "package main\ndeny contains \"x\" if {\n some a in numbers.range(1, 100000)\n some b in numbers.range(1, 100000)\n a * b == input.never\n}", 200 * time.Millisecond},
		{"too much memory", "gave no answer", "package main\ndeny contains \"x\" if count(numbers.range(1, 1000000000)) == input.never", time.Hour},
	} {
		w, err := open(t, tc.limit, files(t, "x.rego", tc.text))
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if fs, err := w.Evaluate(t.Context(), input); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %+v, error %v, want one with %q", tc.name, fs, err, tc.want)
		}
	}
}

// Once a worker is out of step it judges nothing any more.
func TestNoVerdictAfterwards(t *testing.T) {
	install(t, "")
	w, err := open(t, 0, files(t, "x.rego", simple))
	if err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Evaluate(cancelled, input); err == nil {
		t.Error("evaluated without time")
	}
	if fs, err := w.Evaluate(t.Context(), input); err == nil {
		t.Errorf("evaluated afterwards: %+v", fs)
	}
	w.Close()
	w.Close()
}

// hello is a shell command that says h.
func hello(t *testing.T, h worker.Hello) string {
	t.Helper()
	doc, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	var octal strings.Builder
	for _, b := range append(binary.BigEndian.AppendUint32(nil, uint32(len(doc))), doc...) {
		fmt.Fprintf(&octal, `\%03o`, b)
	}
	return "printf '" + octal.String() + "'\n"
}

func TestRefusesWorkers(t *testing.T) {
	other := worker.Identity()
	other.Version = "v0.0.1"
	rules := worker.Identity()
	rules.Pack = strings.Repeat("0", 64)
	protocol := worker.Identity()
	protocol.Protocol++
	for _, tc := range []struct{ name, want, script string }{
		{"another version", "are not of one build", hello(t, other) + "sleep 100"},
		{"another pack", "are not of one build", hello(t, rules) + "sleep 100"},
		{"another protocol", "are not of one build", hello(t, protocol) + "sleep 100"},
		{"text", "gave no answer", "echo hello"},
		{"huge message", "gave no answer", `printf '\377\377\377\377'; sleep 100`},
		{"nothing", "exit status 0", "exit 0"},
		{"failure", "exit status 3: no such thing", "echo no such thing >&2; exit 3"},
		{"unknown field", "unknown field", `printf '\000\000\000\012{"more":1}'; sleep 100`},
		{"two values", "more than one value", `printf '\000\000\000\004{}{}'; sleep 100`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			install(t, tc.script)
			_, err := open(t, 0, files(t, "x.rego", simple))
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), beside) {
				t.Errorf("error %v, want one with %q and %s", err, tc.want, beside)
			}
		})
	}
}

func TestOpenStopsWithItsContext(t *testing.T) {
	install(t, "sleep 100")
	w, err := worker.Start(worker.Options{}, files(t, "x.rego", simple))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.Open(ctx); err == nil {
		t.Error("opened")
	}
}

func TestProgramIsMissing(t *testing.T) {
	for _, place := range []struct {
		want string
		put  func() error
	}{
		{"install it beside ocjail", func() error { return nil }},
		{"is no program", func() error { return os.Mkdir(beside, 0o755) }},
		{"is no program", func() error { return os.WriteFile(beside, nil, 0o644) }},
	} {
		if err := place.put(); err != nil {
			t.Fatal(err)
		}
		_, err := worker.Start(worker.Options{}, files(t, "x.rego", simple))
		if err == nil || !strings.Contains(err.Error(), place.want) {
			t.Errorf("error %v, want one with %q", err, place.want)
		}
		os.Remove(beside)
	}
}

// What the caller left open and its environment stay out of the worker.
func TestInheritsNothing(t *testing.T) {
	t.Setenv("SECRET", "hunter2")
	// It is started, then limited, and told nothing before.
	install(t, `n=0; while [ $n -lt 500 ] && { [ "$(ulimit -f)" != 0 ] || [ "$(ulimit -d)" = unlimited ]; }; do n=$((n+1)); sleep 0.01; done
echo "[$SECRET]" $(pwd) /proc/self/fd/* >&2; ulimit -f >&2; ulimit -d >&2; exit 1`)
	fd, err := unix.FcntlInt(2, unix.F_DUPFD, 50)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	_, err = open(t, 0, files(t, "x.rego", simple))
	if err == nil {
		t.Fatal("opened")
	}
	said := err.Error()
	if !strings.Contains(said, "[] / /proc/self/fd/0 ") || strings.Contains(said, "/fd/"+strconv.Itoa(fd)) || !strings.Contains(said, "\n0\n1048576") {
		t.Error(said)
	}
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags != 0 {
		t.Errorf("the descriptor is left with flags %d (%v)", flags, err)
	}
}

// parent starts a worker that ignores its standard input, says so and waits.
func parent() {
	runtime.LockOSThread()
	rules := fstest.MapFS{"x.rego": {Data: []byte(simple)}}
	read, err := engine.Read(engine.Source{Name: "acme", FS: rules})
	if err == nil {
		_, err = worker.Start(worker.Options{}, read)
	}
	fmt.Println(err)
	select {}
}

func TestDiesWithItsParent(t *testing.T) {
	said := filepath.Join(t.TempDir(), "pid")
	if err := unix.Mkfifo(said, 0o600); err != nil {
		t.Fatal(err)
	}
	install(t, "echo $$ > '"+said+"'\nexec sleep 1000")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self)
	c.Env = append(os.Environ(), "WORKER_TEST_PARENT=1")
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(said)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatalf("%v\n%s", err, out.Bytes())
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	c.Wait()
	for range 3000 { // a minute
		if unix.Kill(pid, 0) != nil {
			return
		}
		// A zombie that nobody reaps is dead as well.
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err != nil || bytes.Contains(stat, []byte(") Z ")) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	unix.Kill(pid, unix.SIGKILL)
	t.Error("the worker outlives its parent")
}

// Whose a rule is, its source says, and not the module that holds it: a project's
// could else let the project's file set what the organisation's did.
func TestLayerIsTheSources(t *testing.T) {
	install(t, "")
	rules := fstest.MapFS{"a.rego": {Data: []byte(simple)}}
	built, err := opa.Build(t.Context(), engine.Source{Name: "acme", FS: rules})
	if err != nil {
		t.Fatal(err)
	}
	for p, r := range built.Rules {
		r.Layer = "organisation"
		built.Rules[p] = r
	}
	code, err := wasm.Describe(built.Code, wasm.About{Rules: built.Rules, Data: true})
	if err != nil {
		t.Fatal(err)
	}
	sources := []engine.Source{
		{Name: "theirs", Layer: "project", FS: fstest.MapFS{"a.wasm": {Data: code}}},
		{Name: "mine", Layer: "user", FS: fstest.MapFS{"b.rego": {Data: []byte("package b\nwarn contains \"x\"")}}},
	}
	read, err := engine.Read(sources...)
	if err != nil {
		t.Fatal(err)
	}
	w, err := open(t, 0, read)
	if err != nil {
		t.Fatal(err)
	}
	layers := map[string]string{}
	for _, r := range w.Rules() {
		layers[r.ID] = r.Layer
	}
	if diff := cmp.Diff(map[string]string{"main/deny": "project", "b/warn": "user"}, layers); diff != "" {
		t.Error(diff)
	}
}
