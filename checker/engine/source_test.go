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

// What lies behind a link to a folder would be missed, so it is an error with its place.
func TestLinkedFolder(t *testing.T) {
	for name, tc := range map[string]struct {
		links map[string]string
		want  string // "" for no error
	}{
		"lists":              {map[string]string{"data": "../there"}, "data: is a link to a folder"},
		"lists, below":       {map[string]string{"rules/data/more": "../../../there"}, "rules/data/more: is a link to a folder"},
		"rules":              {map[string]string{"rules/common": "../../there"}, "rules/common: is a link to a folder"},
		"to a link":          {map[string]string{"rules/common": "../far", "far": "../there/a.json"}, ""},
		"lists, dangling":    {map[string]string{"data": "nowhere"}, "data: no such file"},
		"list, dangling":     {map[string]string{"rules/data/x.json": "nowhere"}, "no such file"},
		"lists, a file":      {map[string]string{"data": "../there/a.json"}, ""},
		"in a hidden folder": {map[string]string{".direnv/profile": "../../there", ".result": "../there"}, ""},
		"dangling":           {map[string]string{"notes": "nowhere"}, ""},
		"device":             {map[string]string{"null": "/dev/null"}, ""},
		"file":               {map[string]string{"b.rego": "a.rego", "README": "../there/a.json"}, ""},
		"around":             {map[string]string{"again": "."}, "again: is a link to a folder"},
		"round":              {map[string]string{"round": "round"}, "round: too many"},
	} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			dir := filepath.Join(top, "source")
			for _, d := range []string{"source/rules/data", "source/.direnv", "there"} {
				if err := os.MkdirAll(filepath.Join(top, d), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for file, text := range map[string]string{"source/a.rego": "package a\n", "there/a.json": "{}"} {
				if err := os.WriteFile(filepath.Join(top, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for link, target := range tc.links {
				if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
					t.Fatal(err)
				}
			}
			source := engine.Source{Name: "acme", FS: engine.Folder(dir)}
			if strings.HasPrefix(tc.want, "rules/") || strings.HasPrefix(tc.want, "no such") { // rules that are a folder of FS
				source.Root = "rules"
			}
			_, err := engine.Read(source)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}
