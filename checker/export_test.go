package checker

import "testing"

// SetNixStore has another folder stand for the Nix store while a test runs.
func SetNixStore(t *testing.T, dir string) {
	t.Helper()
	before := nixStore
	nixStore = dir
	t.Cleanup(func() { nixStore = before })
}
