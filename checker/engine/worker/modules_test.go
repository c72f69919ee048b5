//go:build linux

package worker_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/opa"
	"github.com/refnil/opencode-jail-devenv/checker/engine/wasm"
	"github.com/refnil/opencode-jail-devenv/checker/engine/wasm/wasmtest"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Rules that need no function of their host, one that package plan has, and one that
// only OPA has; and one that plan has for whole numbers only.
const (
	plainRule  = "package plain\ndeny contains \"no\" if input.phase == \"lint\""
	planRule   = "package formats\ndeny contains sprintf(\"%s %d\", [input.phase, count(input.phase)])"
	opaRule    = "package replaces\ndeny contains regex.replace(input.phase, \"^l\", \"m\")"
	numberRule = "package numbers\ndeny contains sprintf(\"%v %s\", [input.never, input.phase])"
)

// compiled builds a module of each rule, as ocjail build does.
func compiled(t *testing.T, rules ...string) []engine.File {
	t.Helper()
	var pairs []string
	for i, text := range rules {
		pairs = append(pairs, fmt.Sprintf("m%d.wasm", i), string(module(t, text)))
	}
	return files(t, pairs...)
}

func module(t *testing.T, rego string) []byte {
	t.Helper()
	built, err := opa.Build(t.Context(), engine.Source{Name: "acme", FS: fstest.MapFS{"a.rego": {Data: []byte(rego)}}})
	if err != nil {
		t.Fatal(err)
	}
	code, err := wasm.Describe(built.Code, wasm.About{Rules: built.Rules, Reads: built.Reads, Data: built.Data, Needs: built.Needs})
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// fromSource is what OPA finds by the rules, without what a module does not know.
func fromSource(t *testing.T, input string, rules ...string) []finding.Finding {
	t.Helper()
	m := fstest.MapFS{}
	for i, text := range rules {
		m[fmt.Sprintf("m%d.rego", i)] = &fstest.MapFile{Data: []byte(text)}
	}
	o, err := opa.New(t.Context(), opa.Options{WithoutPack: true}, engine.EmbeddedPack(), engine.Source{Name: "acme", FS: m})
	if err != nil {
		t.Fatal(err)
	}
	found, err := o.Evaluate(t.Context(), []byte(input))
	if err != nil {
		t.Fatal(err)
	}
	return append([]finding.Finding{}, found...)
}

// Modules are judged by without OPA where that can be told to come to the same, and
// with it otherwise: whatever comes up, and when.
func TestModulesJudgeAsTheirRegoDoes(t *testing.T) {
	ten := []string{opaRule}
	for i := range 9 {
		ten = append(ten, strings.Replace(plainRule, "plain", fmt.Sprintf("plain%d", i), 1))
	}
	whole := strings.Replace(lint, "}", `, "never": -1}`, 1)
	fraction := strings.Replace(lint, "}", `, "never": 1.50}`, 1)
	for _, tc := range []struct {
		name, input string
		rules       []string
		first, next string // the programs of this launch, and of the next on other input
	}{
		{"plain", lint, []string{plainRule}, worker.WASM, worker.WASM},
		{"a function of plan's", lint, []string{planRule}, worker.WASM, worker.WASM},
		{"a function of OPA's", lint, []string{opaRule}, worker.Name, worker.Name},
		{"one of OPA's among ten", lint, ten, worker.Name, worker.Name},
		{"whole numbers", whole, []string{numberRule}, worker.WASM, worker.WASM},
		{"a fraction", fraction, []string{numberRule, planRule}, worker.Name, worker.Name},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := newKeeper(t)
			rules := compiled(t, tc.rules...)
			for n, want := range []string{tc.first, tc.next} {
				input := strings.Replace(tc.input, "lint", []string{"lint", "launch"}[n], 1)
				found, started, err := k.judge(rules, input)
				if diff := cmp.Diff(fromSource(t, input, tc.rules...), found); err != nil || diff != "" || !started {
					t.Errorf("source (-), module (+), %v:\n%s", err, diff)
				}
				if k.judging != want || len(k.notes) > 0 {
					t.Errorf("launch %d: judged in %s, want %s; %q", n, k.judging, want, k.notes)
				}
				if _, started, err := k.judge(rules, input); err != nil || started {
					t.Errorf("not kept: %v", err)
				}
			}
		})
	}
}

