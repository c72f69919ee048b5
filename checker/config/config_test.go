package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

const full = `rule "fs/rw-outside-home" { severity = "warning" }
watch "~/.acme/deploy-key" {
  class  = "secret"
  reason = "deploys to production"
}
watch "/srv/acme" { class = "socket" }
protect = [".envrc", ".git/hooks"]
gate {
  mode    = "observe"
  timeout = "500ms"
}
`

func write(t *testing.T, src string, mode os.FileMode) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ocjail.hcl")
	if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestLoad(t *testing.T) {
	file := write(t, full, 0o644)
	got, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	at := func(line int) hclfile.Pos { return hclfile.Pos{File: file, Line: line, Column: 1} }
	want := &Config{
		File:  file,
		Rules: []Rule{{"fs/rw-outside-home", finding.Warning, at(1)}},
		Watches: []Watch{
			{"{home}/.acme/deploy-key", "secret", "deploys to production", at(2)},
			{"/srv/acme", "socket", "watched by ocjail.hcl:6", at(6)},
		},
		Protect: []string{".envrc", ".git/hooks"},
		Gate:    Gate{Observe, 500 * time.Millisecond},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestProtectTellsAbsentFromEmpty(t *testing.T) {
	for src, isNil := range map[string]bool{"": true, "protect = []": false} {
		c, err := parse("f.hcl", []byte(src))
		if err != nil || (c.Protect == nil) != isNil || len(c.Protect) != 0 {
			t.Errorf("%q: %#v, %v", src, c, err)
		}
	}
}

func TestEmptyFileIsDefault(t *testing.T) {
	c, err := parse("", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Default(), c); diff != "" {
		t.Error(diff)
	}
}

func TestErrors(t *testing.T) {
	for src, want := range map[string]string{
		"protekt = []":                      `f.hcl:1:1: an argument named "protekt" is not expected here. Did you mean "protect"?`,
		`policy "acme" { source = "x" }`:    `f.hcl:1:1: blocks of type "policy" are not expected here`,
		`rule "a/b" {}`:                     `the argument "severity" is required`,
		`rule "a/b" { params = {} }`:        `"params" is not expected here`,
		`rule "a/b" { severity = "fatal" }`: "f.hcl:1:25: unknown severity: write error, warning or info",
		`rule "ab" { severity = "info" }`:   `a rule's id is category/name`,
		"rule \"a/b\" { severity = \"info\" }\nrule \"a/b\" { severity = \"info\" }": "f.hcl:2:1: this rule is already configured at f.hcl:1:1",
		`watch "~/x" { class = "secrets" }`:                                          `f.hcl:1:23: unknown class, did you mean "secret"?`,
		`watch "x" { class = "secret" }`:                                             "f.hcl:1:7: a watched path begins with ~/",
		`watch "~/../x" { class = "secret" }`:                                        "a watched path begins with ~/",
		`watch "~/" { class = "secret" }`:                                            "a watched path begins with ~/",
		`watch "/x\u0000" { class = "secret" }`:                                      "a watched path begins with ~/",
		`protect = ["../x"]`:                                                         "f.hcl:1:11: protect[0]: write a path relative",
		`protect = ["a", "/x"]`:                                                      "protect[1]: write a path relative",
		`protect = ["~/x"]`:                                                          "protect[0]: write a path relative",
		`protect = [""]`:                                                             "protect[0]: write a path relative",
		`protect = ["a/*"]`:                                                          "protect[0]: patterns are not supported",
		`protect = ["a", "a"]`:                                                       "protect[1]: this path is listed twice",
		`protect = null`:                                                             "f.hcl:1:11: null is not supported",
		`gate { mode = "enforced" }`:                                                 `f.hcl:1:15: unknown mode, did you mean "enforce"?`,
		`gate { timeout = "0s" }`:                                                    "f.hcl:1:18: write a duration above 0",
		`gate { timeout = "2" }`:                                                     "write a duration above 0",
		`gate { timeout = "2m" }`:                                                    "write a duration above 0",
		"gate {}\ngate {}":                                                           "only one gate block is allowed",
	} {
		_, err := parse("f.hcl", []byte(src))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot  %v\nwant %s", src, err, want)
		}
	}
}

func TestLoadRefusesFilesOfOthers(t *testing.T) {
	for _, mode := range []os.FileMode{0o664, 0o646, 0o666} {
		file := write(t, full, mode)
		if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "run chmod go-w") {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	file, uid := write(t, full, 0o600), os.Getuid()+1
	if os.Getuid() == 0 { // only root can give files away, and root's own are accepted from all
		uid = 0
		if err := os.Chown(file, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkOwner(file, info, uid); err == nil || !strings.Contains(err.Error(), "with chown") {
		t.Errorf("another user's file: %v", err)
	}
}

func TestLoadAbsent(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestCheckRules(t *testing.T) {
	c, err := parse("f.hcl", []byte(full))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CheckRules([]string{"a/b", "fs/rw-outside-home"}); err != nil {
		t.Error(err)
	}
	err = c.CheckRules([]string{"fs/rw-outside-hom"})
	want := `f.hcl:1:1: there is no rule of this id, did you mean "fs/rw-outside-hom"?`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte("protect = []\ngate {}\n"))
	f.Add([]byte("rule \"\" { severity = null }"))
	f.Fuzz(func(t *testing.T, src []byte) {
		c, err := parse("f.hcl", src)
		if (c == nil) == (err == nil) {
			t.Fatalf("config %v with error %v", c, err)
		}
		if err != nil && hclfile.Escape(strings.ReplaceAll(err.Error(), "\n", "")) != strings.ReplaceAll(err.Error(), "\n", "") {
			t.Fatalf("unescaped: %q", err)
		}
	})
}
