package hclfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

type sample struct {
	Network bool              `hcl:"network,optional"`
	Name    string            `hcl:"name,optional"`
	Env     []string          `hcl:"env,optional"`
	SetEnv  map[string]string `hcl:"setenv,optional"`
	Mounts  []struct {
		Path   string `hcl:"path,label"`
		Access string `hcl:"access,optional"`
	} `hcl:"mount,block"`
}

func TestDecodeErrors(t *testing.T) {
	tests := map[string]struct{ src, want string }{
		"unknown argument": {"name = \"x\"\nnetwrok = true\n",
			`f.hcl:2:1: an argument named "netwrok" is not expected here. Did you mean "network"?`},
		"unknown block":    {`mounts "/a" {}`, `f.hcl:1:1: blocks of type "mounts" are not expected here. Did you mean "mount"?`},
		"argument twice":   {"network = true\nnetwork = true", "f.hcl:2:1: "},
		"wrong type":       {`env = "A"`, "f.hcl:1:8: unsuitable value: list of string required, but have string"},
		"null in a list":   {`env = [null]`, "f.hcl:1:8: null is not supported"},
		"null string":      {`name = null`, "f.hcl:1:8: "},
		"variable":         {`network = yes`, "f.hcl:1:11: variables may not be used here"},
		"interpolation":    {`name = "${HOME}/x"`, "f.hcl:1:9: nothing is interpolated here: write $${"},
		"number":           {`name = 1e999999999`, "f.hcl:1:8: write numbers and sizes in quotes"},
		"function":         {`name = file("/etc/passwd")`, "f.hcl:1:12: expressions are not supported"},
		"for":              {`env = [for a in ["x"] : a]`, "f.hcl:1:8: for expressions are not supported"},
		"deep":             {"env = " + strings.Repeat("[", 1<<19), "f.hcl:1:23: nested more than 16 levels deep"},
		"unclosed":         {`env = ["A"`, "f.hcl:1:"},
		"two on one line":  {`mount "/a" { access = "ro" access = "rw" }`, "f.hcl:1:"},
		"missing label":    {`mount {}`, "f.hcl:1:7: "},
		"not UTF-8":        {"name = \"\xff\"", "f.hcl:1:"},
		"control in block": {"mount \"/a\\u001b[2J\" { accesss = \"ro\" }", `Did you mean "access"?`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var s sample
			err := Decode("f.hcl", []byte(tc.src), &s)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v\nwant …%s…", err, tc.want)
			}
			if strings.ContainsRune(err.Error(), '\x1b') {
				t.Errorf("escape character in %q", err)
			}
		})
	}
}

func TestErrorsDoNotShowValues(t *testing.T) {
	for _, src := range []string{
		"token = \"sk-live-SECRET\"\n", "sk-live-SECRET\n", "env = \"sk-live-SECRET\"\n",
		"network = \"sk-live-SECRET\"\n", "-----BEGIN SECRET KEY-----\nSECRET\n", "mount sk SECRET {\n", "\"SECRET",
	} {
		err := Decode("f.hcl", []byte(src), &sample{})
		if err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%q: got %v", src, err)
		}
	}
}

func TestErrorsAreBounded(t *testing.T) {
	err := Decode("f.hcl", []byte(strings.Repeat("mounts \"a\" {}\n", 5000)), &sample{})
	if n := strings.Count(err.Error(), "\n"); n != maxShown || !strings.Contains(err.Error(), "… and 4990 more") {
		t.Errorf("%d lines: %.300s", n, err)
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	file, link, fifo, big := filepath.Join(dir, "f"), filepath.Join(dir, "l"), filepath.Join(dir, "p"), filepath.Join(dir, "b")
	must(t, os.WriteFile(file, []byte("x"), 0o600))
	must(t, os.Symlink(file, link))
	must(t, syscall.Mkfifo(fifo, 0o600))
	must(t, os.WriteFile(big, make([]byte, MaxBytes+1), 0o600))
	if src, info, err := Read(file); err != nil || string(src) != "x" || info.Size() != 1 {
		t.Fatal(string(src), info, err)
	}
	for path, want := range map[string]string{
		link: "is a symbolic link: name the file it points to", fifo: "not a regular file",
		big: "larger than 1 MiB", dir: "not a regular file", filepath.Join(dir, "none"): "no such file",
	} {
		if _, _, err := Read(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", path, err, want)
		}
	}
	if _, _, err := Read(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("not fs.ErrNotExist: %v", err)
	}
}

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"/home/é x": "/home/é x", "a\x1b[2J": `a\x1b[2J`, "a\nb": `a\nb`, "\u202e": `\u202e`, "\xff": `\xff`, "\uFFFD": `\ufffd`,
	} {
		if got := Escape(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
