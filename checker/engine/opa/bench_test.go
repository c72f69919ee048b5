package opa

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/policy"
)

// largeInput is a policy input of about 100 KB: 45 mounts, all watched paths of
// the pack, a default jail otherwise.
func largeInput(t testing.TB) []byte {
	t.Helper()
	text, err := fs.ReadFile(policy.Files, "data/watched.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Watched []map[string]any }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	places := strings.NewReplacer("{home}", "/home/u", "{project}", "/home/u/p", "{git}", "/home/u/p/.git", "{git-common}", "/home/u/p/.git",
		"{runtime}", "/run/user/1000", "{state}", "/home/u/.local/state/ocjail", "{cache}", "/home/u/.cache/ocjail", "{config}", "/home/u/.config/ocjail",
		"{ssh-agent}", "/run/user/1000/agent")
	return edit(t, func(doc map[string]any) {
		mounts := doc["jail"].(map[string]any)["mounts"].([]any)
		for i := range 45 - len(mounts) {
			path := fmt.Sprintf("/nix/store/%032d-package-%d", i, i)
			m := map[string]any{}
			for k, v := range mounts[0].(map[string]any) {
				m[k] = v
			}
			m["source"], m["source_real"], m["dest"] = path, path, path
			mounts = append(mounts, m)
		}
		doc["jail"].(map[string]any)["mounts"] = mounts
		var watched []any
		for _, w := range file.Watched {
			path := strings.TrimSuffix(places.Replace(w["path"].(string)), "/")
			w["path"], w["exists"], w["type"], w["access"], w["how"], w["via"] = path, false, "", "none", "", nil
			w["inside"], w["tracked"], w["nlink"] = "", nil, 0
			if strings.HasPrefix(path, "/home/u/p/") || strings.HasPrefix(path, "/home/u/.config/opencode/") {
				w["access"], w["how"], w["via"], w["inside"] = "rw", "create", 4, path
			}
			watched = append(watched, w)
		}
		doc["watched"] = watched
	})
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		newPack(b)
	}
}

func BenchmarkSteps(b *testing.B) {
	rules, lists, err := read([]engine.Source{engine.EmbeddedPack()})
	if err != nil {
		b.Fatal(err)
	}
	run := func(name string, f func() error) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("read", func() error { _, _, err := read([]engine.Source{engine.EmbeddedPack()}); return err })
	run("parse", func() error { _, err := parse(rules); return err })
	run("lists", func() error { _, err := engine.Merge(lists); return err })
	b.Run("compile", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			modules, err := parse(rules)
			if err != nil {
				b.Fatal(err)
			}
			entries, err := discover(modules)
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			if _, err := compile(modules, entries, skippable(modules)); err != nil {
				b.Fatal(err)
			}
		}
	})
	r := newPack(b)
	data, err := engine.Merge(lists)
	if err != nil {
		b.Fatal(err)
	}
	run("data", func() error { return checkData(r.compiler, data) })
	input := largeInput(b)
	run("input", func() error { _, err := parseInput(input); return err })
}

func BenchmarkEvaluate(b *testing.B) {
	r, input := newPack(b), largeInput(b)
	b.SetBytes(int64(len(input)))
	found := 0
	for b.Loop() {
		fs, err := r.Evaluate(b.Context(), input)
		if err != nil {
			b.Fatal(err)
		}
		found = len(fs)
	}
	b.ReportMetric(float64(found), "findings")
}
