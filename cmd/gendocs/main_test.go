package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDocumentsAreUpToDate(t *testing.T) {
	const mend = "is out of date: run `make generate` (go generate ./...) and commit what it writes"
	files, err := documents(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s %s (%v)", name, mend, err)
		}
	}
	old, err := pages(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range old {
		if files[name] == nil {
			t.Errorf("%s is of a rule that is no more, and so %s", name, mend)
		}
	}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	readme := filepath.Join(dir, "README.md")
	if err := run(dir); err == nil {
		t.Error("no README.md, and no error")
	}
	if err := os.WriteFile(readme, []byte("above\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(dir); err == nil || !strings.Contains(err.Error(), "the table's place is gone") {
		t.Errorf("a README without the table's place: %v", err)
	}
	stale := filepath.Join(dir, pagesDir, "old", "rule.md")
	if err := os.MkdirAll(filepath.Dir(stale), 0o755); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{readme: "above\n" + begin + "old\n" + end + "below\n", stale: "old\n"} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(text); !strings.HasPrefix(s, "above\n"+begin+"| rule |") || !strings.HasSuffix(s, end+"below\n") || strings.Contains(s, "old\n") {
		t.Errorf("README.md:\n%s", s)
	}
	if _, err := os.Stat(stale); !os.IsNotExist(err) {
		t.Errorf("the page of a rule that is no more is still there: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, pagesDir, "fs", "root-exposed.md")); err != nil {
		t.Error(err)
	}
}
