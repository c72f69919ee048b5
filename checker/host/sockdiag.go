//go:build linux && !nojail

package host

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Sizes and places in the messages of sock_diag(7) (Linux, inet_diag.h).
const (
	requestSize = unix.SizeofNlMsghdr + 56 // struct inet_diag_req_v2
	portAt      = 4                        // of idiag_sport in struct inet_diag_msg
	messageSize = 72
	tcpListen   = 10 // TCP_LISTEN
	// mostReplies bounds the answer: 64 Ki ports fit many times.
	mostReplies = 10_000
)

// askListening asks the kernel for the listening TCP sockets alone. Reading
// /proc/net/tcp takes it through the table of all connections, empty or not, which
// is milliseconds. Whatever goes wrong is an error: the caller reads that instead.
func askListening() ([]int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, fmt.Errorf("sock_diag: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1}); err != nil {
		return nil, fmt.Errorf("sock_diag: %w", err)
	}
	ports := []int{}
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		if ports, err = dump(fd, family, ports); err != nil {
			return nil, fmt.Errorf("sock_diag: %w", err)
		}
	}
	return ports, nil
}

// dump appends the ports of one address family.
func dump(fd int, family byte, ports []int) ([]int, error) {
	request := make([]byte, requestSize)
	binary.NativeEndian.PutUint32(request, requestSize)
	binary.NativeEndian.PutUint16(request[4:], unix.SOCK_DIAG_BY_FAMILY)
	binary.NativeEndian.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	body := request[unix.SizeofNlMsghdr:]
	body[0], body[1] = family, unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(body[4:], 1<<tcpListen)
	if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, err
	}
	buffer := make([]byte, 32<<10)
	for range mostReplies {
		n, _, flags, _, err := unix.Recvmsg(fd, buffer, nil, 0)
		if err != nil {
			return nil, err
		}
		if flags&unix.MSG_TRUNC != 0 {
			return nil, fmt.Errorf("%w: an answer of more than %d bytes", sandbox.ErrUnknown, len(buffer))
		}
		more, done, err := replies(buffer[:n])
		if ports = append(ports, more...); err != nil || done {
			return ports, err
		}
	}
	return nil, fmt.Errorf("%w: an answer without end", sandbox.ErrUnknown)
}

var errReply = errors.New("an answer that can not be read")

// replies reads the messages of one datagram; done tells that they were the last.
func replies(b []byte) (ports []int, done bool, err error) {
	for len(b) > 0 {
		if len(b) < unix.SizeofNlMsghdr {
			return nil, false, errReply
		}
		size := int(binary.NativeEndian.Uint32(b))
		kind, flags := binary.NativeEndian.Uint16(b[4:]), binary.NativeEndian.Uint16(b[6:])
		switch {
		case size < unix.SizeofNlMsghdr || size > len(b):
			return nil, false, errReply
		case flags&unix.NLM_F_DUMP_INTR != 0:
			return nil, false, errors.New("sockets came and went meanwhile")
		case kind == unix.NLMSG_DONE:
			return ports, true, nil
		case kind != unix.SOCK_DIAG_BY_FAMILY || size < unix.SizeofNlMsghdr+messageSize:
			return nil, false, errReply // NLMSG_ERROR, for instance
		}
		if body := b[unix.SizeofNlMsghdr:size]; body[1] == tcpListen {
			ports = append(ports, int(binary.BigEndian.Uint16(body[portAt:])))
		}
		b = b[min(len(b), (size+3)&^3):]
	}
	return ports, false, nil
}
