package gate

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// newHold returns what bwrap waits for the end of, as a file of options (--args), before
// it makes the process of the jail: we seize it meanwhile.
//
// It is a socket that nobody can send to: it has no name and no peer, and cannot be
// opened again through /proc (unix(7)). When we are killed it does not end, as a pipe
// would, so that bwrap does not go on before it is killed too.
func newHold() (*os.File, error) {
	n, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket that holds bwrap: %w", err)
	}
	return os.NewFile(uintptr(n), "hold"), nil
}

// letGo ends the file of options, wherever it is open.
func letGo(hold *os.File) error {
	if err := unix.Shutdown(int(hold.Fd()), unix.SHUT_RD); err != nil {
		return fmt.Errorf("let bwrap go on: %w", err)
	}
	return nil
}
