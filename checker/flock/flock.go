// Package flock takes the locks that keep processes of ocjail out of each other's way
// (flock(2)). Whoever can open a file can hold its lock for ever, so waiting ends, and
// the error names who holds it.
package flock

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// HeldError says that others have held a lock for as long as was to be waited.
type HeldError struct {
	File  string
	Limit time.Duration
	By    []Holder // as far as they are known
}

// Holder is a process that holds a lock.
type Holder struct {
	PID  int
	Name string // of its program, from /proc/PID/comm
}

func (e *HeldError) Error() string {
	if len(e.By) == 0 {
		return fmt.Sprintf("another process has held %s for %s: end it (fuser %[1]s), or try again", e.File, e.Limit)
	}
	by := make([]string, len(e.By))
	for i, h := range e.By {
		by[i] = fmt.Sprintf("process %d (%q)", h.PID, h.Name)
	}
	return fmt.Sprintf("%s has held %s for %s: end it if it does nothing (ps -fp %d), or try again", strings.Join(by, " and "), e.File, e.Limit, e.By[0].PID)
}

// Take opens a file, which it makes for its user alone, and takes its lock, for which
// it waits no longer than limit. Closing the file gives the lock back.
func Take(name string, limit time.Duration) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(limit); ; time.Sleep(10 * time.Millisecond) {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case err == nil:
			return f, nil
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			return nil, errors.Join(fmt.Errorf("lock %s: %w", name, err), f.Close())
		case time.Now().After(end):
			return nil, errors.Join(&HeldError{name, limit, holders(f)}, f.Close())
		}
	}
}

// holders reads /proc/locks (proc_locks(5)); nil where there is none, or where it has no
// such file: some file systems show another device there than stat(2) does.
func holders(f *os.File) []Holder {
	var st syscall.Stat_t
	if err := syscall.Fstat(int(f.Fd()), &st); err != nil {
		return nil
	}
	table, err := os.Open("/proc/locks")
	if err != nil {
		return nil
	}
	defer table.Close()
	return holdersIn(table, device(uint64(st.Dev)), st.Ino)
}

// device is how /proc/locks writes a device's number (makedev(3)).
func device(dev uint64) string {
	major := dev>>8&0xfff | dev>>32&^0xfff
	minor := dev&0xff | dev>>12&^0xff
	return fmt.Sprintf("%02x:%02x", major, minor)
}

func holdersIn(table io.Reader, device string, inode uint64) []Holder {
	var all []Holder
	file := device + ":" + strconv.FormatUint(inode, 10)
	for lines := bufio.NewScanner(table); lines.Scan(); {
		fields := strings.Fields(lines.Text()) // 1: FLOCK ADVISORY WRITE PID DEVICE:INODE 0 EOF
		if len(fields) != 8 || fields[1] != "FLOCK" || fields[5] != file {
			continue // "->" is before FLOCK of those that wait
		}
		if pid, err := strconv.Atoi(fields[4]); err == nil && pid > 0 { // 0: in another PID namespace
			name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)) // it may be gone
			all = append(all, Holder{pid, strings.TrimSuffix(string(name), "\n")})
		}
	}
	return all
}
