package cache

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRefusesWhatOthersCouldHaveMade(t *testing.T) {
	within := func(f func(p Place) error) func(*testing.T, *Place) {
		return func(t *testing.T, p *Place) { check(t, f(*p)) }
	}
	ocjails := func(p Place) string { return filepath.Dir(p.KeyFile()) }
	cases := map[string]struct {
		spoil func(*testing.T, *Place)
		want  string
	}{
		"cache opened":  {within(func(p Place) error { return os.Chmod(p.Dir(), 0o750) }), "rules (mode 0750): chmod go-rwx '"},
		"cache a link":  {within(func(p Place) error { return relink(p.Dir()) }), "rules is no folder, or a link to one: move it away"},
		"cache a file":  {within(func(p Place) error { return refile(p.Dir()) }), "rules is no folder"},
		"around it":     {within(func(p Place) error { return os.Chmod(p.Cache, 0o770) }), "ocjail (mode 0770): chmod go-rwx '"},
		"around a link": {within(func(p Place) error { return relink(p.Cache) }), "ocjail is no folder, or a link"},
		"key known":     {within(func(p Place) error { return os.Chmod(p.KeyFile(), 0o640) }), "cache.key: others may know it (mode 0640): remove it"},
		"key a link":    {within(func(p Place) error { return relink(p.KeyFile()) }), "cache.key: too many levels of symbolic links"},
		"key empty":     {within(func(p Place) error { return os.Truncate(p.KeyFile(), 0) }), "cache.key: it is no key of ocjail's: remove it"},
		"key's folder":  {within(func(p Place) error { return os.Chmod(ocjails(p), 0o770) }), "ocjail (mode 0770)"},
		"state a link":  {within(func(p Place) error { return relink(filepath.Dir(ocjails(p))) }), "state is no folder, or a link"},
		"state open":    {within(func(p Place) error { return os.Chmod(filepath.Dir(ocjails(p)), 0o777) }), "state (mode 0777)"},
	}
	if os.Getuid() == 0 {
		for name, path := range map[string]func(Place) string{"cache's owner": Place.Dir, "key's owner": Place.KeyFile, "state's owner": ocjails} {
			cases[name] = struct {
				spoil func(*testing.T, *Place)
				want  string
			}{within(func(p Place) error { return os.Chown(path(p), 65534, -1) }), "belongs to user 65534, not to you"}
		}
	} else {
		cases["cache's owner"] = struct {
			spoil func(*testing.T, *Place)
			want  string
		}{func(_ *testing.T, p *Place) { p.Cache = "/usr/lib" }, "belongs to user 0, not to you"}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := place(t)
			open(t, p)
			c.spoil(t, &p)
			if c, err := Open(p); err == nil || !strings.Contains(err.Error(), "the rules' cache") && !strings.Contains(err.Error(), "the key of") {
				t.Fatal(c, err)
			} else if !strings.Contains(err.Error(), cases[name].want) {
				t.Errorf("%v\nwant: %s", err, cases[name].want)
			}
		})
	}
}

func relink(path string) error {
	if err := os.Rename(path, path+".real"); err != nil {
		return err
	}
	return os.Symlink(path+".real", path)
}

func refile(path string) error {
	if err := os.Rename(path, path+".real"); err != nil {
		return err
	}
	return os.WriteFile(path, nil, 0o600)
}

// A home's groups are one's own on many machines, and a cache folder may be a link
// to another disk.
func TestTakesWhatIsUsual(t *testing.T) {
	p := place(t)
	check(t, os.Mkdir(filepath.Join(p.Home, ".local"), 0o700))
	check(t, os.Chmod(filepath.Join(p.Home, ".local"), 0o775))
	check(t, relink(filepath.Dir(p.Cache)))
	open(t, p)
}
