package gate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// A secret that was replaced, removed or renamed while a descriptor of it is open is
// one still. The kernel then adds a word to its name, which a name can have as well.
func TestCopiedFilesWhoseNamesAreGone(t *testing.T) {
	for name, c := range map[string]struct {
		file   string
		change func(file string) error
		secret bool
	}{
		"as it was":       {"secret/key", func(string) error { return nil }, true},
		"removed":         {"secret/key", os.Remove, true},
		"replaced":        {"secret/key", func(f string) error { return os.Rename(filepath.Join(f, "../other"), f) }, true},
		"literally so":    {"secret/key (deleted)", func(string) error { return nil }, true},
		"other":           {"project/notes", func(string) error { return nil }, false},
		"other, removed":  {"project/notes", os.Remove, false},
		"other literally": {"project/notes (deleted)", func(string) error { return nil }, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := gatetest.New(t)
			w.Write("secret/other", "new\n", 0o644)
			f := open(t, w.Write(c.file, "hunter2\n", 0o644), os.O_RDONLY)
			if err := c.change(f.Name()); err != nil {
				t.Fatal(err)
			}
			argv := append(w.Jail("--ro-bind-data", "3", "/k"), "--", "cat", "/k")
			want(t, w.Run(at(w.Bwrap(argv...), f)), 0, "hunter2\n")
			if _, err := f.Seek(0, 0); err != nil {
				t.Fatal(err)
			}
			o := w.Run(at(w.Configured(fmt.Sprintf("watch %q { class = \"secret\" }", filepath.Join(w.Dir, "secret")), argv...), f))
			if !c.secret {
				want(t, o, 0, "hunter2\n")
				return
			}
			want(t, o, 126, "")
			if !strings.Contains(o.Stderr, "secrets/credential-readable") {
				t.Errorf("refused for another reason: %s", o.Stderr)
			}
		})
	}
}

// A here-document or memfd never had a name.
func TestCopiedFilesWithoutName(t *testing.T) {
	w := gatetest.New(t)
	n, err := unix.MemfdCreate("secret", 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(n), "memfd")
	defer f.Close()
	if _, err := f.WriteString("mine\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	want(t, w.Run(at(w.Ocjail(append(w.Jail("--ro-bind-data", "3", "/k"), "--", "cat", "/k")...), f)), 0, "mine\n")
}
