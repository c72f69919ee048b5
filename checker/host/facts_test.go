package host

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// world is a host of the test's own making.
type world struct {
	source
	dir, home, project string
	env                map[string]string
}

func newWorld(t testing.TB) *world {
	t.Helper()
	d := tempDir(t)
	w := &world{dir: d, home: d + "/home/u", project: d + "/home/u/p", env: map[string]string{}}
	w.source = source{
		getenv: func(name string) string { return w.env[name] }, uid: os.Getuid(), euid: os.Geteuid(),
		passwd: d + "/passwd", run: d + "/run", sysctl: d + "/sys", apparmor: d + "/apparmor.d", landlock: askLandlock,
	}
	mkdir(t, w.project)
	write(t, w.sysctl+"/user/max_user_namespaces", "1000\n")
	write(t, w.passwd, fmt.Sprintf("other:x:%d:0::/nowhere:/bin/sh\n#u:x:%d:0::/wrong:/bin/sh\nshort:x:%[2]d\nu:x:%[2]d:0:U,,:%s:/bin/sh\nlate:x:%[2]d:0::/late:/bin/sh\n",
		w.uid+1, w.uid, w.home))
	return w
}

func (w *world) facts(t testing.TB) Facts {
	t.Helper()
	facts, err := w.gather(NewFS(), w.project)
	check(t, err)
	return facts
}

// refuses checks that no facts are had, for a reason that names all of want.
func (w *world) refuses(t *testing.T, want ...string) {
	t.Helper()
	_, err := w.gather(NewFS(), w.project)
	for _, s := range want {
		if err == nil || !strings.Contains(err.Error(), s) {
			t.Errorf("error %v, want one with %q", err, s)
		}
	}
}

func TestFacts(t *testing.T) {
	w := newWorld(t)
	link(t, "home/u", w.dir+"/alias")
	w.env = map[string]string{"HOME": w.dir + "/alias/", "SUDO_UID": "7", "SSH_AUTH_SOCK": "/x/agent"}
	facts := w.facts(t)
	if facts.User != "u" || facts.Home != w.home || facts.HomeReal != w.home || facts.SudoUID != "7" ||
		facts.UID != os.Getuid() || facts.EUID != os.Geteuid() || facts.ProjectRoot != w.project ||
		facts.SSHAgent != "/x/agent" || facts.Git != nil || len(facts.Unknown) != 0 {
		t.Errorf("%+v", facts)
	}
	for got, want := range map[string]string{
		facts.ConfigDir: "/.config/ocjail", facts.StateDir: "/.local/state/ocjail", facts.CacheDir: "/.cache/ocjail",
	} {
		if got != w.home+want {
			t.Errorf("%s, want %s", got, w.home+want)
		}
	}
}

func TestHome(t *testing.T) {
	w := newWorld(t)
	w.env["HOME"] = w.project
	w.refuses(t, "HOME is", w.project, "start again with HOME="+w.home)
	w.env["HOME"] = w.dir + "/none"
	w.refuses(t, "start again with HOME="+w.home)
	w.env["HOME"] = "relative"
	w.refuses(t, "start again with HOME="+w.home)

	write(t, w.passwd, "root:x:99999:0::/:/bin/sh\n")
	w.env["HOME"] = ""
	w.refuses(t, "not in "+w.passwd, "set HOME")
	w.env["HOME"] = w.dir + "/none"
	w.refuses(t, "set HOME")
	w.env["HOME"] = w.passwd
	w.refuses(t, "not a directory")
	w.env["HOME"] = w.home
	if facts := w.facts(t); facts.User != "" || facts.Home != w.home {
		t.Errorf("%+v", facts)
	}
	w.uid++ // the home is another's then
	w.refuses(t, "belongs to user "+strconv.Itoa(w.uid-1))
	check(t, os.Remove(w.passwd))
	w.uid--
	w.facts(t)

	write(t, w.passwd, fmt.Sprintf("u:x:%d:0::%s/gone:/bin/sh\n", w.uid, w.dir))
	w.env["HOME"] = ""
	w.refuses(t, w.dir+"/gone", "correct the entry")
}

// What is built for tests does not fall back to the home of whoever runs them.
func TestMadeUpHome(t *testing.T) {
	w := newWorld(t)
	HomeVariable = "MADE_UP"
	defer func() { HomeVariable = "" }()
	w.refuses(t, "built for tests", "set MADE_UP")
	w.env["MADE_UP"] = w.project
	if facts := w.facts(t); facts.User != "u" || facts.Home != w.project || facts.StateDir != w.project+"/.local/state/ocjail" {
		t.Errorf("%+v", facts)
	}
	w.env["HOME"] = w.home
	w.refuses(t, "HOME is")
}

