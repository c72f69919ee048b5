package manifest_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/manifest"
)

var env = manifest.Env{Home: "/home/dev", Dir: "/home/dev/project", User: "dev"}

type piece struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// user is the ID of the piece that a test adds.
const user = "programs.opencode.jailCombinators[0]"

// written returns a manifest whose user wrote the text, and code before it.
func written(t *testing.T, text, runtime string) *manifest.Manifest {
	t.Helper()
	data, err := json.Marshal(map[string]any{
		"version": 1, "name": "opencode", "project": "/home/dev/project",
		"elements": []any{map[string]any{"id": user, "combinator": "unsafe-add-raw-args", "origin": map[string]any{"file": "devenv.nix"}}},
		"script": map[string]any{
			"cmd": []piece{
				{"jail.nix", "/store/gate/bin/bwrap"}, {"jail.nix/base", " --tmpfs ~"}, {user, text}, {"jail.nix", " --new-session"},
			},
			"runtime": []piece{{user, runtime}}, "entry": "/store/opencode", "argv": `"$@"`,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestGoldenSandbox(t *testing.T) {
	m, err := manifest.Load(golden)
	if err != nil {
		t.Fatal(err)
	}
	s, found, err := m.Sandbox(env)
	if err != nil {
		t.Fatal(err)
	}
	argv := strings.Join(s.AnnotatedArgv(), " ")
	for _, want := range []string{
		"--proc /proc --dev /dev --tmpfs /tmp --tmpfs /home/dev --clearenv",
		"--ocjail-origin programs.opencode.jailCombinators[1] --ro-bind /home/dev/my notes /home/dev/my notes --ocjail-origin",
		"--ocjail-origin programs.opencode.jailCombinators[2]/1/0 --bind /srv/data /data --ocjail-origin",
		"--ocjail-origin programs.opencode.env[0] --setenv ANTHROPIC_API_KEY /undecided/$ANTHROPIC_API_KEY --ocjail-origin",
		"/caches/project-1afbf223bb0b58ba/~%2F.npm /home/dev/.npm",
		"--setenv HOME /home/dev",
	} {
		if !strings.Contains(argv, want) {
			t.Errorf("the argv lacks %q:\n%s", want, argv)
		}
	}
	if len(s.Command) != 1 || filepath.Base(s.Command[0]) != "opencode-entry" {
		t.Errorf("command %q", s.Command)
	}
	var warned []string
	for _, f := range found {
		if f.Rule != manifest.RuleUndecided || f.Origin == nil || f.Severity == finding.Error {
			t.Errorf("finding %+v", f)
		}
		if f.Severity == finding.Warning {
			warned = append(warned, f.Subject.Name)
		}
	}
	want := []string{
		`${OCJAIL_GIT_COMMON+--bind "$OCJAIL_GIT_COMMON" "$OCJAIL_GIT…`,
		`"$CLOSURE_FD"`, `"$PROXIED_DBUS_SOCKET_DIR"`, "programs.opencode.baseJailCombinators[0]",
		"ocjail/keys", "programs.opencode.git.identity", "ocjail/managed",
	}
	if diff := cmp.Diff(want, warned); diff != "" {
		t.Errorf("warnings (-want +got)\n%s", diff)
	}
}

// What the user's text becomes ("?": some path that no host has), and whether a finding says that it is open.
func TestWords(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "trace")
	type result struct {
		severity finding.Severity
		words    []string
	}
	known := func(words ...string) result { return result{"", words} }
	warn := func(words ...string) result { return result{finding.Warning, words} }
	info := func(words ...string) result { return result{finding.Info, words} }
	for text, want := range map[string]result{
		` --bind ~/'a b' "$HOME/c"`:              known("--bind", "/home/dev/a b", "/home/dev/c"),
		` --bind "$PWD" ${PWD}/x`:                known("--bind", "/home/dev/project", "/home/dev/project/x"),
		` --dir '$HOME'`:                         known("--dir", "$HOME"),
		` --dir \~ --setenv A ''`:                known("--dir", "~", "--setenv", "A", ""),
		` --ro-bind "$XDG_RUNTIME_DIR/bus" /bus`: warn("--ro-bind", "/undecided/$XDG_RUNTIME_DIR-bus", "/bus"),
		` --ro-bind $(touch ` + trace + `) /x`:   warn("--ro-bind", "?", "/x"),
		" --ro-bind `touch " + trace + "` /x":    warn("--ro-bind", "?", "/x"),
		` --ro-bind <(touch ` + trace + `) /x`:   warn("--ro-bind", "?", "/x"),
		` --ro-bind "${A:-/etc}" /x`:             warn("--ro-bind", "/undecided/$-A---etc", "/x"),
		` --ro-bind ${HOME:=/etc} /x`:            warn("--ro-bind", "?", "/x"),
		` --ro-bind ~root/x /x`:                  warn("--ro-bind", "/undecided/root-x", "/x"),
		` --ro-bind ~/*.txt /x`:                  warn("--ro-bind", "/undecided/txt", "/x"),
		` --dir /{1..999999999}`:                 warn("--dir", "/undecided/1--999999999"),
		` --dir $((1+1))`:                        warn("--dir", "?"),
		` --dir $'\x2f'`:                         warn("--dir", "?"),
		` --dir /é/$X`:                           warn("--dir", "/undecided/é-$X"),
		` --perms "$MODE" --dir /x`:              warn("--perms", "1001", "--dir", "/x"),
		` --args $FD`:                            warn(),
		` $MORE --dir /x`:                        warn("--dir", "/x"),
		` "${MORE[@]}" --dir /x`:                 warn("--dir", "/x"),
		` --setenv A "$A"`:                       info("--setenv", "A", "/undecided/$A"),
		` ${A+--setenv A "$A"}`:                  info("--setenv", "A", "/undecided/$A"),
		` --setenv A "$A" --dir "$A"`:            warn("--setenv", "A", "/undecided/$A", "--dir", "/undecided/$A"),
		` --dir --setenv --args "$FD"`:           warn("--dir", "--setenv"),
		` ${A+--bind /etc /etc}`:                 warn("--bind", "/etc", "/etc"),
		` ${A+--dir /x; touch ` + trace + `}`:    warn(),
		` ${A+--dir $(touch ` + trace + `)}`:     warn("--dir", "?"),
		` ${A+--dir <(touch ` + trace + `)}`:     warn("--dir", "?"),
	} {
		s, found, err := written(t, text, "").Sandbox(env)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []string
		for _, o := range s.Options {
			if o.Origin == user {
				got = append(append(got, o.Name), o.Args...)
			}
		}
		same := func(want, got string) bool {
			return want == got || want == "?" && strings.HasPrefix(got, "/undecided/")
		}
		if !slices.EqualFunc(want.words, got, same) {
			t.Errorf("%s: %q, want %q", text, got, want.words)
		}
		if !s.Has("--new-session") || s.Last("--new-session").Origin != "jail.nix" {
			t.Errorf("%s: what follows is lost: %q", text, s.Argv())
		}
		var severity finding.Severity
		for _, f := range found {
			if f.Subject.Name != user { // which is the runtime's
				severity = f.Severity
			}
		}
		if severity != want.severity {
			t.Errorf("%s: severity %q, want %q", text, severity, want.severity)
		}
	}
	if _, err := os.Stat(trace); err == nil {
		t.Error("a command was run")
	}
}

// A variable's value is subject to patterns, unless it is quoted.
func TestPatternInVariable(t *testing.T) {
	in := env
	in.Dir = "/home/dev/[p]"
	s, _, err := written(t, ` --bind $PWD "$PWD"`, "").Sandbox(in)
	if err != nil || !slices.Equal(s.Last("--bind").Args, []string{"/undecided/$PWD", in.Dir}) {
		t.Errorf("%v, %v", s, err)
	}
}