// Those that wait for an answer when it turns out that another program must give it
// all get it there.
func TestManyAreAskedAgain(t *testing.T) {
	install(t, "")
	w, err := open(t, 0, compiled(t, numberRule))
	if err != nil {
		t.Fatal(err)
	}
	if w.Judging() != worker.WASM {
		t.Fatalf("begins in %s", w.Judging())
	}
	fraction := strings.Replace(lint, "}", `, "never": 1.50}`, 1)
	want := fromSource(t, fraction, numberRule)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			found, err := w.Evaluate(t.Context(), []byte(fraction))
			if diff := cmp.Diff(want, found); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
	if wg.Wait(); w.Judging() != worker.Name {
		t.Errorf("ends in %s", w.Judging())
	}
}

// With a rule in Rego beside it, one program judges by both.
func TestMixedRulesAreJudgedTogether(t *testing.T) {
	k := newKeeper(t)
	rules := files(t, "m.wasm", string(module(t, plainRule)), "x.rego", planRule)
	found, _, err := k.judge(rules, lint)
	if diff := cmp.Diff(fromSource(t, lint, plainRule, planRule), found); err != nil || diff != "" || k.judging != worker.Name {
		t.Errorf("in %s, %v:\n%s", k.judging, err, diff)
	}
}

// A function that fails is an error of OPA's, with its words, and never no finding.
func TestFailingFunctionsAreNoVerdict(t *testing.T) {
	install(t, "")
	for _, tc := range []struct{ rule, want string }{
		{"deny contains \"x\" if strings.any_prefix_match(input.phase, input.version)", "strings.any_prefix_match: operand 2 must be one of {string, set, array} but got number"},
		{"deny contains regex.replace(input.phase, \"(\", \"x\")", "missing closing )"},
	} {
		w, err := open(t, 0, compiled(t, "package main\n"+tc.rule))
		if err != nil {
			t.Fatal(err)
		}
		if found, err := w.Evaluate(t.Context(), input); err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "m0.wasm") {
			t.Errorf("%v, error %v, want one with %q", found, err, tc.want)
		}
	}
}

// renamed makes a module say of its functions that they are others: of as long a name.
func renamed(t *testing.T, code []byte, old, name string) []byte {
	t.Helper()
	if len(old) != len(name) || !bytes.Contains(code, []byte(old)) {
		t.Fatalf("no %s in the module", old)
	}
	return bytes.ReplaceAll(code, []byte(old), []byte(name))
}

// A module that lies of what it calls is refused, or harms its own rule alone, in
// words that both programs share.
func TestLyingModules(t *testing.T) {
	k := newKeeper(t)
	good := module(t, planRule)
	for _, tc := range []struct {
		name string
		code []byte
		want string
	}{
		{"no such function", renamed(t, good, "sprintf", "sprontf"), "calls sprontf, which this ocjail's OPA does not have"},
		{"of another arity", renamed(t, good, "sprintf", "product"), "product: 2 operands, not 1"},
		{"of another arity, only OPA's", renamed(t, good, "sprintf", "is_null"), "is_null: 2 operands, not 1"},
		{"of another type", renamed(t, good, "sprintf", "glob.mt"), "calls glob.mt"},
	} {
		rules := files(t, "m.wasm", string(tc.code))
		w, err := open(t, time.Second, rules)
		var found []finding.Finding
		if err == nil {
			found, err = w.Evaluate(t.Context(), []byte(lint))
		}
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "m.wasm") {
			t.Errorf("%s: %v, error %v, want one with %q", tc.name, found, err, tc.want)
		}
	}
	// One that says it reads no list, and does, finds none.
	reads := "package lists\ndeny contains msg if { not data.acme.names; msg := \"none\" }\nwarn contains \"some\" if \"a\" in data.acme.names"
	list := func(code []byte) []engine.File {
		return files(t, "m.wasm", string(code), "data/acme/names.json", names)
	}
	built, err := opa.Build(t.Context(), engine.Source{Name: "acme", FS: fstest.MapFS{"a.rego": {Data: []byte(reads)}, "data/acme/names.json": {Data: []byte(names)}}})
	if err != nil || !built.Data {
		t.Fatal(built.Data, err)
	}
	for _, honest := range []bool{true, false} {
		code, err := wasm.Describe(built.Code, wasm.About{Rules: built.Rules, Reads: built.Reads, Data: honest})
		if err != nil {
			t.Fatal(err)
		}
		found, _, err := k.judge(list(code), lint)
		if want := map[bool]string{true: "some", false: "none"}[honest]; err != nil || len(found) != 1 || found[0].Message != want {
			t.Errorf("honest %v: %v, %v", honest, found, err)
		}
	}
}

