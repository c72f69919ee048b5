package checker

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/notation"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// resolved is a jail of options whose project is dir.
func resolved(t *testing.T, dir string, command string, options ...string) *Jail {
	t.Helper()
	fs := host.NewFS()
	facts, err := host.Gather(fs, dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sandbox.ParseArgv(append(options, "--", command), nil)
	if err != nil {
		t.Fatal(err)
	}
	j, err := Resolve(Request{Name: "test", Phase: Launch, Sandbox: s, FS: fs, Facts: facts, Config: config.Default(), Cwd: dir})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// tree makes files below a new directory; those with a target are links.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range files {
		p := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(p), 0o755)
		if err == nil && target != "" {
			err = os.Symlink(target, p)
		} else if err == nil {
			err = os.WriteFile(p, nil, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestShows(t *testing.T) {
	dir := tree(t, map[string]string{"settings/a.json": "", "settings/sub/b.json": "", "store/c.json": "", "linked/c.json": "../store/c.json", "project/x": ""})
	at := func(name string) string { return filepath.Join(dir, name) }
	settings, linked := at("settings"), at("linked")
	for name, tc := range map[string]struct {
		options []string
		of      string
		want    bool
	}{
		"the folder":           {[]string{"--ro-bind", settings, settings}, settings, true},
		"nothing":              {nil, settings, false},
		"every file":           {[]string{"--ro-bind", at("settings/a.json"), at("settings/a.json"), "--ro-bind", at("settings/sub"), at("settings/sub")}, settings, true},
		"one file":             {[]string{"--ro-bind", at("settings/a.json"), at("settings/a.json")}, settings, false},
		"another in its place": {[]string{"--ro-bind", at("store"), settings}, settings, false},
		"a mask over it":       {[]string{"--ro-bind", settings, settings, "--tmpfs", at("settings/sub")}, settings, false},
		"links alone":          {[]string{"--ro-bind", linked, linked}, linked, false},
		"links and targets":    {[]string{"--ro-bind", linked, linked, "--ro-bind", at("store"), at("store")}, linked, true},
		"what links lead to":   {[]string{"--ro-bind", at("store/c.json"), at("linked/c.json")}, linked, true},
	} {
		b := &inputBuilder{Jail: resolved(t, at("project"), "sh", append([]string{"--unshare-user"}, tc.options...)...)}
		if got := b.shows(tc.of, maxDepth); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestDanglingSettings(t *testing.T) {
	dir := tree(t, map[string]string{"dotfiles/o.json": "", "project/opencode.json": "../dotfiles/o.json", "project/.opencode/opencode.json": ""})
	project, file := filepath.Join(dir, "project"), filepath.Join(dir, "dotfiles/o.json")
	link := InputDangling{Path: filepath.Join(project, "opencode.json"), Target: file}
	for name, tc := range map[string]struct {
		command string
		options []string
		want    InputAgent
	}{
		"the link alone": {"/usr/bin/opencode", []string{"--ro-bind", project, project}, InputAgent{Runs: true, Dangling: []InputDangling{link}}},
		"with its file":  {"opencode", []string{"--ro-bind", project, project, "--ro-bind", file, file}, InputAgent{Runs: true, Dangling: []InputDangling{}}},
		"neither":        {"sh", nil, InputAgent{Dangling: []InputDangling{}}},
	} {
		j := resolved(t, project, tc.command, append([]string{"--unshare-user"}, tc.options...)...)
		in, err := j.Input(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		in.Agent.Managed = nil // this machine's own
		if diff := cmp.Diff(tc.want, in.Agent); diff != "" {
			t.Errorf("%s: want (-), got (+):\n%s", name, diff)
		}
	}
}

func TestNotationOfJail(t *testing.T) {
	project := tree(t, map[string]string{"x": ""})
	for want, origin := range map[notation.Notation]string{notation.Bwrap: "", notation.Profile: "profile:jail.hcl:3", notation.Add: "--add[0]"} {
		options := []string{"--unshare-user"}
		if origin != "" {
			options = append([]string{sandbox.OriginOption, origin}, options...)
		}
		j := resolved(t, project, "sh", options...)
		if got := j.notation(parseOrigin(origin)); got != want {
			t.Errorf("origin %q: notation %d, want %d", origin, got, want)
		}
	}
}
