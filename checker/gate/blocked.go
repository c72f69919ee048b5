package gate

import (
	"errors"
	"io"
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
	var line [256]byte // more than ten numbers
	n, err := readProc("/proc/"+strconv.Itoa(pid)+"/syscall", line[:])
	if err != nil {
		return false, false
	}
	// The number of the call and its arguments; "running", or -1 outside of a call.
	words := strings.Fields(string(line[:n]))
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

// readProc reads a file of procfs to its end, or until b is full, without Go's runtime,
// which would have it polled: that takes twice the calls.
func readProc(name string, b []byte) (n int, err error) {
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	for n < len(b) {
		m, err := unix.Read(fd, b[n:])
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return n, err
		case m == 0:
			return n, nil
		}
		n += m
	}
	return n, io.ErrShortBuffer
}
