package profile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// realHost is this machine with a home and a project of the test's own.
func realHost(t *testing.T) Host {
	t.Helper()
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(base, "home")
	h := Host{User: "tester", Home: home, Project: home + "/proj", WorkDir: home + "/proj/sub", CacheDir: home + "/.cache/ocjail",
		FS: Root(), Lookup: os.LookupEnv}
	if err := os.MkdirAll(h.WorkDir, 0o755); err != nil {
		t.Fatal(err)
	}
	return h
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

const creating = project + "caches = [\"~/.npm\"]\nmount \"~/.config/opencode\" {\n access = \"rw\"\n create = true\n}\n"

func TestMakeDirectories(t *testing.T) {
	h, p := realHost(t), parse(t, creating)
	for range 2 { // the second time all exist
		if err := p.MakeDirectories(h); err != nil {
			t.Fatal(err)
		}
	}
	dirs := p.Directories(h)
	if len(dirs) != 2 || dirs[0] != h.Home+"/.config/opencode" || !strings.HasPrefix(dirs[1], h.CacheDir+"/caches/proj-") {
		t.Fatal(dirs)
	}
	for _, dir := range append(dirs, h.Home+"/.config", h.CacheDir) {
		if info, err := os.Lstat(dir); err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", dir, info, err)
		}
	}
}

func TestMakeDirectoriesAndLinks(t *testing.T) {
	tests := map[string]struct {
		prepare func(h Host)
		want    string // of the error; "" for none
		absent  string // must not have been created
	}{
		"link within the home": {func(h Host) {
			link(t, h.Home+"/dotfiles", h.Home+"/.config")
			must(t, os.MkdirAll(h.Home+"/dotfiles/opencode", 0o755))
		}, "", ""},
		"link out of the home": {func(h Host) {
			must(t, os.Mkdir(h.Home+"/../out", 0o755))
			link(t, h.Home+"/../out", h.Home+"/.config/opencode")
		}, "leads out of the home", ""},
		"dangling link": {func(h Host) { link(t, h.Home+"/made", h.Home+"/.config/opencode") },
			".config/opencode is a symbolic link or no directory", "made"},
		"through a link": {func(h Host) {
			link(t, h.Home+"/dotfiles", h.Home+"/.config")
			must(t, os.Mkdir(h.Home+"/dotfiles", 0o755))
		}, ".config is a symbolic link or no directory", "dotfiles/opencode"},
		"link to the home": {func(h Host) { link(t, h.Home, h.Home+"/.config/opencode") }, "leads out of the home", ""},
		"file": {func(h Host) {
			must(t, os.Mkdir(h.Home+"/.config", 0o755))
			must(t, os.WriteFile(h.Home+"/.config/opencode", nil, 0o600))
		}, "it is not a directory: move it away", ""},
		"file on the way": {func(h Host) { must(t, os.WriteFile(h.Home+"/.config", nil, 0o600)) }, ".config", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			h := realHost(t)
			tc.prepare(h)
			err := parse(t, creating).MakeDirectories(h)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if _, err := os.Lstat(filepath.Join(h.Home, tc.absent)); tc.absent != "" && err == nil {
				t.Errorf("%s was created", tc.absent)
			}
		})
	}
}

func TestCachesOutsideTheHome(t *testing.T) {
	h := realHost(t)
	h.CacheDir = filepath.Dir(h.Home) + "/cache"
	if err := parse(t, creating).MakeDirectories(h); err != nil {
		t.Fatal(err)
	}
	must(t, os.RemoveAll(h.CacheDir))
	link(t, h.Home, h.CacheDir)
	if err := parse(t, creating).MakeDirectories(h); err == nil || !strings.Contains(err.Error(), "cache is a symbolic link") {
		t.Error(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
