package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/manifest"
	"github.com/refnil/opencode-jail-devenv/policy"
)

// golden is what the Nix tests hold the module's manifest to.
const golden = "tests/nix/testdata/manifest.json"

// world is the files of a comparison.
type world struct {
	dir, project, manifests string
	documents, policy, data string // for conftest
	checker                 *checker.Checker
}

// make writes so many manifests, each of a jail of its own.
func (w *world) make(jails int) error {
	w.project, w.manifests = filepath.Join(w.dir, "project"), filepath.Join(w.dir, "manifests")
	w.documents, w.policy, w.data = filepath.Join(w.dir, "documents"), filepath.Join(w.dir, "policy"), filepath.Join(w.dir, "data")
	if err := os.RemoveAll(w.manifests); err != nil {
		return err
	}
	for _, dir := range []string{filepath.Join(w.project, ".git"), w.manifests, w.documents} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(golden)
	if err != nil {
		return err
	}
	text = bytes.ReplaceAll(text, []byte("/home/dev/project"), []byte(w.project))
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("%s: %w", golden, err)
	}
	m["policy"] = map[string]any{} // of the manifest's own, which conftest does not read
	if text, err = json.Marshal(m); err != nil {
		return err
	}
	for i := range jails {
		own := bytes.ReplaceAll(text, []byte("/srv/data"), fmt.Appendf(nil, "/srv/data-%05d", i))
		if err := os.WriteFile(filepath.Join(w.manifests, fmt.Sprintf("%05d.json", i)), own, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// inputs writes the documents that the rules judge, and the rules for conftest.
func (w *world) inputs() error {
	names, err := filepath.Glob(filepath.Join(w.manifests, "*.json"))
	if err != nil {
		return err
	}
	if w.checker, err = checker.Open(context.Background(), config.Default(), checker.Where{}, checker.Keeping{}); err != nil {
		return err
	}
	for _, name := range names {
		doc, err := w.input(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(w.documents, filepath.Base(name)), doc, 0o644); err != nil {
			return err
		}
	}
	return w.rules()
}

func (w *world) input(name string) ([]byte, error) {
	man, err := manifest.Load(name)
	if err != nil {
		return nil, err
	}
	fsys := host.NewFS()
	facts, err := host.Gather(fsys, w.project)
	if err != nil {
		return nil, err
	}
	s, _, err := man.Sandbox(manifest.Env{Home: facts.Home, Dir: man.Project, RuntimeDir: facts.RuntimeDir, User: facts.User})
	if err != nil {
		return nil, err
	}
	bwrap, err := host.FindBwrap(fsys, "")
	if err != nil {
		return nil, err
	}
	j, err := checker.Resolve(checker.Request{
		Name: name, Phase: checker.Lint, Sandbox: s, FS: fsys, Facts: facts, Bwrap: bwrap, Config: config.Default(),
		Manifest: man, Cwd: man.Project, Environ: os.Environ(), Interactive: true, CanFilter: true,
	})
	if err != nil {
		return nil, err
	}
	r, err := w.checker.Check(context.Background(), j)
	if err != nil {
		return nil, err
	}
	return json.Marshal(r.Input)
}

// shims have conftest ask for what the rules of the pack find: of all together, or
// of each as a package with a deny of its own.
const (
	together = `package main

deny contains {"msg": f.message, "subject": f.subject, "rule": sprintf("%s/%s", [category, name])} if {
	some category, rules in data.ocjail.rules
	some name, rule in rules
	some f in rule.findings
}
`
	apart = `
deny contains {"msg": f.message, "subject": f.subject} if some f in data.%s.findings
`
)

var packageLine = regexp.MustCompile(`(?m)^package (\S+)$`)

// rules writes the pack as it is, without its tests, and its lists.
func (w *world) rules() error {
	lists := map[string]any{}
	err := fs.WalkDir(policy.Files, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := policy.Files.ReadFile(p)
		if err != nil {
			return err
		}
		switch {
		case path.Ext(p) == ".json" && strings.HasPrefix(p, "data/"):
			var list any
			if err := json.Unmarshal(text, &list); err != nil {
				return fmt.Errorf("%s: %w", p, err)
			}
			lists[strings.TrimSuffix(path.Base(p), ".json")] = list
		case path.Ext(p) == ".rego" && !strings.HasSuffix(p, "_test.rego"):
			if err := write(filepath.Join(w.policy, "together", filepath.FromSlash(p)), text); err != nil {
				return err
			}
			if strings.HasPrefix(p, "rules/") {
				text = fmt.Appendf(text, apart, packageLine.FindSubmatch(text)[1])
			}
			return write(filepath.Join(w.policy, "apart", filepath.FromSlash(p)), text)
		}
		return nil
	})
	if err != nil {
		return err
	}
	data, err := json.Marshal(map[string]any{"ocjail": lists})
	if err != nil {
		return err
	}
	if err := write(filepath.Join(w.data, "data.json"), data); err != nil {
		return err
	}
	return write(filepath.Join(w.policy, "together", "main.rego"), []byte(together))
}

func write(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o644)
}

// isPacks tells the rules in Rego from the checks of the gate and the configuration.
func isPacks(rule string) bool {
	return !strings.HasPrefix(rule, "gate/") && !strings.HasPrefix(rule, "config/")
}
