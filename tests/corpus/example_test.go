package corpus

import (
	"slices"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/notation"
)

// without lists the rules that show no example, each with the reason.
var without = map[string]string{
	"exec/unreviewed-change": "it compares what two sessions left, which no argv shows",
	"gate/undecided":         "no argv has one: it is about shell code in a manifest",
	"sockets/bus-names":      "the proxy is recognised by its file in the Nix store, which no made-up machine has",
}

// broad rules are about what brings the findings of many others along.
var broad = []string{"fs/root-exposed", "fs/home-exposed", "gate/root"}

// together are rules of which one cause makes both find something: here, that
// there is no seccomp filter.
var together = map[string]string{"session/tiocsti": "net/vsock", "net/vsock": "session/tiocsti"}

// lesser are rules whose example is found less serious than the rule can be.
var lesser = map[string]string{
	"sockets/nix-daemon": "an error only for whom the daemon trusts, as its nix.conf says",
}

// given are the sentences that an example may begin with, and how they come true:
// before the machine is built, and then once more.
var given = map[string]func(*Jail, *world){
	"":                              func(*Jail, *world) {},
	"started by root":               func(j *Jail, _ *world) { j.Machine = "debian-root" },
	"the user's number is 1000":     func(*Jail, *world) {},
	"bwrap lies in ~/tools":         func(_ *Jail, w *world) { w.Bwrap = "/home/dev/tools/bwrap" },
	"bwrap has the setuid bit":      func(_ *Jail, w *world) { w.setuid = true },
	"bwrap has no setuid bit":       func(*Jail, *world) {},
	"no seccomp filter can be made": func(_ *Jail, w *world) { w.filter = false },
	"a machine for which ocjail has no seccomp filter": func(_ *Jail, w *world) { w.filter = false },
	"opencode has worked on another project": func(j *Jail, _ *world) {
		j.Files["~/.local/share/opencode/snapshot/other/HEAD"] = ""
	},
	"a service listens on /srv/app.sock": func(j *Jail, _ *world) { j.Files["/srv/app.sock="] = "" },
	"the machine has an /etc/opencode":   func(j *Jail, _ *world) { j.Files["/etc/opencode/opencode.json"] = "{}" },
	"the project is ~/src/app":           func(j *Jail, _ *world) { j.Project, j.Files["~/app/"] = "~/src/app", "" },
	"the kernel is older than Linux 6.12": func(_ *Jail, w *world) {
		abi := 5
		w.facts.Landlock = &abi
	},
	"Docker listens on port 2375": func(j *Jail, _ *world) {
		j.Files["/proc/self/net/tcp"] = "  sl  local_address rem_address   st tx_queue rx_queue\n   0: 0100007F:0947 00000000:0000 0A 00000000:00000000\n"
	},
	"~/.config/opencode/opencode.json is a link to ~/dotfiles/opencode.json": func(j *Jail, _ *world) {
		j.Files["~/.config/opencode/opencode.json@"] = "/home/dev/dotfiles/opencode.json"
	},
}

// more is on the machine of the examples too.
func more() map[string]string {
	return map[string]string{
		"/nix/store/": "", "/nix/var/nix/daemon-socket/socket=": "", "/run/user/1000/notify|": "",
		"/var/log/syslog": "", "~/.cargo/registry/": "", "~/.local/share/opencode-app/": "",
		"~/dotfiles/opencode.json": "{}",
	}
}

// TestExamples judges what `ocjail rules` shows: what to avoid has that rule's
// finding and no other error, what to prefer has none.
func TestExamples(t *testing.T) {
	c, err := checker.Open(t.Context(), config.Default(), checker.Where{}, checker.Keeping{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range c.Rules() {
		if r.Avoid == nil || r.Prefer == nil {
			if without[r.ID] == "" && !strings.HasPrefix(r.ID, "config/") {
				t.Errorf("%s shows no example: write custom.avoid and custom.prefer into its METADATA, bwrap's options each", r.ID)
			}
			continue
		}
		t.Run(strings.ReplaceAll(r.ID, "/", "-"), func(t *testing.T) {
			t.Parallel()
			own := 0
			for _, f := range findings(t, r, *r.Avoid) {
				switch {
				case f.Rule == r.ID && (f.Severity == r.Severity || lesser[r.ID] != ""):
					own++
				case f.Rule == r.ID:
				case f.Severity == finding.Error && !slices.Contains(broad, r.ID) && f.Rule != together[r.ID]:
					t.Errorf("avoid: another error: %s %s: %s", f.Severity, f.Rule, f.Message)
				}
			}
			if own == 0 {
				t.Errorf("avoid: no finding of %s with severity %s", r.ID, r.Severity)
			}
			for _, f := range findings(t, r, *r.Prefer) {
				if f.Rule == r.ID && f.Severity == r.Severity || f.Severity != finding.Info && f.Rule != together[r.ID] {
					t.Errorf("prefer: %s %s: %s", f.Severity, f.Rule, f.Message)
				}
			}
		})
	}
}

func findings(t *testing.T, r engine.Rule, x engine.Example) []finding.Finding {
	t.Helper()
	prepare, ok := given[x.Given]
	if !ok {
		t.Fatalf("given %q: write one of those that tests/corpus/example_test.go knows, or teach it", x.Given)
	}
	j := Jail{Machine: "debian", Files: more(), Argv: baseOf(t, *r.Prefer) + " " + x.Bwrap, Setup: "git init -q && git commit -q --allow-empty -m start\n" + x.Setup}
	prepare(&j, &world{})
	w, err := build(j, root(t))
	if err != nil {
		t.Fatal(err)
	}
	prepare(&j, w)
	report, err := w.check(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	return report.Findings
}

// baseOf is the base jail without the flags that an example is about.
func baseOf(t *testing.T, prefer engine.Example) string {
	t.Helper()
	options, err := notation.Options(prefer.Bwrap)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(base)
	for _, o := range options {
		if len(o.Args) == 0 {
			words = slices.DeleteFunc(words, func(w string) bool { return w == o.Name })
		}
	}
	return strings.Join(words, " ")
}
