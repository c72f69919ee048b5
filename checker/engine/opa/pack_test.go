package opa

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/policy"
)

func newPack(t testing.TB) *Rego {
	t.Helper()
	r, err := New(t.Context(), Options{}, engine.EmbeddedPack())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func golden(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("../../../policy/schema/testdata/input.json")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestPackRules(t *testing.T) {
	files, err := fs.Glob(policy.Files, "rules/*/*.rego")
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, "_test.rego") })
	rules := newPack(t).Rules()
	if len(rules) != len(files) || len(rules) < 15 {
		t.Fatalf("%d rules in %d files", len(rules), len(files))
	}
	for _, r := range rules {
		if !slices.Contains(files, "rules/"+r.ID+".rego") {
			t.Errorf("rule %s is in another file", r.ID)
		}
		if r.Severity == "" || r.Title == "" || r.Remedy == "" || !strings.HasPrefix(r.URL, "https://") {
			t.Errorf("rule %s: incomplete METADATA: %+v", r.ID, r)
		}
		if n := strings.Count(r.Description, ". ") + 1; n < 2 || n > 3 {
			t.Errorf("rule %s: why it matters takes two sentences, not %d", r.ID, n)
		}
	}
}

func TestPackOnGolden(t *testing.T) {
	fs, err := newPack(t).Evaluate(t.Context(), golden(t))
	if err != nil {
		t.Fatal(err)
	}
	if n := finding.Count(fs, finding.Error) + finding.Count(fs, finding.Warning); n > 0 {
		t.Errorf("the default jail breaks rules: %+v", fs)
	}
	for _, rule := range []string{"caps/nested-namespaces", "exec/host-executed-writable", "fs/unbounded-memory", "net/host-network"} {
		if !slices.ContainsFunc(fs, func(f finding.Finding) bool { return f.Rule == rule }) {
			t.Errorf("the default jail's weak spot %s is not told: %+v", rule, fs)
		}
	}
}

