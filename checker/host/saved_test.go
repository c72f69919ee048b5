package host

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// A saved host answers what was asked of it, says so of the rest, and holds of the
// files' content one setting.
func TestSaved(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	home, project := filepath.Join(dir, "home"), filepath.Join(dir, "project")
	for _, d := range []string{home, filepath.Join(home, "dotfiles"), filepath.Join(project, ".git")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	config := "[url \"https://token@example.org\"]\n\tinsteadOf = x\n[core]\n\thooksPath = \"~/my \\\"hooks\\\"\"\n"
	if err := os.WriteFile(filepath.Join(home, "dotfiles/gitconfig"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("dotfiles/gitconfig", filepath.Join(home, ".gitconfig")); err != nil {
		t.Fatal(err)
	}
	r := NewRecorder()
	fsys := NewFSOn(r)
	abi := 5
	facts := Facts{Landlock: &abi, Home: home, HomeReal: home, ConfigDir: filepath.Join(home, ".config/ocjail"), ProjectRoot: project, Unknown: map[string]error{"runtime": errors.New("why")}}
	for _, p := range []string{home + "/dotfiles", home + "/.ssh/id_rsa", project + "/.git"} {
		_, _ = fsys.RealPath(p) // what it says is noted
	}
	s, err := r.Save(facts, &Bwrap{Path: "/usr/bin/bwrap"}, project)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "token") || strings.Contains(string(text), project+"/") {
		t.Errorf("it holds too much: %s", text)
	}
	file := filepath.Join(dir, "host.json")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if s, err = LoadSaved(file); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(home); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", filepath.Join(dir, "none")) // a project's .env says what it likes
	away, got, err := s.In(project)
	if err != nil {
		t.Fatal(err)
	}
	if got.Home != home || got.ProjectRoot != project || got.Landlock == nil || *got.Landlock != 5 || !errors.Is(got.Unknown["runtime"], sandbox.ErrUnknown) || s.RealBwrap().Path != "/usr/bin/bwrap" {
		t.Errorf("%+v", got)
	}
	if real, err := away.RealPath(home + "/dotfiles"); err != nil || real.Stat.Type != sandbox.Dir {
		t.Error(real, err)
	}
	if _, err := away.Lstat(home + "/.ssh"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent there: %v", err)
	}
	if _, err := away.Lstat(home + "/never"); !errors.Is(err, sandbox.ErrUnknown) {
		t.Errorf("never asked: %v", err)
	}
	if st, err := away.Lstat(project + "/.git"); err != nil || st.Type != sandbox.Dir {
		t.Errorf("the project: %+v, %v", st, err)
	}
	read, err := away.readGitConfig(home + "/.gitconfig")
	if err != nil || len(read) != 1 || read["core.hookspath"] != `~/my "hooks"` {
		t.Errorf("%v, %v", read, err)
	}
	if len(away.Mounts()) == 0 {
		t.Error("no mounts")
	}
	if _, err := away.Listening(); err != nil {
		t.Error(err)
	}
	if _, err := away.read("/etc/passwd", 1<<20); !errors.Is(err, sandbox.ErrUnknown) {
		t.Errorf("content: %v", err)
	}
}
