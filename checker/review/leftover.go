package review

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// processFile is beside a session's record.
func processFile(file string) string { return strings.TrimSuffix(file, ".json") + ".pid" }

// halfProcessFile becomes it: one that is killed in the middle of writing leaves no
// note that can not be read. It lies where no session is looked for.
func halfProcessFile(file string) string {
	dir, name := filepath.Split(processFile(file))
	return filepath.Join(filepath.Dir(filepath.Clean(dir)), "."+name)
}

// Runs notes the jail's first process. bwrap's --die-with-parent misses a jail
// that has just been released: one whose ocjail is killed then runs on, and has to
// end before its session can be reviewed.
func (s *Session) Runs(pid int) error {
	if s == nil || s.file == "" {
		return nil
	}
	start, err := startTime(pid)
	if err != nil {
		return err
	}
	half := halfProcessFile(s.file)
	if err := os.WriteFile(half, fmt.Appendf(nil, "%d %s\n", pid, start), 0o600); err != nil {
		return errors.Join(err, remove(half))
	}
	return os.Rename(half, processFile(s.file))
}

// startTime returns when a process was started, in ticks since boot (proc(5)):
// with its number this says which process it is.
func startTime(pid int) (string, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	const field = 22 - 3 // of those behind the name, which is in brackets
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) <= field {
		return "", fmt.Errorf("/proc/%d/stat is cut short", pid)
	}
	return fields[field], nil
}

// endJail ends the jail of a session whose ocjail is gone, and waits for it.
func endJail(file string, r *record) error {
	later, err := now()
	if err != nil || later.Boot != r.Started.Boot {
		return err
	}
	data, err := os.ReadFile(processFile(file))
	if missing(err) {
		return nil // it was not released
	}
	var pid int
	var start string
	if err == nil {
		_, err = fmt.Sscan(string(data), &pid, &start)
	}
	if err != nil {
		return &BrokenError{processFile(file), err}
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	defer unix.Close(fd)
	if at, err := startTime(pid); err != nil || at != start {
		return nil // it has ended, and another has its number
	}
	return end(fd, pid)
}

// end kills a process and waits until it is gone.
func end(fd, pid int) error {
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("end process %d: %w", pid, err)
	}
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10_000)
		switch {
		case n == 1:
			return nil
		case err != nil && !errors.Is(err, unix.EINTR):
			return fmt.Errorf("wait for process %d: %w", pid, err)
		case n == 0 && err == nil:
			return fmt.Errorf("process %d, of a jail whose ocjail was killed, does not end: end it, then try again", pid)
		}
	}
}
