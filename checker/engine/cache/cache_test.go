package cache

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestMain is also what the tests start as other processes.
func TestMain(m *testing.M) {
	if role := os.Getenv("CACHE_TEST_ROLE"); role != "" {
		if err := play(role, Place{os.Getenv("CACHE_TEST_CACHE"), os.Getenv("CACHE_TEST_HOME")}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// play is what another process does with the cache.
func play(role string, p Place) error {
	c, err := Open(p)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(strings.TrimPrefix(role, "writer "))
	switch {
	case role == "one":
		return c.Put(entry(1), large(1))
	case err != nil:
		return fmt.Errorf("no role %q", role)
	}
	for round := range 40 {
		e, want := entry(round%5), large(round%5)
		if err := c.Put(e, want); err != nil {
			return err
		}
		if got, err := c.Get(e); err != nil || !bytes.Equal(got, want) {
			return fmt.Errorf("writer %d, round %d: %d bytes, %w", number, round, len(got), err)
		}
	}
	return nil
}

func entry(n int) Entry {
	return Entry{Kind: "native", Maker: "test", ID: sha256.Sum256([]byte{byte(n)})}
}

func large(n int) []byte { return bytes.Repeat([]byte{byte('a' + n)}, 200_000) }

func place(t *testing.T) Place {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"home", "xdg"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return Place{Cache: filepath.Join(dir, "xdg", "ocjail"), Home: filepath.Join(dir, "home")}
}

func open(t *testing.T, p Place) *Cache {
	t.Helper()
	c, err := Open(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// process is this test's program in a role, within the words of another.
func process(t *testing.T, p Place, role string, within ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	words := append(slices.Clone(within), self)
	c := exec.CommandContext(t.Context(), words[0], words[1:]...)
	c.Env = append(os.Environ(), "CACHE_TEST_ROLE="+role, "CACHE_TEST_CACHE="+p.Cache, "CACHE_TEST_HOME="+p.Home)
	return c
}

func TestKeepsWhatItIsGiven(t *testing.T) {
	p := place(t)
	c := open(t, p)
	if _, err := c.Get(entry(1)); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, n := range []int{1, 2} {
		if err := c.Put(entry(n), large(n)); err != nil {
			t.Fatal(err)
		}
	}
	again := open(t, p)
	folder, key := again.Hand()
	for _, c := range []*Cache{c, again, Handed(folder, key)} {
		if got, err := c.Get(entry(2)); err != nil || !bytes.Equal(got, large(2)) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	}
	other := entry(1)
	other.Maker = "another version"
	if _, err := again.Get(other); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("another maker's entry: %v", err)
	}
	for path, want := range map[string]os.FileMode{p.KeyFile(): 0o600, p.Dir(): 0o700, p.Cache: 0o700, filepath.Join(p.Dir(), entry(1).name()): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

func TestDiscardsWhatWasChanged(t *testing.T) {
	change := func(f func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, file string) {
			data, err := os.ReadFile(file)
			if err == nil {
				err = os.WriteFile(file, f(data), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	replace := func(f func(file string) error) func(*testing.T, string) {
		return func(t *testing.T, file string) {
			if err := errors.Join(os.Remove(file), f(file)); err != nil {
				t.Fatal(err)
			}
		}
	}
	cases := map[string]func(*testing.T, string){
		"first byte":  change(func(b []byte) []byte { b[0] ^= 1; return b }),
		"last byte":   change(func(b []byte) []byte { b[len(b)-1] ^= 1; return b }),
		"one more":    change(func(b []byte) []byte { return append(b, 0) }),
		"one less":    change(func(b []byte) []byte { return b[:len(b)-1] }),
		"half":        change(func(b []byte) []byte { return b[:len(b)/2] }),
		"empty":       change(func([]byte) []byte { return nil }),
		"huge":        func(t *testing.T, file string) { check(t, os.Truncate(file, maxEntry+1)) },
		"link":        replace(func(file string) error { return os.Symlink("/etc/passwd", file) }),
		"FIFO":        replace(func(file string) error { return exec.Command("mkfifo", file).Run() }),
		"another's":   change(func([]byte) []byte { b, _ := os.ReadFile("other"); return b }),
		"another key": func(t *testing.T, file string) { forge(t, file) },
	}
	if os.Getuid() == 0 {
		cases["owner"] = func(t *testing.T, file string) { check(t, os.Chown(file, 65534, -1)) }
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			c := open(t, place(t))
			check(t, c.Put(entry(1), large(1)))
			check(t, c.Put(entry(2), large(2)))
			t.Chdir(c.Dir)
			check(t, os.Link(entry(2).name(), "other"))
			spoil(t, filepath.Join(c.Dir, entry(1).name()))
			var discarded *DiscardedError
			if got, err := c.Get(entry(1)); !errors.As(err, &discarded) || got != nil || !strings.Contains(err.Error(), entry(1).name()) {
				t.Fatalf("%d bytes, %v", len(got), err)
			}
			if _, err := c.Get(entry(1)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("it is still there: %v", err)
			}
			check(t, c.Put(entry(1), large(1)))
			if got, err := c.Get(entry(1)); err != nil || !bytes.Equal(got, large(1)) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	t.Run("folder", func(t *testing.T) {
		c := open(t, place(t))
		check(t, os.Mkdir(filepath.Join(c.Dir, entry(1).name()), 0o700))
		if _, err := c.Get(entry(1)); err == nil || !strings.Contains(err.Error(), "can not be removed") {
			t.Error(err)
		}
	})
}

// forge writes what somebody without the key would.
func forge(t *testing.T, file string) {
	t.Helper()
	c := open(t, place(t))
	check(t, c.Put(entry(1), large(1)))
	data, err := os.ReadFile(filepath.Join(c.Dir, entry(1).name()))
	check(t, err)
	check(t, os.WriteFile(file, data, 0o600))
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestManyAtOnce(t *testing.T) {
	p := place(t)
	var all []*exec.Cmd
	for n := range 50 {
		c := process(t, p, fmt.Sprintf("writer %d", n))
		var said bytes.Buffer
		c.Stderr = &said
		check(t, c.Start())
		all = append(all, c)
	}
	for _, c := range all {
		if err := c.Wait(); err != nil {
			t.Errorf("%v: %s", err, c.Stderr)
		}
	}
	sound(t, p)
}

func TestKilledAtAnyTime(t *testing.T) {
	p := place(t)
	for n := range 40 {
		c := process(t, p, fmt.Sprintf("writer %d", n))
		check(t, c.Start())
		time.Sleep(time.Duration(n) * time.Millisecond)
		check(t, c.Process.Kill())
		_ = c.Wait()
	}
	sound(t, p)
	c := open(t, p)
	old := time.Now().Add(-2 * abandoned)
	names, err := filepath.Glob(filepath.Join(p.Dir(), temporaryPrefix+"*"))
	check(t, err)
	left := filepath.Join(p.Dir(), temporaryPrefix+"LEFT")
	check(t, os.WriteFile(left, nil, 0o600))
	for _, name := range append(names, left) {
		check(t, os.Chtimes(name, old, old))
	}
	check(t, c.Put(entry(1), large(1)))
	if names, err = filepath.Glob(filepath.Join(p.Dir(), temporaryPrefix+"*")); err != nil || len(names) > 0 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

// sound makes sure that every entry is whole, or not there.
func sound(t *testing.T, p Place) {
	t.Helper()
	c := open(t, p)
	for n := range 5 {
		if got, err := c.Get(entry(n)); !errors.Is(err, fs.ErrNotExist) && (err != nil || !bytes.Equal(got, large(n))) {
			t.Errorf("entry %d: %d bytes, %v", n, len(got), err)
		}
	}
}

func TestFullDisk(t *testing.T) {
	p := place(t)
	check(t, os.Mkdir(p.Cache, 0o700))
	out, err := process(t, p, "one", "bwrap", "--dev-bind", "/", "/", "--perms", "0700", "--size", "65536", "--tmpfs", p.Cache).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "no space left on device") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestReadOnly(t *testing.T) {
	p := place(t)
	around := filepath.Dir(p.Cache)
	out, err := process(t, p, "one", "bwrap", "--dev-bind", "/", "/", "--ro-bind", around, around).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "read-only file system") {
		t.Errorf("%v: %s", err, out)
	}
	c := open(t, p) // makes the folders
	check(t, c.Put(entry(2), large(2)))
	out, err = process(t, p, "one", "bwrap", "--dev-bind", "/", "/", "--ro-bind", around, around).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "write in the rules' cache: read-only file system") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestDropsWhatWasLeastUsed(t *testing.T) {
	entries, total := maxEntries, maxTotal
	t.Cleanup(func() { maxEntries, maxTotal = entries, total })
	c := open(t, place(t))
	at := time.Now().Add(-48 * time.Hour)
	for n := range 4 {
		check(t, c.Put(entry(n), large(n)))
		check(t, os.Chtimes(filepath.Join(c.Dir, entry(n).name()), at, at.Add(time.Duration(n)*time.Second)))
	}
	_, err := c.Get(entry(0)) // is used again
	check(t, err)
	for _, set := range []func(){func() { maxEntries = 4 }, func() { maxTotal = 3 * 210_000 }} {
		set()
		check(t, c.Put(entry(4), large(4)))
	}
	for n, want := range []bool{true, false, false, true, true} {
		if _, err := c.Get(entry(n)); (err == nil) != want {
			t.Errorf("entry %d: %v", n, err)
		}
	}
	if err := c.Put(entry(1), make([]byte, maxEntry)); err == nil {
		t.Error("an entry of any size is taken")
	}
}
