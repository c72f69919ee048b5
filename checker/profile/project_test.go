package profile

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFindProject(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	for _, dir := range []string{"home/a/.git", "home/a/b/c", "home/n/d", "home/plain/x", "srv/p/q", "srv/bare", "home/.git", ".git"} {
		must(t, os.MkdirAll(filepath.Join(base, dir), 0o755))
	}
	for _, file := range []string{"home/n/devenv.nix", "srv/p/ocjail.hcl", "home/file"} {
		must(t, os.WriteFile(filepath.Join(base, file), nil, 0o600))
	}
	link(t, "a/b", base+"/home/link")
	link(t, base+"/home", base+"/alias")
	t.Setenv("TMPDIR", base+"/home/a") // as a project's .env could
	saved := sharedDirs
	sharedDirs = []string{base + "/shared"}
	t.Cleanup(func() { sharedDirs = saved })
	must(t, os.MkdirAll(base+"/shared/x", 0o755))
	must(t, os.Mkdir(base+"/shared/.git", 0o755))
	must(t, os.RemoveAll(base+"/.git"))

	tests := map[string]struct{ start, explicit, want string }{
		"git":               {"home/a/b/c", "", "home/a"},
		"the root itself":   {"home/a", "", "home/a"},
		"devenv":            {"home/n/d", "", "home/n"},
		"ocjail.hcl":        {"srv/p/q", "", "srv/p"},
		"through a link":    {"home/link/c", "", "home/a"},
		"unmarked":          {"home/plain/x", "", "!no project around"},
		"planted in /tmp":   {"shared/x", "", "!no project around"},
		"home":              {"home", "", "!is or contains your home directory"},
		"home by alias":     {"alias", "", "!is or contains your home directory"},
		"above home":        {".", "", "!is or contains your home directory"},
		"shared":            {"shared", "", "!is no project"},
		"outside, unmarked": {"srv", "", "!no project around"},
		"gone":              {"none", "", "!cannot resolve"},
		"explicit":          {"home", "a/b", "home/a/b"},
		"explicit link":     {"home", "link", "home/a/b"},
		"explicit home":     {"home/a", "..", "!is or contains your home directory"},
		"explicit shared":   {"home/a", "../../shared", "!is no project"},
		"explicit file":     {"home", "file", "!is not a directory"},
		"explicit gone":     {"home", "none", "!--project: cannot resolve"},
		"explicit root":     {"home", "/", "!is or contains your home directory"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := FindProject(base+"/alias", filepath.Join(base, tc.start), tc.explicit)
			if want, fails := strings.CutPrefix(tc.want, "!"); fails {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %s, %v, want %s", got, err, want)
				}
				// What else went wrong must not pass for a folder without rules.
				var none *NoProjectError
				if is := errors.As(err, &none); is != (tc.explicit == "" && tc.start != "none") {
					t.Errorf("%v: that there is no project: %v", err, is)
				}
			} else if err != nil || got != filepath.Join(base, tc.want) {
				t.Errorf("got %s, %v, want %s", got, err, tc.want)
			}
		})
	}
	for _, file := range []string{"home/ocjail.hcl", "home/a/ocjail.hcl", "home/a/b/ocjail.hcl", "home/a/b/c/ocjail.hcl", "shared/ocjail.hcl"} {
		must(t, os.WriteFile(filepath.Join(base, file), nil, 0o600))
	}
	for root, want := range map[string]string{"home/a/b/c": "home/a/b/ocjail.hcl home/a/ocjail.hcl", "home/a": "", "srv/p/q": "srv/p/ocjail.hcl", "shared/x": ""} {
		got, err := Around(base+"/alias", filepath.Join(base, root))
		if err != nil || strings.ReplaceAll(strings.Join(got, " "), base+"/", "") != want {
			t.Errorf("around %s: %v, %v, want %s", root, got, err, want)
		}
	}
}

// An agent can write a manifest; what is protected in a project hangs on its root.
func TestStated(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	for _, dir := range []string{"home/a/.git", "home/a/b/.git", "home/plain/x", "shared/x", "home/a/own/src"} {
		must(t, os.MkdirAll(filepath.Join(base, dir), 0o755))
	}
	must(t, os.WriteFile(base+"/home/a/own/ocjail.hcl", nil, 0o600))
	link(t, base+"/home", base+"/alias")
	link(t, "a", base+"/home/link")
	saved := sharedDirs
	sharedDirs = []string{base + "/shared"}
	t.Cleanup(func() { sharedDirs = saved })
	for name, tc := range map[string]struct{ start, root, want string }{
		"itself":            {"home/a", "home/a", "home/a"},
		"from below":        {"home/a/b", "home/a", "home/a"},
		"by a link":         {"home/a/b", "home/link", "home/a"},
		"unmarked, itself":  {"home/plain", "home/plain", "home/plain"},
		"unmarked, above":   {"home/plain/x", "home/plain", "!has no .git, devenv.nix or ocjail.hcl"},
		"below":             {"home/a", "home/a/b", "!lies outside it"},
		"beside":            {"home/a", "home/plain", "!lies outside it"},
		"the home":          {"home/a", "home", "!is or contains your home directory"},
		"the home by alias": {"home/a", "alias", "!is or contains your home directory"},
		"above the home":    {"home/a", ".", "!is or contains your home directory"},
		"shared":            {"shared/x", "shared", "!is no project"},
		"gone":              {"home/a", "none", "!cannot resolve"},
		"hides rules":       {"home/a/own", "home/a", "!so that the ocjail.hcl of"},
		"hides rules above": {"home/a/own/src", "home/a", "!so that the ocjail.hcl of"},
		"has rules":         {"home/a/own/src", "home/a/own", "home/a/own"},
	} {
		got, nested, err := Stated(base+"/alias", filepath.Join(base, tc.start), filepath.Join(base, tc.root))
		if want, fails := strings.CutPrefix(tc.want, "!"); fails {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %s, %v, want %s", name, got, err, want)
			}
		} else if err != nil || got != filepath.Join(base, tc.want) {
			t.Errorf("%s: got %s, %v", name, got, err)
		} else if within := filepath.Join(base, "home/a/b"); tc.start == "home/a/b" != slices.Equal(nested, []string{within}) {
			t.Errorf("%s: nested: %q", name, nested)
		}
	}
}

// A folder like /tmp, in which a stranger can make a marker, is no project.
func TestSharedFolders(t *testing.T) {
	saved := sharedDirs
	sharedDirs = nil
	t.Cleanup(func() { sharedDirs = saved })
	own := t.TempDir()
	must(t, os.Chmod(own, 0o777|os.ModeSticky))
	if shared(own) {
		t.Error("one's own folder is shared")
	}
	other := "/tmp" // root's
	if os.Geteuid() == 0 {
		other = own
		must(t, os.Chown(own, 54321, 54321))
	}
	if !shared(other) {
		t.Errorf("%s is not shared", other)
	}
	if err := checkProject(other, "/nonexistent"); err == nil {
		t.Errorf("%s is a project", other)
	}
}
