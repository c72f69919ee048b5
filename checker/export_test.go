package checker

import (
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
)

// SetNixStore has another folder stand for the Nix store while a test runs.
func SetNixStore(t *testing.T, dir string) {
	t.Helper()
	before := nixStore
	nixStore = dir
	t.Cleanup(func() { nixStore = before })
}

// SetSystemStore has another folder stand for the machine's store while a test runs.
func SetSystemStore(t *testing.T, s store.Store) {
	t.Helper()
	before := systemStore
	systemStore = s
	t.Cleanup(func() { systemStore = before })
}
