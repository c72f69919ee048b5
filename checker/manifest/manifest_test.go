package manifest_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/bus"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/manifest"
)

// golden is made by the Nix module's tests, which check it against the schema.
const golden = "../../tests/nix/testdata/manifest.json"

// The jail of what the wrapper starts, and those of its helpers.
func TestJailName(t *testing.T) {
	for _, c := range []struct{ name, entry, command, want string }{
		{"opencode", "/nix/store/a/bin/opencode", "/nix/store/a/bin/opencode", "opencode"},
		{"opencode", "/nix/store/a/bin/opencode", "/nix/store/b/bin/xdg-dbus-proxy", "opencode/xdg-dbus-proxy"},
		{"opencode", "'/opt/my tools/agent'", "/opt/my tools/agent", "opencode"},
		{"opencode", `"$AGENT"`, "/opt/agent", "opencode"},
		{"", "/nix/store/a/bin/opencode", "/nix/store/a/bin/opencode", ""},
	} {
		text, err := json.Marshal(map[string]any{"version": 1, "name": c.name, "script": map[string]any{"entry": c.entry}})
		if err != nil {
			t.Fatal(err)
		}
		m, err := manifest.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.JailName([]string{c.command, "argument"}); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
	var none *manifest.Manifest
	if got := none.JailName([]string{"/bin/true"}); got != "" {
		t.Errorf("without a manifest: %q", got)
	}
}

// What the jail may reach on the bus is written in its combinators.
func TestBusNames(t *testing.T) {
	m, err := manifest.Load(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]bus.Name{{Policy: "talk", Name: "org.freedesktop.Notifications"}}, m.BusNames()); diff != "" {
		t.Error(diff)
	}
	m, err = manifest.Parse([]byte(`{"version": 1, "elements": [
		{"id": "a", "combinator": "compose", "args": [], "children": [{"id": "a/0", "combinator": "dbus",
			"args": [{"attrs": {"call": {"list": [{"string": "a.b=c.d.E@/f"}, {"noescape": "$X"}]}, "own": {"list": [{"string": "g.h"}]}}}]}]},
		{"id": "b", "combinator": null, "args": []}, {"id": "c", "combinator": "dbus", "args": [{"lambda": true}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]bus.Name{{Policy: "own", Name: "g.h"}, {Policy: "call", Name: "a.b"}}, m.BusNames()); diff != "" {
		t.Error(diff)
	}
}

func TestOrigins(t *testing.T) {
	m, err := manifest.Load(golden)
	if err != nil {
		t.Fatal(err)
	}
	two, five := 2, 5
	for id, want := range map[string]finding.Origin{
		"programs.opencode.jailCombinators[0]":   {Option: "programs.opencode.jailCombinators[0]", File: "devenv.nix", Combinator: "rw-bind", Entry: new(int)},
		"programs.opencode.jailCombinators[2]/0": {Option: "programs.opencode.jailCombinators[2]", File: "devenv.nix", Combinator: "tmpfs", Entry: &two},
		"programs.opencode.jailCombinators[5]":   {Option: "programs.opencode.jailCombinators[5]", File: "devenv.nix", Entry: &five},
	} {
		got, ok := m.Origin(id)
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%s: known %v, %s", id, ok, diff)
		}
	}
	if o, ok := m.Origin("nobody"); ok {
		t.Errorf("an unknown ID is %v", o)
	}
	if m.Project != "/home/dev/project" {
		t.Errorf("project %q", m.Project)
	}
}

func TestBadManifests(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ text, want string }{
		"other version":    {`{"version": 2, "elements": []}`, "has version 2, and this ocjail reads 1"},
		"truncated":        {`{"version": 1, "elements": [`, "unexpected EOF"},
		"relative project": {`{"version": 1, "project": "src"}`, `relative project root "src"`},
		"no JSON":          {"hello", "invalid character"},
	} {
		file := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
		if err := os.WriteFile(file, []byte(tc.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := manifest.Load(file); err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, file := range []string{fifo, dir, filepath.Join(dir, "absent")} {
		if _, err := manifest.Load(file); err == nil {
			t.Errorf("%s was read", file)
		}
	}
}
