package host

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

const (
	// listenLimit bounds the part of a connection table that is read.
	listenLimit = 4 << 20
	// listenChunk is how much is read at once: the kernel lists listening sockets
	// first, and a server has many thousands of others.
	listenChunk = 4 << 10
	// stateListen is TCP_LISTEN as /proc/net/tcp writes it (Linux, tcp_states.h).
	stateListen = "0A"
)

// Listening returns the TCP ports at which something answers in this network
// namespace, on any address, sorted.
func (f *FS) Listening() ([]int, error) {
	f.listenOnce.Do(func() { f.listening, f.listenErr = f.findListening() })
	return slices.Clone(f.listening), f.listenErr
}

func (f *FS) findListening() ([]int, error) {
	if f.disk == Local() { // which is whose kernel can be asked
		if ports, err := askListening(); err == nil {
			return sorted(ports), nil
		}
	}
	ports, err := procListening(f.disk)
	return sorted(ports), err
}

func sorted(ports []int) []int {
	slices.Sort(ports)
	return slices.Compact(ports)
}

// procListening needs no more of the kernel than proc(5).
func procListening(d Disk) ([]int, error) {
	ports := []int{}
	for _, name := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		table, err := readListening(d, name)
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
	return ports, nil
}

// readListening reads a table as far as listening sockets go, and perhaps a little
// further; the last row may be cut off where others follow.
func readListening(d Disk, name string) ([]byte, error) {
	if text, ok := savedContent(d, name); ok {
		return text, nil
	}
	fd, err := d.Open(name, 0)
	if err != nil {
		return nil, lookupError(name, err)
	}
	defer closeFile(fd)
	var table []byte
	for len(table) < listenLimit {
		chunk := make([]byte, listenChunk)
		n, err := unix.Read(fd, chunk)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, fmt.Errorf("read %s: %w: %w", name, sandbox.ErrUnknown, err)
		case n == 0:
			return table, nil
		}
		table = append(table, chunk[:n]...)
		whole := table[:bytes.LastIndexByte(table, '\n')+1]
		last := bytes.Fields(whole[bytes.LastIndexByte(bytes.TrimSuffix(whole, []byte("\n")), '\n')+1:])
		if len(last) > 3 && string(last[3]) != stateListen && string(last[0]) != "sl" {
			return whole, nil
		}
	}
	return nil, fmt.Errorf("read %s: %w: more sockets listen than fit into %d bytes", name, sandbox.ErrUnknown, listenLimit)
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
