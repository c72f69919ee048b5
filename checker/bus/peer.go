package bus

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"
)

// Peer tells which proxy listens at socket, a path of the host's. It returns nil
// when nothing does, or something that is not program: the name that a process
// gives itself proves nothing, so the file that it runs is compared.
func Peer(socket, program string) (*Proxy, error) {
	pid, err := listener(socket)
	if err != nil || pid == 0 {
		return nil, err
	}
	proc := path.Join("/proc", strconv.Itoa(pid))
	same, err := Same(path.Join(proc, "exe"), program)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) { // another user's, or gone
		return nil, nil
	}
	if err != nil || !same {
		return nil, err
	}
	line, err := os.ReadFile(path.Join(proc, "cmdline"))
	if err != nil {
		return nil, fmt.Errorf("the proxy at %s: %w", socket, err)
	}
	words := strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")
	p, err := Parse(words[1:])
	if err != nil {
		return nil, fmt.Errorf("the proxy at %s: %w", socket, err)
	}
	p.Socket = socket
	return &p, nil
}

// Same tells whether two paths are one file.
func Same(a, b string) (bool, error) {
	x, err := os.Stat(a)
	if err != nil {
		return false, err
	}
	y, err := os.Stat(b)
	if err != nil {
		return false, err
	}
	return os.SameFile(x, y), nil
}

// OnlySockets tells whether dir is the caller's alone and holds nothing but
// sockets and pipes: who writes there changes nothing that anybody reads.
func OnlySockets(dir string) (bool, error) {
	st, err := os.Lstat(dir)
	if err != nil {
		return false, err
	}
	owner, ok := st.Sys().(*syscall.Stat_t)
	if !ok || !st.IsDir() || int(owner.Uid) != os.Geteuid() || st.Mode().Perm()&0o077 != 0 {
		return false, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if e.Type() != fs.ModeSocket && e.Type() != fs.ModeNamedPipe {
			return false, nil
		}
	}
	return true, nil
}
