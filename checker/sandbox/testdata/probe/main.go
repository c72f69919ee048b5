// Probe is the program that the differential test runs inside a jail. It reads
// one request a line, words parted by NUL, and answers each with "ok …" or with
// the number of the error. It needs nothing but itself: build it without cgo.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"syscall"
)

func main() {
	in := bufio.NewReader(os.Stdin)
	fmt.Println("ready")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		answer, err := do(strings.Split(strings.TrimSuffix(line, "\n"), "\x00"))
		var no syscall.Errno
		switch {
		case errors.As(err, &no):
			fmt.Println(int(no))
		case err != nil:
			fmt.Println("broken", err)
		default:
			fmt.Println("ok " + answer)
		}
	}
}

func do(w []string) (string, error) {
	switch w[0] {
	case "stat":
		return stat(w[1])
	case "read":
		return "", read(w[1])
	case "append":
		return "", write(w[1], os.O_APPEND, w[2])
	case "create":
		return "", write(w[1], os.O_CREATE, w[2])
	case "mkdir":
		return "", syscall.Mkdir(w[1], 0o755)
	case "rename":
		return "", syscall.Rename(w[1], w[2])
	case "shuffle":
		return "", shuffle(w[1])
	case "away":
		return "", away(w[1])
	case "back":
		defer syscall.Close(moved.dir)
		return "", syscall.Renameat(moved.dir, "away", moved.dir, moved.name)
	case "link":
		return "", syscall.Link(w[1], w[2])
	case "symlink":
		return "", syscall.Symlink(w[1], w[2])
	case "unlink":
		return "", syscall.Unlink(w[1])
	case "rmdir":
		return "", syscall.Rmdir(w[1])
	case "final":
		return final(w[1])
	case "env":
		return strings.Join(os.Environ(), "\x00"), nil
	case "readlink":
		return os.Readlink(w[1])
	}
	return "", fmt.Errorf("unknown request %q", w)
}

func stat(p string) (string, error) {
	var st syscall.Stat_t
	if err := syscall.Stat(p, &st); err != nil {
		return "", err
	}
	return fmt.Sprintf("%o %d %d", st.Mode, st.Dev, st.Ino), nil
}

// read opens p as its type allows and reads a little.
func read(p string) error {
	fd, err := syscall.Open(p, syscall.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	_, err = syscall.Read(fd, make([]byte, 1))
	if err == syscall.EISDIR {
		_, err = syscall.ReadDirent(fd, make([]byte, 4096))
	}
	return err
}

func write(p string, flag int, text string) error {
	fd, err := syscall.Open(p, syscall.O_WRONLY|syscall.O_NONBLOCK|flag, 0o644)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	_, err = syscall.Write(fd, []byte(text))
	return err
}

// shuffle renames p within its directory and back.
func shuffle(p string) error {
	dir, err := syscall.Open(path.Dir(p), syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(dir)
	if err := syscall.Renameat(dir, path.Base(p), dir, "shuffled"); err != nil {
		return err
	}
	if err := syscall.Renameat(dir, "shuffled", dir, path.Base(p)); err != nil {
		return fmt.Errorf("rename %s back: %v", p, err)
	}
	return nil
}

// moved is what "away" moved and "back" will move back: by descriptor, for p may
// have lain above itself.
var moved struct {
	dir  int
	name string
}

func away(p string) (err error) {
	moved.name = path.Base(p)
	if moved.dir, err = syscall.Open(path.Dir(p), syscall.O_RDONLY|syscall.O_DIRECTORY, 0); err != nil {
		return err
	}
	if err := syscall.Renameat(moved.dir, moved.name, moved.dir, "away"); err != nil {
		syscall.Close(moved.dir)
		return err
	}
	return nil
}

// final follows the links at the last component of p, its parents as they are.
func final(p string) (string, error) {
	for range 40 {
		target, err := os.Readlink(p)
		if err != nil {
			return p, nil
		}
		if path.IsAbs(target) {
			p = target
		} else {
			p = p[:strings.LastIndexByte(p, '/')+1] + target
		}
	}
	return "", syscall.ELOOP
}
