//go:build linux && !nojail

package main

import (
	"os/exec"
	"strings"
	"testing"
)

// The trial jail is started as a launch starts one.
func TestTrialGetsNoNewPrivileges(t *testing.T) {
	c := exec.Command("grep", "NoNewPrivs", "/proc/self/status")
	var out strings.Builder
	c.Stdout = &out
	if err := unprivileged(c.Run); err != nil || strings.TrimSpace(out.String()) != "NoNewPrivs:\t1" {
		t.Errorf("%q, %v", out.String(), err)
	}
}
