package gate

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// read32 is read(2) of 32-bit programs, on x86 and ARM.
const read32 = 3

// blocked tells whether a process is in read(2) of a descriptor. The child of bwrap is,
// of that of --block-fd, when the jail is built and only the command is missing
// (bubblewrap.c, main). It is not known without /proc/PID/syscall (proc(5)): where the
// kernel has none, or does not let us trace the process.
func blocked(pid, fd int) (yes, known bool) {
	line, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/syscall")
	if err != nil {
		return false, false
	}
	// The number of the call and its arguments; "running", or -1 outside of a call.
	words := strings.Fields(string(line))
	if len(words) < 2 {
		return false, true
	}
	call, err := strconv.Atoi(words[0])
	if err != nil || call != unix.SYS_READ && call != read32 {
		return false, true
	}
	of, err := strconv.ParseUint(words[1], 0, 64)
	return err == nil && of == uint64(fd), true
}