// edit changes the golden document.
func edit(t testing.TB, change func(doc map[string]any)) []byte {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(golden(t), &doc); err != nil {
		t.Fatal(err)
	}
	change(doc)
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// What lets a launch skip the compiler's checks: the pack passes them all, and
// finds the same with and without.
func TestPackPassesSkippedStages(t *testing.T) {
	quick := newPack(t)
	rules, _, err := read([]engine.Source{engine.EmbeddedPack()})
	if err != nil {
		t.Fatal(err)
	}
	modules, err := parse(rules)
	if err != nil {
		t.Fatal(err)
	}
	full, err := compile(modules, quick.entries, nil)
	if err != nil {
		t.Fatal(err)
	}
	checked := &Rego{quick.entries, full, quick.lists, quick.store, quick.limit}
	for _, in := range [][]byte{golden(t), largeInput(t), badInput(t)} {
		want, err := checked.Evaluate(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := quick.Evaluate(t.Context(), in)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("with checks (-), without (+), %v:\n%s", err, diff)
		}
	}
}

// badInput breaks most rules of the pack. Each rule's own example, which
// tests/corpus judges, breaks that rule.
func badInput(t testing.TB) []byte {
	return edit(t, func(doc map[string]any) {
		jail := doc["jail"].(map[string]any)
		jail["env"] = map[string]any{"cleared": false, "set": []any{map[string]any{"name": "LD_PRELOAD", "source": "inherited", "shape": "path"}}}
		jail["session"] = map[string]any{"new_session": false, "die_with_parent": false, "tiocsti_filter": false, "vsock_filter": false, "terminal": true}
		jail["capabilities"] = map[string]any{"add": []any{"CAP_SYS_ADMIN"}, "drop_all": false}
		jail["namespaces"] = map[string]any{}
		jail["bus_proxies"].([]any)[0].(map[string]any)["filter"] = false
		host := doc["host"].(map[string]any)
		host["git_stray"] = []any{map[string]any{"file": "/home/u/p/.git", "target": "/srv/x"}}
		host["bwrap"].(map[string]any)["setuid"], host["listening"] = true, []any{2375}
		doc["agent"] = map[string]any{
			"runs": true, "managed": []any{map[string]any{"path": "/etc/opencode", "shown": false}},
			"dangling": []any{map[string]any{"path": "/home/u/p/opencode.json", "target": "/srv/x"}},
		}
		mounted := jail["mounts"].([]any)[0].(map[string]any)
		mounted["source_real"], mounted["propagates"] = "/mnt", true
		root := jail["mounts"].([]any)[4].(map[string]any)
		root["op"], root["access"], root["source"], root["source_real"], root["dest"] = "dev-bind", "dev", "/", "/", "/"
		root["covers"] = []any{"root"}
		proc := jail["mounts"].([]any)[1].(map[string]any)
		proc["op"], proc["access"], proc["source"], proc["source_real"], proc["type"], proc["exists"] = "ro-bind", "ro", "/proc", "/proc", "dir", true
		pipe := maps.Clone(proc)
		pipe["source"], pipe["source_real"], pipe["type"] = "/tmp/c", "/tmp/c", "fifo"
		memory := maps.Clone(jail["mounts"].([]any)[2].(map[string]any))
		socket := maps.Clone(pipe)
		socket["type"] = "socket"
		jail["mounts"] = append(jail["mounts"].([]any), pipe, socket, memory)
		home := jail["mounts"].([]any)[3].(map[string]any)
		home["source_real"], home["covers"] = "/home/u", []any{"home"}
		watch := doc["watched"].([]any)[0].(map[string]any)
		var watched []any
		for _, p := range [][2]string{
			{"host-executed", "/home/u/.bashrc"}, {"secret", "/home/u/.ssh"}, {"socket", "/run/docker.sock"},
			{"socket", "/run/user/1000/wayland-0"}, {"socket", "/nix/var/nix/daemon-socket"},
			{"host-executed", "/home/u/.local/share/opencode/snapshot"}, {"shared-cache", "/home/u/.npm"}, {"device", "/dev/mem"},
		} {
			w := maps.Clone(watch)
			w["class"], w["path"], w["access"], w["via"] = p[0], p[1], "dev", 4
			watched = append(watched, w)
		}
		doc["watched"] = watched
	})
}

func TestPackOnBadInput(t *testing.T) {
	r := newPack(t)
	fs, err := r.Evaluate(t.Context(), badInput(t))
	if err != nil {
		t.Fatal(err)
	}
	var silent []string
	for _, rule := range r.Rules() {
		worst := func(f finding.Finding) bool { return f.Rule == rule.ID && f.Severity == rule.Severity }
		if !slices.ContainsFunc(fs, worst) {
			silent = append(silent, rule.ID)
		}
	}
	if len(r.Rules())-len(silent) < 15 {
		t.Errorf("these find nothing: %v", silent)
	}
}

func TestPackFindingIsComplete(t *testing.T) {
	in := edit(t, func(doc map[string]any) {
		m := doc["jail"].(map[string]any)["mounts"].([]any)[4].(map[string]any)
		m["source_real"], m["dest"] = "/etc", "/etc"
	})
	fs, err := newPack(t).Evaluate(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	f := fs[0]
	index := 4
	want := finding.Finding{
		Rule: "fs/rw-outside-home", Severity: finding.Error, Title: "Host path outside the home is writable",
		Message: "/etc can be written in the jail, through --bind /etc /etc",
		Subject: finding.Subject{Kind: "mount", Path: "/etc", Index: &index},
		Remedy:  "bind it read-only",
		URL:     "https://github.com/containers/bubblewrap#limitations",
	}
	got, _ := json.Marshal(f)
	if expected, _ := json.Marshal(want); string(got) != string(expected) {
		t.Errorf("got  %s\nwant %s", got, expected)
	}
}
