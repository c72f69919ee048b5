package decision

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/octets"
)

// Bounds of the log: a file of MaxSize bytes or more becomes FileName.1, that
// FileName.2, and so on to FileName.Kept; what was that is gone.
const (
	FileName = "decisions.jsonl"
	MaxSize  = 4 << 20
	Kept     = 4
)

// Log is the log below ocjail's state folder.
type Log struct{ dir string }

// At returns the log in a state folder, which need not be there.
func At(state string) Log { return Log{state} }

func (l Log) file(n int) string {
	name := filepath.Join(l.dir, FileName)
	if n > 0 {
		name += "." + strconv.Itoa(n)
	}
	return name
}

// Append writes d, and makes the folder and the file, the user's alone. One write
// to a file opened for appending is whole, also with others at work; what a full
// disk cut off before gets a line of its own.
func (l Log) Append(d Decision) error {
	line, err := octets.Marshal(d)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return err
	}
	f, size, err := l.open()
	if err != nil {
		return err
	}
	if size >= MaxSize {
		err := f.Close()
		l.rotate()
		if f, size, err = reopened(l, err); err != nil {
			return err
		}
	}
	line = append(line, '\n')
	if last := []byte{0}; size > 0 {
		if _, err := f.ReadAt(last, size-1); err == nil && last[0] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
	}
	if _, err := f.Write(line); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", l.file(0), err), f.Close())
	}
	return f.Close()
}

func reopened(l Log, before error) (*os.File, int64, error) {
	if before != nil {
		return nil, 0, before
	}
	return l.open()
}

func (l Log) open() (*os.File, int64, error) {
	file := l.file(0)
	f, err := os.OpenFile(file, os.O_RDWR|os.O_APPEND|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, 0, err
	}
	st, err := f.Stat()
	switch {
	case err != nil || !st.Mode().IsRegular():
		err = errors.Join(fmt.Errorf("%s is no regular file: remove it", file), err)
	case st.Mode().Perm()&0o022 != 0:
		err = fmt.Errorf("others can write %s (mode %04o), and take lines away: chmod go-w on it", file, st.Mode().Perm())
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, st.Size(), nil
}

// rotate puts the log aside, unless another process is at it. Killed half-way it
// leaves a number free, which readers pass over. That it fails is no reason to lose
// a line: the log then grows on.
func (l Log) rotate() {
	lock, err := os.OpenFile(filepath.Join(l.dir, FileName+".lock"), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return
	}
	defer func() { _ = lock.Close() }() // unlocks; nothing was written
	if unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return
	}
	if st, err := os.Lstat(l.file(0)); err != nil || st.Size() < MaxSize {
		return // another process has done it
	}
	for n := Kept - 1; n >= 0; n-- {
		if err := os.Rename(l.file(n), l.file(n+1)); err != nil && !os.IsNotExist(err) {
			return
		}
	}
}
