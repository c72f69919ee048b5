package nix

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// busServer is a private session bus in the world's runtime directory, with a
// service that the jail may talk to and one that runs commands, as systemd does
// over org.freedesktop.systemd1.
const busServer = `
	mkdir -p -m 700 ~/run
	cat >~/run/session.conf <<EOF
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type><listen>unix:path=$HOME/run/bus</listen><auth>EXTERNAL</auth><servicedir>$HOME/run</servicedir>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
EOF
	for name in org.example.Allowed org.freedesktop.systemd1; do
		printf '[D-BUS Service]\nName=%s\nExec=/bin/sh -c "echo ran >>%s/run/%s"\n' $name "$HOME" $name >~/run/$name.service
	done
	export XDG_RUNTIME_DIR=$HOME/run DBUS_SESSION_BUS_ADDRESS=unix:path=$HOME/run/bus
	dbus-daemon --config-file="$HOME/run/session.conf" --nofork --nopidfile 2>/dev/null &
	bus=$!
	for i in $(seq 100); do [ ! -S ~/run/bus ] || break; sleep 0.05; done
	status=0; "$@" || status=$?
	kill $bus
	exit $status`

// callBoth starts each service by its name; the bus runs its command.
const callBoth = `for name in org.example.Allowed org.freedesktop.systemd1; do
	timeout 10 dbus-send --session --type=method_call --print-reply --reply-timeout=2000 \
		--dest=org.freedesktop.DBus / org.freedesktop.DBus.StartServiceByName string:$name uint32:0 || true
done`

// busProject is a jail with the dbus combinator and a client of the bus in it.
func busProject(t *testing.T, names string) string {
	t.Helper()
	return newDevenv(t, `programs.opencode = { enable = true; packages = [ pkgs.dbus ]; jailCombinators = [
		(pkgs.jail.combinators.dbus { talk = [ `+names+` ]; })
	]; };`).opencode()
}

// onBus launches the jail with a bus around it.
func (w *world) onBus(opencode, commands string) result {
	return w.launch(nil, "/bin/sh", "-c", busServer, "sh", opencode, "-c", commands)
}

// A name on the list is reachable in the jail, another is not: harm without the
// proxy, none with it.
func TestBusProxyFilters(t *testing.T) {
	opencode := busProject(t, `"org.example.Allowed"`)
	both(t, func(t *testing.T, w *world) {
		r := w.launch(nil, "/bin/sh", "-c", busServer, "sh", "/bin/sh", "-c", callBoth).expect(t, 0)
		if w.read("run/org.freedesktop.systemd1") == "" || w.read("run/org.example.Allowed") == "" {
			t.Fatalf("without a jail the bus starts no services:\n%s%s", r.stdout, r.stderr)
		}
		for _, name := range []string{"org.freedesktop.systemd1", "org.example.Allowed"} {
			if err := os.Remove(filepath.Join(w.home, "run", name)); err != nil {
				t.Fatal(err)
			}
		}
		r = w.onBus(opencode, callBoth+"; ls ~/run/bus; exit 7").expect(t, 7)
		if w.read("run/org.example.Allowed") == "" {
			t.Errorf("the jail does not reach the allowed name:\n%s%s", r.stdout, r.stderr)
		}
		if w.read("run/org.freedesktop.systemd1") != "" {
			t.Error("the jail reaches a name that is not on the list")
		}
		log := w.read(".local/state/ocjail/decisions.jsonl")
		for _, jail := range []string{`"jail":"opencode"`, `"jail":"opencode/xdg-dbus-proxy"`} {
			if !strings.Contains(log, jail) {
				t.Errorf("the log does not name %s:\n%s", jail, log)
			}
		}
		if left, err := filepath.Glob("/tmp/tmp.*/socket"); err != nil || len(left) > 0 {
			t.Errorf("the proxy's socket is left behind: %v %v", left, err)
		}
	})
}

// A list that opens systemd is refused, in the proxy's own jail and without a hang.
func TestBusNamesAreJudged(t *testing.T) {
	for _, names := range []string{`"org.freedesktop.systemd1"`, `"org.freedesktop.*"`} {
		opencode := busProject(t, names)
		w := newWorld(t, false)
		w.onBus(opencode, callBoth+"; echo started >started").expect(t, 126).
			says(t, "sockets/bus-names", "org.freedesktop.systemd1", "jail opencode/xdg-dbus-proxy refused", "nothing was started")
		if w.read("project/started") != "" || w.read("run/org.freedesktop.systemd1") != "" {
			t.Error("the jail was started")
		}
	}
}

// Without a bus the proxy can't start, and jail.nix would wait for it for ever.
func TestNoBus(t *testing.T) {
	opencode := busProject(t, `"org.example.Allowed"`)
	for name, env := range map[string][]string{
		"no address":           {"XDG_RUNTIME_DIR=" + homeDir + "/run"},
		"no runtime directory": {"DBUS_SESSION_BUS_ADDRESS=unix:path=" + homeDir + "/run/bus"},
		"relative":             {"XDG_RUNTIME_DIR=run", "DBUS_SESSION_BUS_ADDRESS=unix:path=" + homeDir + "/run/bus"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, false)
			w.launch(env, opencode, "-c", "echo started >started").expect(t, 125).says(t, "dbus combinator", "nothing was started")
			if w.read("project/started") != "" {
				t.Error("the jail was started")
			}
		})
	}
}

// A proxy does not outlive the jail that it was started for, however that ends.
func TestBusProxyEndsWithTheWrapper(t *testing.T) {
	opencode := busProject(t, `"org.example.Allowed"`)
	const proxies = `pgrep -u "$(id -u)" -f '[x]dg-dbus-proxy unix:'`
	for _, signal := range []string{"KILL", "TERM"} {
		w := newWorld(t, false)
		r := w.launch(nil, "/bin/sh", "-c", busServer, "sh", "/bin/sh", "-c", `"$0" -c 'echo up >up; sleep 50' & wrapper=$!
			for i in $(seq 200); do [ ! -e up ] || break; sleep 0.1; done
			`+proxies+` >/dev/null || exit 3
			kill -`+signal+` $wrapper
			for i in $(seq 200); do `+proxies+` >/dev/null || { sleep 0.3; ! ls -d /tmp/tmp.*/socket || exit 5; exit 0; }; sleep 0.1; done
			exit 4`, opencode)
		if r.status != 0 {
			t.Errorf("%s: status %d (3: there was no proxy; 4: it is still there; 5: its socket is)\n%s%s", signal, r.status, r.stdout, r.stderr)
		}
	}
}