// A list that a module reads has to be there: to it an absent one is undefined, and it
// would find nothing.
func TestModuleLacksItsList(t *testing.T) {
	k := newKeeper(t)
	reads := "package lists\nwarn contains \"some\" if \"a\" in data.acme.names"
	built, err := opa.Build(t.Context(), engine.Source{Name: "acme", FS: fstest.MapFS{"a.rego": {Data: []byte(reads)}, "data/acme/names.json": {Data: []byte(names)}}})
	if err != nil {
		t.Fatal(err)
	}
	said, err := wasm.Describe(built.Code, wasm.About{Rules: built.Rules, Reads: built.Reads, Data: built.Data, Needs: built.Needs})
	if err != nil {
		t.Fatal(err)
	}
	unsaid, err := wasm.Describe(built.Code, wasm.About{Rules: built.Rules, Reads: built.Reads, Data: built.Data})
	if err != nil {
		t.Fatal(err)
	}
	if found, _, err := k.judge(files(t, "m.wasm", string(unsaid)), lint); err != nil || len(found) != 0 {
		t.Fatalf("a module that does not say what it needs: %v, %v, so this proves nothing", found, err)
	}
	if found, _, err := k.judge(files(t, "m.wasm", string(said), "data/acme/names.json", names), lint); err != nil || len(found) != 1 {
		t.Errorf("with its list: %v, %v", found, err)
	}
	for want, list := range map[string][]string{
		"acme: a.rego:2: data.acme is not there":       nil,
		"acme: a.rego:2: data.acme.names is not there": {"data/acme/others.json", names},
		"acme: a.rego:2: data.acme.names is empty":     {"data/acme/names.json", "[]"},
	} {
		_, err := open(t, time.Second, files(t, append([]string{"m.wasm", string(said)}, list...)...))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", list, err, want)
		}
	}
}

// A list that is broken is an error though no module reads it.
func TestBrokenListBesideModules(t *testing.T) {
	install(t, "")
	rules := files(t, "m.wasm", string(module(t, plainRule)), "data/acme/names.json", `["a"`)
	if _, err := open(t, 0, rules); err == nil || !strings.Contains(err.Error(), "data/acme/names.json: unexpected EOF") {
		t.Error(err)
	}
}

// Without ocjail-wasm rules are judged by as before, and people are told. One that is
// broken, or of another build, is refused, as ocjail-rules is.
func TestWithoutTheSmallProgram(t *testing.T) {
	rules := compiled(t, planRule)
	other := worker.Identity()
	other.Version = "v0.0.1"
	path := func() string { return filepath.Join(filepath.Dir(beside), worker.WASM) }
	for _, tc := range []struct {
		name, want string // "" for a verdict
		put        func(t *testing.T)
	}{
		{"absent", "", func(*testing.T) { os.Remove(path()) }},
		{"no program", "is no program", func(t *testing.T) { installWASM(t, "x"); os.Chmod(path(), 0o600) }},
		{"of another build", "are not of one build", func(t *testing.T) { installWASM(t, hello(t, other)+"sleep 100") }},
		{"text", "gave no answer", func(t *testing.T) { installWASM(t, "echo hello") }},
		{"killed", "signal: killed", func(t *testing.T) { installWASM(t, hello(t, worker.Identity())+"kill -9 $$") }},
		{"killed when it has read", "signal: killed", func(t *testing.T) { installWASM(t, hello(t, worker.Identity())+"head -c 5000 >/dev/null; kill -9 $$") }},
		{"always elsewhere", "", func(t *testing.T) {
			installWASM(t, hello(t, worker.Identity())+message(`{"reads":null,"error":"no","elsewhere":true}`)+"sleep 100")
		}},
		{"no rule", "names no rule", func(t *testing.T) {
			installWASM(t, hello(t, worker.Identity())+message(`{"reads":null}`)+"cat >/dev/null")
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			install(t, "")
			tc.put(t)
			var notes []string
			w, err := worker.Start(worker.Options{Note: func(n string) { notes = append(notes, n) }}, rules)
			var found []finding.Finding
			if err == nil {
				defer w.Close()
				if err = w.Open(t.Context()); err == nil {
					found, err = w.Evaluate(t.Context(), []byte(lint))
				}
			}
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), path()) {
					t.Errorf("error %v, want one with %q", err, tc.want)
				}
				return
			}
			if diff := cmp.Diff(fromSource(t, lint, planRule), found); err != nil || diff != "" || w.Judging() != worker.Name {
				t.Errorf("%v\n%s", err, diff)
			}
			if told := len(notes) == 1 && strings.Contains(notes[0], "for want of the program ocjail-wasm"); told != (tc.name == "absent") {
				t.Errorf("notes: %q", notes)
			}
		})
	}
}

// message is a shell command that says doc.
func message(doc string) string {
	return fmt.Sprintf("printf '\\000\\000\\000\\%03o%s'\n", len(doc), doc)
}

