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
	for file, want := range map[string]string{link: "your home", root: "the project"} {
		if err := notPlanted(file, root); err == nil || !strings.Contains(err.Error(), "lies in "+want) {
			t.Errorf("%s: %v", file, err)
		}
	}
	if err := notPlanted("/etc/passwd", root); err != nil {
		t.Error(err)
	}
}
