package engine_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
)

// A folder of rules that somebody filled with what is too much is an error, soon.
func TestTooMuchToRead(t *testing.T) {
	for name, fill := range map[string]func(dir string) error{
		"sparse": func(dir string) error {
			if err := os.WriteFile(filepath.Join(dir, "a.rego"), nil, 0o644); err != nil {
				return err
			}
			return os.Truncate(filepath.Join(dir, "a.rego"), 1<<40)
		},
		"folders": func(dir string) error {
			for i := range 20_001 {
				if err := os.Mkdir(filepath.Join(dir, strconv.Itoa(i)), 0o755); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		dir := t.TempDir()
		if err := fill(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := engine.Read(engine.Source{Name: "acme", FS: os.DirFS(dir)}); err == nil || !strings.Contains(err.Error(), "more than 2000 files or 16 MiB") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
