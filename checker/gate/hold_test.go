package gate

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What bwrap reads before ours would be options too.
func TestNobodyWritesToTheHold(t *testing.T) {
	hold, err := newHold()
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	fd := int(hold.Fd())
	if _, err := unix.Write(fd, []byte("--help\x00")); !errors.Is(err, unix.ENOTCONN) {
		t.Errorf("written to it: %v", err)
	}
	for _, flags := range []int{unix.O_RDONLY, unix.O_WRONLY, unix.O_RDWR} {
		if _, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", fd), flags, 0); !errors.Is(err, unix.ENXIO) {
			t.Errorf("opened again: %v", err)
		}
	}
	if err := letGo(hold); err != nil {
		t.Fatal(err)
	}
	if n, err := unix.Read(fd, make([]byte, 1)); n != 0 || err != nil {
		t.Errorf("read at the end: %d, %v", n, err)
	}
}

// Who holds dies, and what is held waits on: it is for bwrap's signal of our death, not
// for our descriptor, to end it.
func TestHoldOutlivesItsHolder(t *testing.T) {
	const role = "OCJAIL_TEST_HOLDER"
	if os.Getenv(role) != "" {
		hold, err := newHold()
		if err != nil {
			t.Fatal(err)
		}
		pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", "read held <&3"}, &syscall.ProcAttr{Files: []uintptr{0, 1, 2, hold.Fd()}})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("holds", pid)
		time.Sleep(time.Hour) // until killed
	}
	c := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestHoldOutlivesItsHolder$")
	c.Env = append(os.Environ(), role+"=1")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "holds ")))
	if err != nil {
		t.Fatal(err)
	}
	handle, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(handle)
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // killed
	for end := time.Now().Add(setupLimit); ; time.Sleep(time.Millisecond) {
		if yes, known := blocked(pid, 0); yes || !known || time.Now().After(end) {
			break
		}
	}
	if yes, _ := blocked(pid, 0); !yes {
		t.Error("it went on when its holder died")
	}
	if err := unix.PidfdSendSignal(handle, unix.SIGKILL, nil, 0); err != nil {
		t.Error(err)
	}
}
