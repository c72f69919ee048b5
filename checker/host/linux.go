//go:build linux && !nojail

package host

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

const noAutomount = unix.AT_NO_AUTOMOUNT

// selfID identifies this program: ocjail may be installed as bwrap.
func selfID() (sandbox.ID, error) {
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/exe", &st); err != nil {
		return sandbox.ID{}, fmt.Errorf("look up /proc/self/exe: %w: mount /proc", err)
	}
	return toStat(&st).ID(), nil
}
