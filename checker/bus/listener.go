//go:build linux && !nojail

package bus

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// listener returns the process that listens at socket, 0 for none that can be
// seen. It is the one that called listen(2), see unix(7).
func listener(socket string) (int, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0, fmt.Errorf("socket: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: socket}); err != nil {
		return 0, nil // nobody, not for us, or too busy to say: then it is none that we know
	}
	peer, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, fmt.Errorf("%s: who listens: %w", socket, err)
	}
	return int(peer.Pid), nil
}
