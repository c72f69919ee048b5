// Command gendocs writes the documentation that is made from the rules' METADATA:
// the table in README.md and a page for each rule in docs/rules, and the configuration's reference. `make generate`
// runs it; a test fails when the files are not what it would write.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

//go:generate go run .

// root is the repository, from this folder, where go generate runs it.
const root = "../.."

func main() {
	if err := run(root); err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}

// run brings the documentation below root up to date.
func run(root string) error {
	files, err := documents(root)
	if err != nil {
		return err
	}
	old, err := pages(root)
	if err != nil {
		return err
	}
	for _, name := range old {
		if files[name] == nil {
			if err := os.Remove(filepath.Join(root, name)); err != nil {
				return err
			}
		}
	}
	for name, text := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// pagesDir holds the rules' pages, and nothing else.
const pagesDir = "docs/rules"

// pages lists the pages that are there, relative to root.
func pages(root string) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(root, pagesDir, "*", "*.md"))
	if err != nil {
		return nil, err
	}
	for i, file := range found {
		if found[i], err = filepath.Rel(root, file); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// documents returns what the files should hold, by name relative to root.
func documents(root string) (map[string][]byte, error) {
	c, err := checker.Open(context.Background(), config.Default(), checker.Where{}, checker.Keeping{})
	if err != nil {
		return nil, err
	}
	rules := c.Rules()
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		return nil, err
	}
	if readme, err = withTable(readme, rules); err != nil {
		return nil, fmt.Errorf("README.md: %w", err)
	}
	files := map[string][]byte{"README.md": readme, configurationPage: configuration()}
	for _, r := range rules {
		var page bytes.Buffer
		if err := report.RulePage(&page, r); err != nil {
			return nil, err
		}
		files[filepath.Join(pagesDir, r.ID+".md")] = page.Bytes()
	}
	return files, nil
}

// The table stands between these lines.
const (
	begin = "<!-- rules: made by `make generate` -->\n"
	end   = "<!-- end of rules -->\n"
)

func withTable(readme []byte, rules []engine.Rule) ([]byte, error) {
	before, rest, ok := bytes.Cut(readme, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !ok || !closed {
		return nil, fmt.Errorf("the table's place is gone: write the two lines\n%s%s", begin, end)
	}
	var table bytes.Buffer
	if err := report.RuleTable(&table, rules, pagesDir); err != nil {
		return nil, err
	}
	return bytes.Join([][]byte{before, []byte(begin), table.Bytes(), []byte(end), after}, nil), nil
}
