package host

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

func realBwrap(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("bwrap")
	if err != nil {
		t.Fatalf("bwrap is missing: %s", installBwrap)
	}
	return path
}

func script(t *testing.T, path, text string) {
	t.Helper()
	write(t, path, text)
	check(t, os.Chmod(path, 0o755))
}

// Every option that --help names is found in the program's bytes, and with the
// same answer by way of a wrapper script, which needs --help.
func TestSupportsEveryOptionOfHelp(t *testing.T) {
	path := realBwrap(t)
	b, err := FindBwrap(NewFS(), path)
	check(t, err)
	help, err := exec.Command(path, "--help").Output()
	check(t, err)
	wrapper := t.TempDir() + "/wrapper"
	script(t, wrapper, "#!/bin/sh\nexec "+path+" \"$@\"\n")
	wrapped := &Bwrap{Path: wrapper}
	named := 0
	for line := range strings.Lines(string(help)) {
		if words := strings.Fields(line); len(words) > 0 && strings.HasPrefix(words[0], "--") {
			named++
			for _, b := range []*Bwrap{b, wrapped} {
				if has, err := b.Supports(words[0]); err != nil || !has {
					t.Errorf("%s in %s: %v %v", words[0], b.Path, has, err)
				}
			}
		}
	}
	if named < 50 {
		t.Errorf("--help named %d options", named)
	}
	for _, option := range []string{"--no-such-option", "-bind", "bind", "--", ""} {
		for _, b := range []*Bwrap{b, wrapped} {
			if has, err := b.Supports(option); err != nil || has {
				t.Errorf("%q in %s: %v %v", option, b.Path, has, err)
			}
		}
	}
	if v, err := b.Version(context.Background()); err != nil || !strings.HasPrefix(v, "bubblewrap ") {
		t.Errorf("version %q %v", v, err)
	}
}

func TestSupportsOfPretenders(t *testing.T) {
	d := tempDir(t)
	for name, text := range map[string]string{
		"silent": "exit 0", "fails": "echo --ro-bind; exit 3", "hangs": "exec sleep infinity", "floods": "exec yes -- --ro-bind",
	} {
		script(t, d+"/"+name, "#!/bin/sh\n"+text+"\n")
		_, err := (&Bwrap{Path: d + "/" + name}).Supports("--ro-bind") // which ends
		wantUnknown(t, err)
	}
	t.Setenv("SECRET", "s")
	script(t, d+"/env", "#!/bin/sh\n[ -z \"$SECRET\" ] && echo ' --ro-bind A B'\n")
	if has, err := (&Bwrap{Path: d + "/env"}).Supports("--ro-bind"); err != nil || !has {
		t.Errorf("environment not empty: %v", err)
	}
}

func TestFindBwrapInPath(t *testing.T) {
	d := tempDir(t)
	self, err := os.Executable()
	check(t, err)
	selfID, err := selfID()
	check(t, err)
	// Nothing below a temporary folder is the system's.
	find := func() (*Bwrap, error) {
		f := NewFS()
		return f.bwrapInPath(selfID, f.othersMayWrite)
	}
	link(t, self, d+"/self/bwrap")
	mkdir(t, d+"/dir/bwrap")
	write(t, d+"/data/bwrap", "")
	script(t, d+"/good/bwrap", "#!/bin/sh\n")
	link(t, "../good/bwrap", d+"/linked/bwrap")
	t.Setenv("PATH", strings.Join([]string{"", ".", "good", d + "/none", d + "/self", d + "/dir", d + "/data", d + "/linked"}, ":"))
	t.Chdir(d)
	b, err := find()
	if err != nil || b.Path != d+"/good/bwrap" || b.Setuid {
		t.Fatalf("%+v %v", b, err)
	}
	if st, _ := NewFS().Lstat(b.Path); st.ID() != b.ID {
		t.Error("another identity")
	}
	check(t, os.Chmod(b.Path, 0o755|os.ModeSetuid))
	if b, err := find(); err != nil || !b.Setuid {
		t.Errorf("%+v %v", b, err)
	}
	check(t, os.Chmod(b.Path, 0o775))
	if _, err := find(); err == nil || !strings.Contains(err.Error(), "written by others") {
		t.Error(err)
	}
	check(t, os.Chmod(b.Path, 0o755))
	check(t, os.Chmod(d+"/good", 0o777))
	if _, err := find(); err == nil || !strings.Contains(err.Error(), "can be replaced") {
		t.Error(err)
	}
	t.Setenv("PATH", d+"/none")
	if _, err := FindBwrap(NewFS(), ""); !errors.Is(err, ErrNoBwrap) || !strings.Contains(err.Error(), "apt-get install bubblewrap") {
		t.Error(err)
	}
}