func TestProjectRoot(t *testing.T) {
	w := newWorld(t)
	for _, root := range []string{"relative", w.passwd, w.dir + "/none"} {
		if _, err := w.gather(NewFS(), root); err == nil || !strings.Contains(err.Error(), "project root") {
			t.Errorf("%s: %v", root, err)
		}
	}
}

func TestSysctls(t *testing.T) {
	w := newWorld(t)
	w.euid = 1000
	show := func(b *bool) string {
		if b == nil {
			return "nil"
		}
		return strconv.FormatBool(*b)
	}
	for _, c := range []struct {
		tiocsti, most, clone, restrict, want string
	}{
		{"", "1000", "", "", "nil true nil nil"},
		{"0\n", "0", "", "0", "false false false nil"},
		{"1\n", "9", "0", "1", "true false true false"},
		{"1\n", "9", "1", "1", "true true true false"},
		{"many", "", "1", "?", "nil nil nil nil"},
	} {
		check(t, os.RemoveAll(w.sysctl))
		for name, value := range map[string]string{
			"dev/tty/legacy_tiocsti": c.tiocsti, "user/max_user_namespaces": c.most,
			"kernel/unprivileged_userns_clone": c.clone, "kernel/apparmor_restrict_unprivileged_userns": c.restrict,
		} {
			if value != "" {
				write(t, w.sysctl+"/"+name, value)
			}
		}
		f := w.facts(t)
		got := strings.Join([]string{show(f.LegacyTIOCSTI), show(f.UserNS), show(f.AppArmorUserNS), show(f.AppArmorBwrap)}, " ")
		if got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
		if wrong := c.tiocsti == "many"; (len(f.Unknown) == 3) != wrong {
			t.Errorf("%+v: unknown %v", c, f.Unknown)
		}
	}
	write(t, w.sysctl+"/kernel/apparmor_restrict_unprivileged_userns", "1")
	write(t, w.apparmor+"/bwrap-userns-restrict", "")
	if f := w.facts(t); show(f.AppArmorBwrap) != "true" {
		t.Errorf("profile not found: %+v", f)
	}
}

// What is not a regular file is not read, and does not hang.
func TestReadRefusesSpecialFiles(t *testing.T) {
	d := tempDir(t)
	check(t, unix.Mkfifo(d+"/fifo", 0o600))
	l, err := net.Listen("unix", d+"/s")
	check(t, err)
	t.Cleanup(func() { _ = l.Close() })
	write(t, d+"/big", strings.Repeat("x", 100))
	for _, name := range []string{"/fifo", "/s", "/big", "/."} {
		_, err := NewFS().read(d+name, 99)
		wantUnknown(t, err)
	}
	f := NewFS()
	real, err := f.RealPath(d + "/big")
	check(t, err)
	write(t, d+"/other", "")
	check(t, os.Rename(d+"/other", real.Path))
	_, err = f.read(d+"/big", 100)
	wantUnknown(t, err)
	if data, err := NewFS().read(d+"/big", 0); err != nil || len(data) != 0 {
		t.Errorf("%q %v", data, err)
	}
}

// Files of the kernel's making have no size, and may be long.
func TestReadProc(t *testing.T) {
	data, err := readProc("/proc/self/smaps", 16<<20)
	if err != nil || len(data) <= 16<<10 || data[len(data)-1] != '\n' {
		t.Errorf("%d bytes: %v", len(data), err)
	}
	_, err = readProc("/proc/self/smaps", 17<<10)
	wantUnknown(t, err)
	_, err = readProc("/proc/none", 1)
	wantAbsent(t, err)
}

func TestGatherHere(t *testing.T) {
	facts, err := Gather(NewFS(), "/")
	home, homeErr := Home(NewFS())
	if home != facts.Home || (homeErr == nil) != (err == nil) {
		t.Errorf("home %q (%v) beside %+v (%v)", home, homeErr, facts, err)
	}
	if err != nil && !strings.Contains(strings.ToLower(err.Error()), "home") {
		t.Fatal(err)
	}
	if err == nil && (facts.UID != os.Getuid() || facts.Home == "" || facts.UserNS == nil) {
		t.Errorf("%+v", facts)
	}
}

// Landlock is asked of the kernel, unless a test says what it answered.
func TestLandlock(t *testing.T) {
	w := newWorld(t)
	real := w.facts(t).Landlock
	if real == nil || *real < 0 {
		t.Errorf("on Linux: %v", real)
	}
	env := func(name string) string { return map[string]string{"HOME": ""}[name] }
	facts, err := Caller{Getenv: env, UID: os.Getuid(), EUID: os.Geteuid(), Landlock: 5}.Gather(NewFS(), w.project)
	if err != nil || facts.Landlock == nil || *facts.Landlock != 5 {
		t.Errorf("as told: %v, error %v", facts.Landlock, err)
	}
}
