package nix

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a broken start gets: a message that says what to do, and no jail.
func TestBrokenStarts(t *testing.T) {
	p := newProject(t, "")
	opencode := p.opencode()
	gate := filepath.Join(p.build("gate"), "bin/bwrap")
	for name, c := range map[string]struct {
		env  []string
		argv []string
		says []string
	}{
		"no HOME":             {[]string{"HOME="}, []string{opencode, "-c", "true"}, []string{"HOME is not set", "nothing was started"}},
		"relative HOME":       {[]string{"HOME=home"}, []string{opencode, "-c", "true"}, []string{"HOME is not set to an absolute path"}},
		"no manifest":         {nil, []string{gate, "--ro-bind", "/", "/", "true"}, []string{"OCJAIL_MANIFEST", "not set", "devenv shell"}},
		"missing manifest":    {[]string{"OCJAIL_MANIFEST=/nonexistent"}, []string{gate, "--ro-bind", "/", "/", "true"}, []string{"OCJAIL_MANIFEST", "/nonexistent: no such file", "enter the devenv shell again"}},
		"unreadable manifest": {nil, []string{"/bin/sh", "-c", `touch ~/m && chmod 0 ~/m && OCJAIL_MANIFEST=~/m exec "$0" --ro-bind / / true`, gate}, []string{"OCJAIL_MANIFEST", "m: permission denied", "enter the devenv shell again"}},
		"another version":     {nil, []string{"/bin/sh", "-c", `echo '{"version": 2}' >~/m && OCJAIL_MANIFEST=~/m exec "$0" --ro-bind / / true`, gate}, []string{"OCJAIL_MANIFEST", "version 2", "of one release"}},
		"directory manifest":  {[]string{"OCJAIL_MANIFEST=/"}, []string{gate, "--ro-bind", "/", "/", "true"}, []string{"OCJAIL_MANIFEST", "manifest /: is no regular file"}},
	} {
		t.Run(name, func(t *testing.T) {
			newWorld(t, false).launch(c.env, c.argv...).expect(t, 125).says(t, c.says...)
		})
	}
}

// Nothing is cleaned up that was not made yet.
func TestBrokenStartCleansNothing(t *testing.T) {
	opencode := newProject(t, `jailCombinators = with pkgs.jail.combinators; [ (add-cleanup "echo \"$NEVER_SET\"; echo yes >/tmp/cleaned") ];`).opencode()
	newWorld(t, false).launch([]string{"HOME="}, opencode, "-c", "true").expect(t, 125).says(t, "HOME is not set")
}

// A jail with something to clean up is not started with exec: the status, and
// the cleaning, come through, also when the jail is refused.
func TestCleanup(t *testing.T) {
	const clean = `(add-cleanup "echo yes >~/cleaned")`
	for name, c := range map[string]struct {
		settings string
		status   int
	}{
		"started": {`jailCombinators = with pkgs.jail.combinators; [ ` + clean + ` ];`, 7},
		"refused": {`jailCombinators = with pkgs.jail.combinators; [ ` + clean + ` (rw-bind "~/.ssh" "~/.ssh") ];`, 126},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, false)
			w.write(".ssh/id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\n")
			w.launch(nil, newProject(t, c.settings).opencode(), "-c", "exit 7").expect(t, c.status)
			if w.read("cleaned") != "yes\n" {
				t.Error("nothing was cleaned up")
			}
		})
	}
}

// seccomp filters reach the jail, from a file and from a program's pipe, which
// can't be read twice.
func TestSeccompFilters(t *testing.T) {
	// Allows everything: one BPF instruction, RET SECCOMP_RET_ALLOW (seccomp(2)).
	const filter = `'\006\000\000\000\000\000\377\177'`
	opencode := newProject(t, `jailCombinators = with pkgs.jail.combinators; [ (add-seccomp "~/filter") (add-seccomp "~/make filter") ];`).opencode()
	w := newWorld(t, false)
	w.write("filter", "\x06\x00\x00\x00\x00\x00\xff\x7f")
	w.write("make filter", "#!/bin/sh\nprintf "+filter+"\n")
	if err := os.Chmod(filepath.Join(w.home, "make filter"), 0o755); err != nil {
		t.Fatal(err)
	}
	r := w.launch(nil, opencode, "-c", `while read -r name value; do [ "$name" != Seccomp_filters: ] || echo "$value"; done </proc/self/status`).expect(t, 0)
	// The third is the gate's own, against typing into the terminal.
	if n := strings.TrimSpace(r.stdout); n != "2" && n != "3" {
		t.Errorf("%s filters, want the 2 and perhaps the gate's", n)
	}
}

// The jail of xdg-dbus-proxy comes first; if it is refused, the wrapper must not
// wait for its byte forever, nor start the main jail without it.
func TestRefusedProxyDoesNotHang(t *testing.T) {
	opencode := newProject(t, `jailCombinators = [ (pkgs.jail.combinators.dbus { talk = [ "org.freedesktop.Notifications" ]; }) ];`).opencode()
	w := newWorld(t, false)
	w.launch([]string{"XDG_RUNTIME_DIR=" + homeDir + "/run", "DBUS_SESSION_BUS_ADDRESS=unix:path=" + homeDir + "/run/bus"},
		opencode, "-c", "echo started >started").expect(t, 126).says(t, "xdg-dbus-proxy", "nothing was started")
	if w.read("project/started") != "" {
		t.Error("the jail was started without its proxy")
	}
}
