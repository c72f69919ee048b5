package refusals

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

func TestMain(m *testing.M) { gatetest.Main(m) }

// attack is one rule's proof. HOME and DIR in options, scripts and the
// configuration stand for the world's directories.
type attack struct {
	rule      string
	arrange   func(t *testing.T, w *gatetest.World)
	config    string
	options   []string // the harmful jail's, beside World.Jail's
	drop      []string // what the harmful jail lacks of World.Jail's
	script    string
	harm      string // what the script prints without ocjail
	twin      []string
	twinWords string // what the script prints in the twin
	asRoot    bool
}

func token(_ *testing.T, w *gatetest.World) {
	w.Write("home/keys/token", "hunter2\n", 0o600)
	w.Write("home/docs/readme", "hello\n", 0o644)
}

func socket(t *testing.T, w *gatetest.World) {
	w.Write("home/run/readme", "", 0o644)
	w.Write("home/docs/readme", "", 0o644)
	l, err := net.Listen("unix", filepath.Join(w.Dir, "home/run/agent.sock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	w.Own()
}

var attacks = []attack{
	{
		rule: "fs/rw-outside-home", arrange: func(_ *testing.T, w *gatetest.World) { w.Write("shared/tool", "mine\n", 0o644) },
		options: []string{"--bind", "DIR/shared", "/shared"}, twin: []string{"--ro-bind", "DIR/shared", "/shared"},
		script: "echo evil 2>/dev/null >/shared/tool; cat /shared/tool", harm: "evil\n", twinWords: "mine\n",
	}, {
		rule: "fs/root-exposed", arrange: token,
		options: []string{"--ro-bind", "/", "/host"}, twin: []string{"--ro-bind", "DIR/home/docs", "/host/docs"},
		script: "cat /hostDIR/home/keys/token 2>/dev/null || echo hidden", harm: "hunter2\n", twinWords: "hidden\n",
	}, {
		rule: "fs/home-exposed", arrange: token,
		options: []string{"--ro-bind", "HOME", "/h"}, twin: []string{"--tmpfs", "/h"},
		script: "[ -n \"$(ls -A /h)\" ] && echo seen || echo empty", harm: "seen\n", twinWords: "empty\n",
	}, {
		rule:    "fs/device-exposed",
		options: []string{"--dev-bind", "/dev", "/hostdev"}, twin: []string{"--dev", "/hostdev"},
		script: "[ -e /hostdev/kmsg ] || [ -e /hostdev/ptmx -a ! -L /hostdev/ptmx ] && echo devices || echo none", harm: "devices\n", twinWords: "none\n",
	}, {
		rule: "exec/host-executed-writable", arrange: func(_ *testing.T, w *gatetest.World) {
			w.Git()
			w.Write("project/.git/hooks/post-commit", "#!/bin/sh\n", 0o755)
		},
		config: `protect = []`, twin: []string{"--ro-bind", "DIR/project/.git", "DIR/project/.git"},
		script: "echo evil 2>/dev/null >.git/hooks/post-commit && echo planted || echo safe", harm: "planted\n", twinWords: "safe\n",
	}, {
		rule: "secrets/credential-readable", arrange: token,
		config:  `watch "DIR/home/keys/token" { class = "secret" }`,
		options: []string{"--ro-bind", "DIR/home/keys", "/keys"}, twin: []string{"--ro-bind", "DIR/home/keys", "/keys", "--tmpfs", "/keys"},
		script: "cat /keys/token 2>/dev/null || echo hidden", harm: "hunter2\n", twinWords: "hidden\n",
	}, {
		rule: "sockets/privileged", arrange: socket,
		config:  `watch "DIR/home/run/agent.sock" { class = "socket" }`,
		options: []string{"--ro-bind", "DIR/home/run", "/sockets"}, twin: []string{"--ro-bind", "DIR/home/docs", "/sockets"},
		script: "/probe connect /sockets/agent.sock", harm: "done\n", twinWords: "ENOENT\n",
	}, {
		rule: "env/inherited", arrange: func(_ *testing.T, w *gatetest.World) { w.Env = append(w.Env, "API_TOKEN=hunter2") },
		drop: []string{"--clearenv"}, script: "echo ${API_TOKEN-unset}", harm: "hunter2\n", twinWords: "unset\n",
	}, {
		rule: "caps/added", arrange: token,
		options: []string{"--uid", "0", "--gid", "0", "--cap-add", "ALL", "--ro-bind", "DIR/home/keys", "/keys", "--tmpfs", "/keys"},
		twin:    []string{"--uid", "0", "--gid", "0", "--ro-bind", "DIR/home/keys", "/keys", "--tmpfs", "/keys"},
		script:  "umount /keys 2>/dev/null; cat /keys/token 2>/dev/null || echo hidden", harm: "hunter2\n", twinWords: "hidden\n",
	}, {
		rule: "session/outlives", drop: []string{"--unshare-all"}, options: []string{"--unshare-user"},
		script: `[ "$(cat /proc/1/comm)" = bwrap ] && echo its own || echo the processes of the host`, harm: "the processes of the host\n", twinWords: "its own\n",
	}, {
		rule:    "gate/host-effect",
		options: []string{"--dir", "DIR/project/ghost"}, twin: []string{"--dir", "/ghost"},
		script: "ls -d ghost 2>/dev/null || echo none", harm: "ghost\n", twinWords: "none\n",
	}, {
		rule: "gate/steerable-destination", arrange: func(t *testing.T, w *gatetest.World) {
			w.Write("project/docs/mine", "", 0o644)
			w.Write("project/scratch/other", "", 0o644)
			if err := os.Symlink("docs", filepath.Join(w.Project, "cache")); err != nil {
				t.Fatal(err)
			}
			w.Own()
		},
		options: []string{"--tmpfs", "DIR/project/cache"}, twin: []string{"--tmpfs", "DIR/project/scratch"},
		script: "ls docs | wc -l", harm: "0\n", twinWords: "1\n",
	}, {
		rule: "gate/root", asRoot: true, drop: []string{"--unshare-all"}, options: []string{"--unshare-pid"},
		script: `set -- $(cat /proc/self/uid_map); [ $3 = 4294967295 ] && echo root of the host || echo root of the jail`, harm: "root of the host\n", twinWords: "root of the jail\n",
	},
}

func TestRefusals(t *testing.T) {
	for _, a := range attacks {
		t.Run(a.rule, func(t *testing.T) {
			w := gatetest.New(t)
			if a.asRoot {
				root, ok := gatetest.NewRoot(t)
				if !ok {
					return // an ordinary user can not start a jail as root
				}
				w = root
			}
			a.run(t, w)
		})
	}
}

func (a attack) run(t *testing.T, w *gatetest.World) {
	if a.arrange != nil {
		a.arrange(t, w)
	}
	fill := strings.NewReplacer("DIR", w.Dir, "HOME", w.Home)
	jail := func(dropped, options []string) []string {
		argv := slices.DeleteFunc(w.Jail(), func(s string) bool { return slices.Contains(dropped, s) })
		for _, o := range options {
			argv = append(argv, fill.Replace(o))
		}
		return append(argv, "--", "sh", "-c", "echo ran >trace; "+fill.Replace(a.script))
	}
	config := fill.Replace(a.config)
	harmful, harmless := jail(a.drop, a.options), jail(nil, a.twin)

	refused := w.Run(w.Configured(config, harmful...))
	if refused.Status != 126 || !strings.Contains(refused.Stderr, a.rule) || refused.Stdout != "" {
		t.Errorf("ocjail does not refuse it for %s: %+v", a.rule, refused)
	}
	if _, err := os.Stat(filepath.Join(w.Project, "trace")); err == nil {
		t.Error("the command of a refused jail ran")
	}
	if _, err := os.Stat(filepath.Join(w.Project, "ghost")); err == nil {
		t.Error("a refused jail left something on the host")
	}
	if log := w.Read("state/ocjail/decisions.jsonl"); !strings.Contains(log, fmt.Sprintf("%q", a.rule)) || !strings.Contains(log, `"deny"`) {
		t.Errorf("the log does not tell: %s", log)
	}
	if o := w.Run(w.Configured(config, harmless...)); o.Status > 1 || o.Stdout != a.twinWords {
		t.Errorf("the harmless twin under ocjail: %+v, want %q", o, a.twinWords)
	}
	if o := w.Run(w.Bwrap(harmful...)); o.Stdout != a.harm {
		t.Errorf("without ocjail this does no harm, so it proves nothing: %+v", o)
	}
}

// Namespaces by descriptor are refused whatever they are of.
func TestNamespaceDescriptors(t *testing.T) {
	w := gatetest.New(t)
	for _, option := range []string{"--userns", "--userns2", "--pidns", "--userns-block-fd"} {
		ns, err := os.Open("/proc/self/ns/user")
		if err != nil {
			t.Fatal(err)
		}
		c := w.Ocjail(append(w.Jail(option, "3"), "--", "sh", "-c", "echo ran >trace")...)
		c.ExtraFiles = []*os.File{ns}
		o := w.Run(c)
		ns.Close()
		if o.Status != 126 || !strings.Contains(o.Stderr, "gate/namespace-descriptor") || w.Read("project/trace") != "" {
			t.Errorf("%s: %+v", option, o)
		}
	}
}

// Every rule that can refuse a launch has an attack here.
func TestEveryRuleHasAnAttack(t *testing.T) {
	files, err := filepath.Glob("../../policy/rules/*/*.rego")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	elsewhere := map[string]string{
		"session/tiocsti":     "ocjail adds its filter and --die-with-parent: checker/gate shows what that stops",
		"exec/git-redirected": "TestGitRedirected: the harm is done on the host, afterwards",
		"fs/propagation":      "TestMountsMadeLater: it takes a mount on the host",
	}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.rego") {
			continue
		}
		id := filepath.Base(filepath.Dir(f)) + "/" + strings.TrimSuffix(filepath.Base(f), ".rego")
		if elsewhere[id] == "" && !slices.ContainsFunc(attacks, func(a attack) bool { return a.rule == id }) {
			t.Errorf("%s has no attack", id)
		}
	}
}
