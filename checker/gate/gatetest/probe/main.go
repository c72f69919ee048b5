// Command probe tries, from inside a jail, what a test asks for. It prints
// "done", or the name of the error and ends with status 1.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

var acts = map[string]func(args []string) error{
	"ioctl": pushInput, "search-key": searchKey, "with-key": withKey, "abstract": abstract, "connect": connect,
	"kill": kill, "core-limit": coreLimit, "sizes": sizes, "write": write, "read": read, "group": foreground,
	"serve": serve, "ask": ask, "type": typeText, "type-wide": typeWide,
	"swap": swap, "vsock": vsock, "ring": ring, "share": share, "shared": shared,
}

func main() {
	if filepath.Base(os.Args[0]) == "bwrap" {
		around()
	}
	act, ok := acts[os.Args[1]]
	if !ok {
		fmt.Println("no such act:", os.Args[1])
		os.Exit(2)
	}
	if err := act(os.Args[2:]); err != nil {
		var n unix.Errno
		if errors.As(err, &n) {
			fmt.Println(unix.ErrnoName(n))
		} else {
			fmt.Println(err)
		}
		os.Exit(1)
	}
	fmt.Println("done")
}

// pushInput makes the ioctl REQUEST with one character on standard input.
func pushInput(args []string) error {
	request, err := strconv.ParseUint(args[0], 0, 64)
	if err != nil {
		return err
	}
	c := [2]byte{'x'}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, 0, uintptr(request), uintptr(unsafe.Pointer(&c))); errno != 0 {
		return errno
	}
	return nil
}

// typeText pushes TEXT into the terminal on standard input.
func typeText(args []string) error { return push(args[0], unix.TIOCSTI) }

// typeWide does it with a request whose high half the kernel ignores.
func typeWide(args []string) error { return push(args[0], unix.TIOCSTI|1<<32) }

func push(text string, request uintptr) error {
	for _, b := range []byte(text) {
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, 0, request, uintptr(unsafe.Pointer(&b))); errno != 0 {
			return errno
		}
	}
	return nil
}

// withKey puts the key NAME into a new session keyring and executes the rest.
func withKey(args []string) error {
	if _, err := unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0); err != nil {
		return err
	}
	if _, err := unix.AddKey("user", args[0], []byte("hunter2"), unix.KEY_SPEC_SESSION_KEYRING); err != nil {
		return err
	}
	return unix.Exec(args[1], args[1:], os.Environ())
}

func searchKey(args []string) error {
	_, err := unix.KeyctlSearch(unix.KEY_SPEC_SESSION_KEYRING, "user", args[0], 0)
	return err
}

func abstract(args []string) error { return dial("@" + args[0]) }

func connect(args []string) error { return dial(args[0]) }

func dial(name string) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	return unix.Connect(fd, &unix.SockaddrUnix{Name: name})
}

func kill(args []string) error {
	pid, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	return unix.Kill(pid, unix.SIGKILL)
}

func coreLimit([]string) error {
	var l unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_CORE, &l)
	fmt.Println(l.Cur, l.Max)
	return err
}

// sizes prints the terminal's width now and at the next SIGWINCH.
func sizes([]string) error {
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, unix.SIGWINCH)
	for range 2 {
		w, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ)
		if err != nil {
			return err
		}
		fmt.Println("width", w.Col)
		if w.Col == 80 {
			<-changed
		}
	}
	return nil
}

// foreground tells whether this process is in its terminal's foreground group.
func foreground([]string) error {
	group, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	fmt.Println(group == unix.Getpgrp())
	return err
}

func write(args []string) error {
	return os.WriteFile(args[0], []byte("evil\n"), 0o644)
}

func read(args []string) error {
	b, err := os.ReadFile(args[0])
	fmt.Print(string(b))
	return err
}
