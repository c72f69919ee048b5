package profile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

const project = "project { access = \"rw\" }\n"

func TestParseErrors(t *testing.T) {
	for src, want := range map[string]string{
		"netwrok = true":                    `jail.hcl:2:1: an argument named "netwrok" is not expected here. Did you mean "network"?`,
		"monut \"/a\" {}":                   `jail.hcl:2:1: blocks of type "monut" are not expected here. Did you mean "mount"?`,
		`mount "/a" { acess = "ro" }`:       `jail.hcl:2:14: an argument named "acess" is not expected here. Did you mean "access"?`,
		`mount "/a" { access = "rx" }`:      `jail.hcl:2:23: unknown access: write "ro" or "rw"`,
		`mount "/a" {}`:                     `the argument "access" is required`,
		`mount "a" { access = "ro" }`:       "jail.hcl:2:7: a path begins with /",
		`mount "/a/../b" { access = "ro" }`: "a path begins with /", `mount "/a/" { access = "ro" }`: "a path begins with /",
		`mount "~bob/x" { access = "ro" }`: "a path begins with /", `mount "~/" { access = "ro" }`: "a path begins with /",
		`mount "{project}x" { access = "ro" }`: "a path begins with /", `mount "{home}/x" { access = "ro" }`: "a path begins with /",
		`mount "/a\u001b" { access = "ro" }`: "no control or invisible characters", `mount "${x}" { access = "ro" }`: "nothing is interpolated here",
		"mount \"/a\" {\naccess = \"ro\"\nat = \"b\"\n}":                      "jail.hcl:4:6: a path begins with /",
		"mount \"/a\" {\naccess = \"ro\"\ncreate = true\n}":                   "jail.hcl:4:1: only directories below ~/",
		"mount \"~/a\" {\naccess = \"ro\"\ncreate = true\noptional = true\n}": "contradict",
		`tmpfs "/t" { size = "2 G" }`:                                         "jail.hcl:2:21: write a size", `tmpfs "/t" { size = "0" }`: "write a size",
		`tmpfs "/t" { size = "99999999T" }`: "write a size", `tmpfs "/t" { size = "" }`: "write a size", `tmpfs "t" {}`: "jail.hcl:2:7: a path",
		`command = []`: "an empty command", `command = [""]`: "command[0]", `hostname = "a b"`: "write a host name",
		`env = ["A B"]`: "element 0 is no variable's name", `env_files = ["A", "1"]`: "jail.hcl:2:1: element 1",
		`setenv = { "A=B" = "x" }`: "a variable's name", `setenv = { A = "\u0000" }`: "its value has no NUL",
		`caches = ["cache"]`: "a path begins with /", `network = "maybe"`: "jail.hcl:2:12: unsuitable value", project: "only one project block",
	} {
		_, err := Parse("dir/jail.hcl", []byte(project+src))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "dir/jail.hcl:") {
			t.Errorf("%s\ngot  %v\nwant %s", src, err, want)
		}
	}
	if _, err := Parse("jail.hcl", nil); err == nil || !strings.Contains(err.Error(), "a project block is required") {
		t.Errorf("no project block: %v", err)
	}
}

func TestEmbedded(t *testing.T) {
	_, err := Embedded("opencoed")
	want := `there is no embedded profile "opencoed", did you mean "opencode"?: write one of opencode, or the path of a profile's file`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	for _, name := range Names() {
		if _, err := Embedded(name); err != nil {
			t.Error(err)
		}
	}
}

func TestLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "jail.hcl")
	if _, err := Load(file); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := os.WriteFile(file, []byte(project+"x = 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	var ds hclfile.Diagnostics
	if _, err := Load(file); !errors.As(err, &ds) || ds[0].Pos.Line != 2 {
		t.Error(err)
	}
}

func TestParseSize(t *testing.T) {
	for s, want := range map[string]uint64{"1": 1, "64K": 64 << 10, "2G": 2 << 30, "8388607T": 8388607 << 40} {
		if got, err := parseSize(s); got != want || err != nil {
			t.Errorf("%s: %d, %v", s, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(project))
	f.Add([]byte(project + "mount \"~/a\" {\n  access = \"ro\"\n  at = \"/b\"\n}\ntmpfs \"{project}/x\" { size = \"2G\" }\n"))
	f.Add([]byte(project + "setenv = { A = \"b\" }\nenv = [\"TERM\"]\ncaches = [\"~/.npm\"]\n"))
	if src, err := embedded.ReadFile("opencode.hcl"); err == nil {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		p, err := Parse("jail.hcl", src)
		if err != nil {
			if text := strings.ReplaceAll(err.Error(), "\n", ""); hclfile.Escape(text) != text {
				t.Fatalf("unescaped: %q", err)
			}
			return
		}
		words, err := p.Argv(host(t, plain, map[string]string{"PATH": "/bin"}), nil, []string{"busybox"})
		if err != nil {
			return
		}
		for _, w := range words {
			if hasNUL(w) {
				t.Fatalf("NUL in %q", words)
			}
		}
	})
}
