package review

import (
	"os"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// A file that makes a folder a project of its own is reported wherever it appears.
func TestMarkers(t *testing.T) {
	f := newFolder(t, "devenv.nix", "ocjail.hcl", "lib")
	f.repository()
	f.write("old/devenv.nix", "x")
	f.write("kept/ocjail.hcl", "x")
	f.write("gone/ocjail.hcl", "x")
	r := f.take()
	f.want(r)
	f.write("devenv.nix", "x")
	f.write("lib/ocjail.hcl", "x")
	f.write("src/app/ocjail.hcl", "x")
	f.write("src/lib/devenv.nix", "x")
	f.write("src/lib/ocjail.lock", "x")
	f.write("old/devenv.nix", "y")
	f.write(".git/devenv.nix", "x")
	check(t, os.RemoveAll(f.path("gone")))
	f.want(r, "new devenv.nix", "removed gone/ocjail.hcl", "new lib/ocjail.hcl", "changed old/devenv.nix", "new src/app/ocjail.hcl", "new src/lib/devenv.nix", "new src/lib/ocjail.lock")
}

// What the user makes between two sessions is the user's own, until it changes.
func TestMarkersOfTheUser(t *testing.T) {
	f := newFolder(t)
	f.write("old/ocjail.hcl", "x")
	known := f.take().Repositories
	f.write("mine/ocjail.hcl", "x")
	time.Sleep(300 * time.Millisecond) // beyond the grain of files' times
	r := f.take(known...)
	f.want(r)
	f.write("mine/ocjail.hcl", "y")
	f.write("old/ocjail.hcl", "y")
	f.want(r, "new mine/ocjail.hcl", "changed old/ocjail.hcl")
}

// Of what git tracks, git shows the change.
func TestTrackedMarkers(t *testing.T) {
	f := newFolder(t)
	f.repository()
	f.write("a/devenv.nix", "x")
	f.write("b/devenv.nix", "x")
	f.git("add", "a")
	r := f.take()
	f.write("a/devenv.nix", "y")
	f.write("b/devenv.nix", "y")
	changes, _, err := r.sweep()
	check(t, err)
	levels := map[string]finding.Severity{}
	for _, c := range changes {
		levels[c.Path] = c.Level
	}
	if len(levels) != 2 || levels[f.path("a/devenv.nix")] != finding.Info || levels[f.path("b/devenv.nix")] != finding.Warning {
		t.Errorf("%v", changes)
	}
}
