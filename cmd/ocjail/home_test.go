package main

import (
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/host/hosttest"
)

func init() { host.HomeVariable = hosttest.HomeVariable }

// homed gives a test a home of its own, as each script has one.
func homed(t *testing.T) {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv(hosttest.HomeVariable, home)
}
