package review

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// moment is a time that can be compared with files' times later on, or says that
// it can not.
type moment struct {
	Wall int64  `json:"wall"` // nanoseconds since 1970
	Up   int64  `json:"up"`   // nanoseconds since boot, sleep included
	Boot string `json:"boot"` // which boot that was
}

func now() (moment, error) {
	var up unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &up); err != nil {
		return moment{}, fmt.Errorf("CLOCK_BOOTTIME: %w", err)
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return moment{}, fmt.Errorf("which boot this is: %w", err)
	}
	return moment{time.Now().UnixNano(), up.Nano(), strings.TrimSpace(string(boot))}, nil
}

// fileTime is what the times of files changed since m are at least: the kernel
// takes them from a clock that ticks coarsely. It is 0, before every file's, when
// the clock was set meanwhile, or the machine was started anew.
func (m moment) fileTime(later moment) int64 {
	const tick, drift = 100 * time.Millisecond, 2 * time.Second
	if step := (later.Wall - m.Wall) - (later.Up - m.Up); m.Boot != later.Boot || step > int64(drift) || step < -int64(drift) {
		return 0
	}
	return m.Wall - int64(tick)
}

// local are file systems whose files have this machine's times (statfs(2)); a
// server has a clock of its own.
var local = map[int64]bool{
	unix.EXT4_SUPER_MAGIC: true, unix.XFS_SUPER_MAGIC: true, unix.BTRFS_SUPER_MAGIC: true, unix.TMPFS_MAGIC: true,
	unix.OVERLAYFS_SUPER_MAGIC: true, unix.F2FS_SUPER_MAGIC: true, 0x2fc12fc1: true /* ZFS */, 0xca451a4e: true, /* bcachefs */
}

func (a *area) local() bool {
	var st unix.Statfs_t
	return unix.Fstatfs(a.fd, &st) == nil && local[int64(st.Type)]
}
