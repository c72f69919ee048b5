package host

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

const (
	// listenLimit bounds the part of a connection table that is read: the kernel
	// lists listening sockets first.
	listenLimit = 4 << 20
	// stateListen is TCP_LISTEN as /proc/net/tcp writes it (Linux, tcp_states.h).
	stateListen = "0A"
)

// Listening returns the TCP ports at which something answers in this network
// namespace, on any address, sorted.
func (f *FS) Listening() ([]int, error) {
	ports := []int{}
	for _, name := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		table, err := readProc(name, listenLimit)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a kernel without IPv6
		}
		if err != nil {
			return nil, err
		}
		more, err := listening(table)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		ports = append(ports, more...)
	}
	slices.Sort(ports)
	return slices.Compact(ports), nil
}

// listening reads a table in the format of proc_pid_net(5): a heading, then
// lines that begin with a number, the local and the remote address and the state.
func listening(table []byte) ([]int, error) {
	var ports []int
	_, rows, _ := bytes.Cut(table, []byte("\n"))
	for row := range bytes.Lines(rows) {
		fields := bytes.Fields(row)
		if len(fields) < 4 {
			return nil, fmt.Errorf("%w: the row %q has no state", sandbox.ErrUnknown, row)
		}
		if string(fields[3]) != stateListen {
			break
		}
		colon := bytes.LastIndexByte(fields[1], ':')
		port, err := strconv.ParseUint(string(fields[1][colon+1:]), 16, 16)
		if err != nil {
			return nil, fmt.Errorf("%w: the address %q has no port", sandbox.ErrUnknown, fields[1])
		}
		ports = append(ports, int(port))
	}
	return ports, nil
}