// A project's folder in PATH must not bring its own bwrap.
func TestFindBwrapRefusesPlanted(t *testing.T) {
	d := tempDir(t)
	script(t, d+"/.venv/bin/bwrap", "#!/bin/sh\n")
	real := realBwrap(t)
	t.Setenv("PATH", d+"/.venv/bin:"+os.Getenv("PATH"))
	_, err := FindBwrap(NewFS(), "")
	if err == nil || !strings.Contains(err.Error(), "insist with --bwrap "+d+"/.venv/bin/bwrap") {
		t.Errorf("planted: %v", err)
	}
	if b, err := FindBwrap(NewFS(), d+"/.venv/bin/bwrap"); err != nil || b.Path != d+"/.venv/bin/bwrap" {
		t.Errorf("insisted on: %v", err)
	}
	link(t, real, d+"/linked/bwrap")
	t.Setenv("PATH", d+"/linked")
	if _, err := FindBwrap(NewFS(), ""); err != nil {
		t.Errorf("a link to the system's: %v", err)
	}
}

func TestUserMayWrite(t *testing.T) {
	const me, other = 1000, 1001
	self := uint32(os.Getuid())
	type owned struct {
		uid  uint32
		mode uint32
	}
	for name, tc := range map[string]struct {
		path  string
		dirs  map[string]owned // the rest is root's, 0755
		allow bool
	}{
		"root's":                  {"/usr/bin/bwrap", nil, true},
		"mine":                    {"/usr/bin/bwrap", map[string]owned{"/usr/bin/bwrap": {me, 0o755}}, false},
		"in my folder":            {"/opt/x/bwrap", map[string]owned{"/opt/x": {me, 0o755}}, false},
		"below another's":         {"/opt/x/bwrap", map[string]owned{"/opt": {other, 0o755}}, false},
		"of a group":              {"/usr/bin/bwrap", map[string]owned{"/usr/bin/bwrap": {0, 0o775}}, false},
		"in a group's folder":     {"/opt/x/bwrap", map[string]owned{"/opt/x": {0, 0o775}}, false},
		"in a sticky folder":      {"/tmp/x/bwrap", map[string]owned{"/tmp": {0, 0o1777}}, false},
		"root folder of all":      {"/usr/bin/bwrap", map[string]owned{"/": {0, 0o777}}, false},
		"store":                   {"/nix/store/h-b/bin/bwrap", map[string]owned{"/nix/store": {0, 0o1775}}, true},
		"store for one user":      {"/nix/store/h-b/bin/bwrap", map[string]owned{"/nix": {self, 0o755}, "/nix/store": {self, 0o755}, "/nix/store/h-b": {self, 0o555}}, true},
		"store of all":            {"/nix/store/h-b/bin/bwrap", map[string]owned{"/nix/store": {0, 0o1777}}, false},
		"store of another":        {"/nix/store/h-b/bin/bwrap", map[string]owned{"/nix/store": {self + 7, 0o755}}, false},
		"package of another":      {"/nix/store/h-b/bin/bwrap", map[string]owned{"/nix/store/h-b": {self + 7, 0o755}}, false},
		"a folder like the store": {"/nix/storex/bwrap", map[string]owned{"/nix/storex": {me, 0o755}}, false},
	} {
		f := NewFS()
		for path, top := tc.path, false; !top; path = parentOf(path) {
			top = path == "/"
			st := sandbox.Stat{Type: sandbox.Dir, Mode: 0o755}
			if o, ok := tc.dirs[path]; ok {
				st.UID, st.Mode = o.uid, o.mode
			}
			f.stats.note(path, &looked{stat: st})
		}
		if err := f.userMayWrite(Real{Path: tc.path}); (err == nil) != tc.allow {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFindBwrapExplicit(t *testing.T) {
	d := tempDir(t)
	self, err := os.Executable()
	check(t, err)
	write(t, d+"/data", "")
	for path, want := range map[string]string{
		"bwrap": "not an absolute path", d: "is a dir", d + "/none": "no such file", d + "/data": "not executable", self: "ocjail itself",
	} {
		if _, err := FindBwrap(NewFS(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

func TestTrustedOwner(t *testing.T) {
	for uid, want := range map[int]bool{0: true, os.Getuid(): true, os.Getuid() + 12345: false} {
		if got, err := trustedOwner(uint32(uid)); got != want || err != nil {
			t.Errorf("%d: %v %v", uid, got, err)
		}
	}
	uidMap, err := os.ReadFile("/proc/self/uid_map")
	check(t, err)
	if got, err := trustedOwner(overflowUID); got != (os.Getuid() == overflowUID || !mapped(string(uidMap), overflowUID)) || err != nil {
		t.Errorf("nobody: %v %v", got, err)
	}
}

func TestMapped(t *testing.T) {
	for uidMap, want := range map[string]bool{
		"         0          0 4294967295\n": true, "1000 1000 1\n": false, "0 1000 1\n1 100000 65536\n": true, "": false, "odd\n": true,
	} {
		if got := mapped(uidMap, overflowUID); got != want {
			t.Errorf("%q: %v", uidMap, got)
		}
	}
}
