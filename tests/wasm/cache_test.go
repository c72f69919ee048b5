package wasm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// warm is an organisation with the rule in Rego, compiled, and the native code of it.
func warm(t *testing.T) (o *organisation, native string) {
	t.Helper()
	o = newOrganisation(t)
	status, _, said := o.ocjail("", "build", "--warm", "-o", filepath.Join(o.dir, "rules/acme.wasm"), guest(t, "rego/no_network.rego"))
	if status != 0 || said != "" {
		t.Fatalf("status %d: %s", status, said)
	}
	files := o.entries("native")
	if len(files) != 1 {
		t.Fatalf("%d files of native code", len(files))
	}
	return o, files[0]
}

func guest(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("guests", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// entries are the cache's files of a kind.
func (o *organisation) entries(kind string) []string {
	o.t.Helper()
	files, err := filepath.Glob(filepath.Join(o.dir, "home/.cache/ocjail/rules", kind+"-*"))
	if err != nil {
		o.t.Fatal(err)
	}
	return files
}

// lint judges the jail that breaks the organisation's rule.
func (o *organisation) lint(flags ...string) (status int, stdout, stderr string) {
	o.t.Helper()
	words := append([]string{"lint", "--config", filepath.Join(o.dir, "ocjail.hcl"), "--fail-level", "warning"}, flags...)
	return o.ocjail(open, append(words, "-")...)
}

// judges makes sure that the rule's verdict is there, with that on standard error.
func (o *organisation) judges(want string) {
	o.t.Helper()
	status, out, said := o.lint()
	if status != 1 || !strings.Contains(out, "acme/no-network: the jail shares the host's network") {
		o.t.Errorf("status %d: %s%s", status, out, said)
	}
	if !strings.Contains(said, want) || want == "" && said != "" {
		o.t.Errorf("standard error: %q\nwant: %q", said, want)
	}
}

func TestLintFillsTheCache(t *testing.T) {
	o, native := warm(t)
	o.judges("")
	if err := os.RemoveAll(filepath.Join(o.dir, "home/.cache")); err != nil { // clears it
		t.Fatal(err)
	}
	o.judges("")
	if files := o.entries("native"); len(files) != 1 || files[0] != native {
		t.Errorf("%v, not %s", files, native)
	}
}

// Who waits is told what for, on a terminal, the first time.
func TestTellsThatItCompiles(t *testing.T) {
	o := newOrganisation(t)
	o.guest([]string{"GOOS=wasip1", "GOARCH=wasm"}, "go", "build", "-C", "guests/go") // takes a second
	terminal, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	c := exec.CommandContext(t.Context(), filepath.Join(o.bin, "ocjail"), "lint", "--config", filepath.Join(o.dir, "ocjail.hcl"), "-")
	c.Dir, c.Env, c.Stdin, c.Stderr = filepath.Join(o.dir, "project"), o.environ(), strings.NewReader(open), tty
	if err := errors.Join(c.Run(), tty.Close()); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(terminal) // ends with EIO, as the other end is closed
	if want := "ocjail: compiling policy acme (" + filepath.Join(o.dir, "rules") + "): acme/no-network.wasm, once"; !strings.HasPrefix(string(said), want) {
		t.Errorf("%q, %v\nwant: %q", said, err, want)
	}
}

// An entry that was tampered with would be run: where the key vouches for it, it is.
func TestRunsNoNativeCodeOfOthers(t *testing.T) {
	o, native := warm(t)
	good, err := os.ReadFile(native)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func([]byte) []byte{
		"changed":   func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"truncated": func(b []byte) []byte { return b[:len(b)/2] },
		"no code":   func([]byte) []byte { return []byte("junk") },
	} {
		t.Run(name, func(t *testing.T) {
			o.clear("verdict")
			if err := os.WriteFile(native, spoil(bytes.Clone(good)), 0o600); err != nil {
				t.Fatal(err)
			}
			o.judges("ocjail: warning: " + filepath.Base(native) + " in the rules' cache is not as ocjail left it, and is discarded")
			o.clear("verdict")
			o.judges("")
			if now, err := os.ReadFile(native); err != nil || !bytes.Equal(now, good) {
				t.Errorf("it was not made again: %v", err)
			}
		})
	}
}

// A verdict is native code's equal: one that others wrote could allow everything.
func TestBelievesNoVerdictOfOthers(t *testing.T) {
	o, _ := warm(t)
	o.judges("")
	kept := o.entries("verdict")
	if len(kept) != 1 {
		t.Fatalf("%v", kept)
	}
	if err := os.WriteFile(kept[0], append([]byte(`{"findings":[]}`), make([]byte, 32)...), 0o600); err != nil {
		t.Fatal(err)
	}
	o.judges("ocjail: warning: " + filepath.Base(kept[0]) + " in the rules' cache is not as ocjail left it, and is discarded")
	o.judges("")
}

// A command says beside it what it reads, and gets no more.
func TestKeepsTheVerdictOfACommand(t *testing.T) {
	for about, want := range map[string]int{"no-network.json": 1, "": 0} {
		o := newOrganisation(t)
		o.guest([]string{"GOOS=wasip1", "GOARCH=wasm"}, "go", "build", "-C", "guests/go")
		if about == "" {
			if err := os.Remove(filepath.Join(o.dir, "rules/acme/no-network.json")); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if _, out, said := o.lint(); !strings.Contains(out, "acme/no-network: the jail shares the host's network") {
				t.Fatal(out, said)
			}
		}
		if kept := o.entries("verdict"); len(kept) != want {
			t.Errorf("%q: %d verdicts", about, len(kept))
		}
	}
}

// clear removes the cache's files of a kind.
func (o *organisation) clear(kind string) {
	o.t.Helper()
	for _, f := range o.entries(kind) {
		if err := os.Remove(f); err != nil {
			o.t.Fatal(err)
		}
	}
}

func TestUsesNoCacheThatOthersCanOpen(t *testing.T) {
	o, _ := warm(t)
	dir := filepath.Join(o.dir, "home/.cache/ocjail/rules")
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	o.judges("ocjail: warning: your rules are compiled anew each time: the rules' cache: others can open " + dir + " (mode 0755): chmod go-rwx '" + dir + "'\n")
}

// What the jail can write, or the key that it can read, is refused before it starts.
func TestJailReachesNoCache(t *testing.T) {
	o, _ := warm(t)
	for bind, want := range map[string]string{
		"--bind " + filepath.Join(o.dir, "home/.cache"):               "/.cache/ocjail/rules, the cache of your compiled rules, can be written in the jail as /in/ocjail/rules: drop the mount",
		"--ro-bind " + filepath.Join(o.dir, "home/.local/state"):      "/cache.key, the key of your rules' cache, can be reached in the jail as /in/ocjail/cache.key: drop the mount",
		"--ro-bind " + filepath.Join(o.dir, "home/.cache"):            "",
		"--bind " + filepath.Join(o.dir, "home/.cache/ocjail/caches"): "",
	} {
		if err := os.MkdirAll(filepath.Join(o.dir, "home/.cache/ocjail/caches"), 0o700); err != nil {
			t.Fatal(err)
		}
		option, source, _ := strings.Cut(bind, " ")
		argv := strings.Replace(open, `"--unshare-user"`, fmt.Sprintf(`%q, %q, "/in", "--unshare-user"`, option, source), 1)
		status, _, said := o.ocjail(argv, "lint", "--config", filepath.Join(o.dir, "ocjail.hcl"), "-")
		if refused := status == 2; refused != (want != "") || !strings.Contains(said, want) {
			t.Errorf("%s: status %d: %s", bind, status, said)
		}
	}
}

// launch starts a jail whose command succeeds. The rule only warns.
func (o *organisation) launch(ctx context.Context) *exec.Cmd {
	c := exec.CommandContext(ctx, filepath.Join(o.bin, "ocjail"), "gate", "--config", filepath.Join(o.dir, "ocjail.hcl"), "--verbose", "--",
		"--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--unshare-user", "--unshare-pid",
		"--clearenv", "--die-with-parent", "--", "/usr/bin/true")
	c.Dir, c.Env = filepath.Join(o.dir, "project"), o.environ()
	return c
}

func TestFiftyLaunchesAtOnce(t *testing.T) {
	o, native := warm(t)
	if err := os.RemoveAll(filepath.Join(o.dir, "home/.cache")); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			out, err := o.launch(t.Context()).CombinedOutput()
			if err != nil || !strings.Contains(string(out), "warning acme/no-network: ") || strings.Contains(string(out), "ocjail: warning: ") {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	all.Wait()
	if files := o.entries("native"); len(files) != 1 || files[0] != native {
		t.Errorf("%v", files)
	}
	if left, err := filepath.Glob(filepath.Join(o.dir, "home/.cache/ocjail/rules/.*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestKilledWhileItCompiles(t *testing.T) {
	o, _ := warm(t)
	for n := range 15 {
		if err := os.RemoveAll(filepath.Join(o.dir, "home/.cache")); err != nil {
			t.Fatal(err)
		}
		c := o.launch(t.Context())
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(n) * 8 * time.Millisecond)
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		o.judges("")
	}
}
