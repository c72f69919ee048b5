package checker_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// What a descriptor holds came from a host file, if that has a name.
func TestInputHasCopiedSecrets(t *testing.T) {
	home := t.TempDir()
	key, part, other := filepath.Join(home, ".netrc"), filepath.Join(home, ".aws/credentials"), filepath.Join(home, "notes")
	for _, file := range []string{key, part, other} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("hunter2"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fifo := filepath.Join(home, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	linked := filepath.Join(home, "linked")
	if err := os.Link(key, linked); err != nil {
		t.Fatal(err)
	}
	fs := host.NewFS()
	facts, err := host.Gather(fs, home)
	if err != nil {
		t.Fatal(err)
	}
	facts.Home, facts.HomeReal = home, home
	files := map[int]string{10: key, 11: part, 12: other, 13: fifo, 15: linked}
	st, err := fs.Lstat(key)
	if err != nil {
		t.Fatal(err)
	}
	gone := map[int]checker.GoneError{
		20: {Path: key}, 21: {Path: part + ".old"}, 22: {Path: "/tmp/removed", ID: st.ID()}, 23: {Path: "/memfd:data", ID: sandbox.ID{Ino: 1}},
	}
	judged := func(options ...string) (*checker.Input, map[string]checker.InputWatch) {
		s, err := sandbox.ParseArgv(append(options, "--", "/usr/bin/true"), nil)
		if err != nil {
			t.Fatal(err)
		}
		j, err := checker.Resolve(checker.Request{Name: "test", Phase: checker.Launch, Sandbox: s, FS: fs, Facts: facts, Config: config.Default(), Cwd: home,
			Descriptor: func(n int) (string, error) {
				if g, ok := gone[n]; ok {
					return "", &g
				}
				if files[n] == "" {
					return "", fmt.Errorf("descriptor %d is a pipe", n)
				}
				return files[n], nil
			}})
		if err != nil {
			t.Fatal(err)
		}
		in, err := j.Input(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		watched := map[string]checker.InputWatch{}
		for _, w := range in.Watched {
			if w.Class == "secret" {
				watched[w.Path] = w
			}
		}
		return in, watched
	}
	for _, option := range []string{"--file", "--bind-data", "--ro-bind-data"} {
		in, watched := judged(option, "12", "/note", option, "10", "/x", option, "13", "/f", option, "14", "/p", option, "11", "/y")
		w := watched[key]
		if w.Access != "ro" || w.How != "copy" || w.Inside != "/x" || w.Via == nil || in.Jail.Mounts[*w.Via].SourceReal != key {
			t.Errorf("%s: %+v", option, w)
		}
		w = watched[filepath.Dir(part)]
		if w.Access != "ro" || w.How != "below" || w.Via == nil || in.Jail.Mounts[*w.Via].SourceReal != part {
			t.Errorf("%s: %+v", option, w)
		}
		for _, m := range asked(in) {
			if (m.Dest == "/f" || m.Dest == "/p") && m.SourceReal != "" {
				t.Errorf("a pipe has no name: %+v", m)
			}
		}
	}
	if _, watched := judged("--file", "15", "/x"); watched[key].How != "copy" {
		t.Errorf("by another name: %+v", watched[key])
	}
	for n, want := range map[string]string{"20": "copy", "21": "", "22": "copy", "23": ""} {
		if _, watched := judged("--file", n, "/x"); watched[key].How != want {
			t.Errorf("%s, whose name is gone: %+v", n, watched[key])
		}
	}
	if _, watched := judged("--file", "21", "/x"); watched[filepath.Dir(part)].How != "below" {
		t.Errorf("one that was in a folder: %+v", watched[filepath.Dir(part)])
	}
	for _, option := range []string{"--bind-data", "--ro-bind-data"} {
		if _, watched := judged("--dir", "/d", option, "10", "/d/x", "--tmpfs", "/d"); watched[key].Access != "none" {
			t.Errorf("%s, hidden by a later mount: %+v", option, watched[key])
		}
	}
	if _, watched := judged("--ro-bind", key, "/k", "--file", "10", "/x"); watched[key].How != "mount" {
		t.Errorf("%+v", watched[key])
	}
}
