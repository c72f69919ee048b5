package main

import (
	"fmt"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// vsock opens a socket towards the hypervisor.
func vsock([]string) error {
	fd, err := unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// ring makes a ring of io_uring, through which sockets are made past a filter.
func ring([]string) error {
	var params [120]byte // struct io_uring_params
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&params)), 0)
	if errno != 0 {
		return errno
	}
	return unix.Close(int(fd))
}

const segmentSize = 4096

// share puts TEXT into the System V shared memory of the key NUMBER.
func share(args []string) error {
	memory, err := segment(args[0], unix.IPC_CREAT|0o600)
	if err != nil {
		return err
	}
	copy(memory, args[1])
	return nil
}

// shared prints what is in the System V shared memory of the key NUMBER.
func shared(args []string) error {
	memory, err := segment(args[0], 0)
	if err != nil {
		return err
	}
	text, _, _ := strings.Cut(string(memory), "\x00")
	fmt.Println(text)
	return nil
}

func segment(number string, flags int) ([]byte, error) {
	key, err := strconv.Atoi(number)
	if err != nil {
		return nil, err
	}
	id, err := unix.SysvShmGet(key, segmentSize, flags)
	if err != nil {
		return nil, err
	}
	return unix.SysvShmAttach(id, 0, 0)
}