// A program that passes the rules on in the middle of judging has used up the time that
// it took: the other one gets what is left, however slow this machine is.
func TestOneLimitForBoth(t *testing.T) {
	loaded := message(`{"rules":[{"id":"m/m","title":"m","severity":"error"}],"reads":null}`)
	judging := "head -c 4 >/dev/null; sleep 1; "
	install(t, hello(t, worker.Identity())+loaded+judging+message(`{"findings":[]}`)+"cat >/dev/null")
	installWASM(t, hello(t, worker.Identity())+loaded+judging+message(`{"error":"not I","elsewhere":true}`)+"cat >/dev/null")
	w, err := open(t, 1500*time.Millisecond, files(t, "m.wasm", "x"))
	if err != nil {
		t.Fatal(err)
	}
	if found, err := w.Evaluate(t.Context(), []byte(lint)); err == nil || !strings.Contains(err.Error(), "time limit of 1.5s") {
		t.Errorf("%v, %v", found, err)
	}
	// With time enough for both there is a verdict.
	if w, err = open(t, time.Minute, files(t, "m.wasm", "x")); err != nil {
		t.Fatal(err)
	}
	if found, err := w.Evaluate(t.Context(), []byte(lint)); err != nil || len(found) != 0 || w.Judging() != worker.Name {
		t.Errorf("%v, %v, %s", found, err, w.Judging())
	}
}

// The program with OPA can not pass the rules on.
func TestNoWayOnFromOPA(t *testing.T) {
	install(t, hello(t, worker.Identity())+message(`{"reads":null,"error":"mine not","elsewhere":true}`)+"cat >/dev/null")
	if _, err := open(t, 0, files(t, "x.rego", simple)); err == nil || !strings.Contains(err.Error(), "mine not") {
		t.Error(err)
	}
}

// Who forges that rules need OPA gains time at most, and who forges that they do not,
// nothing: they say so again.
func TestNeedOfOPADecidesNothing(t *testing.T) {
	k := newKeeper(t)
	for _, rule := range []string{planRule, opaRule} {
		rules := compiled(t, rule)
		if _, _, err := k.judge(rules, lint); err != nil {
			t.Fatal(err)
		}
		kept, err := filepath.Glob(filepath.Join(k.place.Dir(), "need-*"))
		if err != nil || (len(kept) == 1) != (rule == opaRule) {
			t.Fatal(kept, err)
		}
		for _, name := range kept {
			if err := os.WriteFile(name, []byte("false"+strings.Repeat("\x00", 32)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		input := strings.Replace(lint, "lint", "launch", 1)
		found, _, err := k.judge(rules, input)
		if diff := cmp.Diff(fromSource(t, input, rule), found); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
		if len(k.notes) != len(kept) {
			t.Errorf("notes: %q", k.notes)
		}
	}
}

// The limits are those of ocjail-rules, and hold for either.
func TestLimitsHoldWithoutOPA(t *testing.T) {
	for _, absent := range []bool{false, true} {
		install(t, "")
		if absent {
			os.Remove(filepath.Join(filepath.Dir(beside), worker.WASM))
		}
		for name, tc := range map[string]struct {
			program wasmtest.Program
			limit   time.Duration
			want    string
		}{
			"endless":        {wasmtest.Program{Start: wasmtest.Loop}, 500 * time.Millisecond, "time limit of 500ms"},
			"endless output": {wasmtest.Program{Start: wasmtest.Forever(wasmtest.Print(strings.Repeat("x", 60000)))}, time.Minute, "writes more than 16 MiB"},
			"deep":           {wasmtest.Program{Start: wasmtest.Recurse}, time.Minute, "stack overflow"},
			"memory":         {wasmtest.Program{Pages: 5000}, time.Minute, "min 5000 pages (312 Mi) over limit of 4096 pages"},
		} {
			w, err := open(t, tc.limit, files(t, "bad.wasm", string(tc.program.Encode())))
			if err == nil {
				_, err = w.Evaluate(t.Context(), []byte(lint))
			}
			if err == nil || !strings.Contains(err.Error(), "bad.wasm") || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: error %v, want one with %q", name, err, tc.want)
			}
		}
	}
	install(t, "")
	installWASM(t, `n=0; while [ $n -lt 500 ] && { [ "$(ulimit -f)" != 0 ] || [ "$(ulimit -d)" = unlimited ]; }; do n=$((n+1)); sleep 0.01; done
echo "[$SECRET]" $(pwd) $(ulimit -f) $(ulimit -d) $(ulimit -n) $(ulimit -t) >&2; exit 1`)
	t.Setenv("SECRET", "hunter2")
	if _, err := open(t, 0, compiled(t, plainRule)); err == nil || !strings.Contains(err.Error(), "[] / 0 1048576 16 300") {
		t.Error(err)
	}
}
