package manifest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/manifest"
)

// An operand of its own piece belongs to the option before it.
func TestOptionInTwoPieces(t *testing.T) {
	m, err := manifest.Parse([]byte(`{"version": 1, "script": {"entry": "/e", "cmd": [
		{"id": "jail.nix", "text": "/bin/bwrap"}, {"id": "a", "text": " --setenv A"}, {"id": "b", "text": " 'x y'"}, {"id": "b", "text": " --dir /x"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := m.Sandbox(env)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"--ocjail-origin", "a", "--setenv", "A", "x y", "--ocjail-origin", "b", "--dir", "/x", "--", "/e"}
	if diff := cmp.Diff(want, s.AnnotatedArgv()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Text that is not bwrap's options is nobody's to guess at.
func TestGarbage(t *testing.T) {
	for text, want := range map[string]string{
		` --bind "/a /b`:            "can not be read",
		` --bind $(ls /b`:           "can not be read",
		` --dir /a; touch /x`:       "more than options",
		` --dir /a && touch /x`:     "more than options",
		` --dir /a | tee /x`:        "more than options",
		` --dir /a & true`:          "more than options",
		` --dir /a >/x`:             "more than options",
		` --dir /a # --new-session`: "more than options",
		" --dir /a\ntouch /x":       "more than options",
	} {
		_, _, err := written(t, text, "").Sandbox(env)
		place := "unsafe-add-raw-args of " + user + " in devenv.nix: "
		if err == nil || !strings.HasPrefix(err.Error(), place) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, want := range map[string]string{
		` --bnd /a /b`:          `"--bnd"): unknown option`,
		` --args 5`:             "what a descriptor holds",
		` --bind-fd -1 /x`:      "not a number",
		` --dir /a --perms 700`: "--perms",
	} {
		if _, _, err := written(t, text, "").Sandbox(env); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, _, err := written(t, "", "if true; then").Sandbox(env); err == nil || !strings.Contains(err.Error(), user) {
		t.Errorf("broken code: %v", err)
	}
}

// Code that runs before bwrap may change what its words mean.
func TestRuntime(t *testing.T) {
	const unknown, home = "/undecided/$HOME", "/home/dev"
	for code, want := range map[string]string{
		`echo "$HOME"; [[ ${HOME-} != /* ]]`: home,
		`(HOME=/etc); HOME=/x true`:          home,
		`X=$(HOME=/etc; echo)`:               home,
		`HOME=/etc`:                          unknown,
		`export HOME=/etc`:                   unknown,
		`read -r HOME </etc/x`:               unknown,
		`for HOME in /etc; do :; done`:       unknown,
		`f() { printf -v HOME /etc; }; f`:    unknown,
		`cd /; command . /etc/x`:             unknown,
		`eval "$X"`:                          unknown,
		`. ./rc`:                             unknown,
	} {
		s, found, err := written(t, ` --bind "$HOME" /x`, code).Sandbox(env)
		if err != nil {
			t.Errorf("%s: %v", code, err)
			continue
		}
		if got := s.Last("--bind").Args[0]; got != want {
			t.Errorf("%s: HOME is %s, want %s", code, got, want)
		}
		if !slices.ContainsFunc(found, func(f finding.Finding) bool { return f.Subject.Name == user }) {
			t.Errorf("%s: no finding", code)
		}
	}
	s, _, err := written(t, ` --bind "$PWD" /x`, "cd /").Sandbox(env)
	if err != nil || s.Last("--bind").Args[0] != "/undecided/$PWD" {
		t.Errorf("after cd: %v, %v", s, err)
	}
	_, found, err := written(t, "", `RUNTIME_ARGS+=(--bind / /)`).Sandbox(env)
	if err != nil || len(found) != 1 || found[0].Severity != finding.Warning || found[0].Origin.File != "devenv.nix" {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestNoScript(t *testing.T) {
	for text, want := range map[string]string{
		`{"version": 1}`: "has no script",
		`{"version": 1, "script": {"cmd": [{"id": "jail.nix", "text": "/bin/sh -c x"}], "entry": "/e"}}`:          `starts "/bin/sh"`,
		`{"version": 1, "script": {"cmd": [{"id": "jail.nix", "text": "A=1 /bin/bwrap"}], "entry": "/e"}}`:        "jail.nix: its shell text is more than options",
		`{"version": 1, "script": {"cmd": [{"id": "jail.nix", "text": "! /bin/bwrap"}], "entry": "/e"}}`:          "more than options",
		`{"version": 1, "script": {"cmd": [{"id": "jail.nix", "text": "$BWRAP --dir /x"}], "entry": "/e"}}`:       "does not begin with the path of bwrap",
		`{"version": 1, "script": {"cmd": [{"id": "jail.nix", "text": "/bin/bwrap --dir /x"}], "entry": "$(e)"}}`: "",
	} {
		m, err := manifest.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		s, _, err := m.Sandbox(env)
		switch {
		case want == "" && (err != nil || !slices.Equal(s.Command, []string{"/undecided/$-e"})):
			t.Errorf("%s: %v, %v", text, s, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v", text, err)
		}
	}
}
