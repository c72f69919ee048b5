//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/host"
)

// A manifest that lies where an agent may write says nothing of the project's jail.
func TestPlantedManifest(t *testing.T) {
	homed(t)
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	facts, err := host.Gather(host.NewFS(), root)
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "manifest.json")
	if err := os.Symlink(facts.Home, link); err != nil { // any file of the home will do
		t.Fatal(err)
	}
	for file, want := range map[string]string{link: "your home", root: "the project", "/etc/passwd": "outside of the Nix store"} {
		if _, err := notPlanted(file, root, manifestStore); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", file, err)
		}
	}
	// A link is resolved, so that it can not lead elsewhere later.
	link = filepath.Join(t.TempDir(), "manifest.json")
	if err := os.Symlink("/etc/passwd", link); err != nil {
		t.Fatal(err)
	}
	if at, err := notPlanted(link, root, "/etc"); err != nil || at != "/etc/passwd" {
		t.Errorf("%q, %v", at, err)
	}
}
