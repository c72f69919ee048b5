package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var block = regexp.MustCompile("(?s)```(rego|hcl|sh)\n(.*?)```")

// walkThrough writes the files of the README's section on adding a rule below dir,
// each block's first line being its name, and its commands to walk.sh.
func walkThrough(repository, dir string) error {
	text, err := os.ReadFile(filepath.Join(repository, "README.md"))
	if err != nil {
		return err
	}
	_, section, _ := strings.Cut(string(text), "\n### Adding a rule\n")
	for _, b := range block.FindAllStringSubmatch(section, -1) {
		name, body := "walk.sh", b[2]
		mode := os.FileMode(0o600)
		if b[1] != "sh" {
			first, rest, _ := strings.Cut(body, "\n")
			name, body = strings.TrimPrefix(first, "# "), rest
		}
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(body), mode); err != nil {
			return err
		}
	}
	return nil
}

// walks are the sections of pages whose commands the tests run, by the file that has
// them.
var walks = map[string]struct{ page, section string }{
	"organisation.sh": {"docs/bundles.md", "From nothing to a refused launch"},
	"observe.sh":      {"docs/rollout.md", "Trying a rule out, then enforcing it"},
	"key.sh":          {"docs/rollout.md", "Changing the key"},
	"stolen.sh":       {"docs/rollout.md", "When something is lost"},
}

// pageWalks writes the commands of these sections below dir.
func pageWalks(repository, dir string) error {
	for name, w := range walks {
		text, err := os.ReadFile(filepath.Join(repository, w.page))
		if err != nil {
			return err
		}
		_, section, _ := strings.Cut(string(text), "\n## "+w.section+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		var all string
		for _, b := range block.FindAllStringSubmatch(section, -1) {
			all += b[2]
		}
		if all == "" {
			return fmt.Errorf("%s: there are no commands below %q", w.page, w.section)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(all), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func TestWalkThroughIsThere(t *testing.T) {
	dir := t.TempDir()
	if err := walkThrough("../..", dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"acme/rules/offline.rego", "acme/rules/offline_test.rego", "acme/offline.hcl", "walk.sh"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("the README's section \"Adding a rule\": %v", err)
		}
	}
}
