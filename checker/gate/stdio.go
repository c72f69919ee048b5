package gate

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// stdio is what the jail gets as descriptors 0, 1 and 2. A program can open its
// own descriptors again through /proc/self/fd, with other access than they were
// given: a directory leads to the host's tree, and a regular file that was only
// to be read can be written. So directories are refused, and regular files
// reach the jail as pipes.
type stdio struct {
	files  [3]*os.File
	opened []*os.File // ours to close once the jail has them
	pumps  []chan error
	input  *os.File // our end of a piped standard input
}

var inherited = [3]*os.File{os.Stdin, os.Stdout, os.Stderr}

var stdioNames = [3]string{"standard input", "standard output", "standard error"}

// drainLimit is how long output that was written before the command ended may
// take to arrive; it ends earlier when all writers are gone.
const drainLimit = 10 * time.Second

// newStdio judges descriptors 0 to 2. Those in consumed were read by bwrap's
// options and are replaced by /dev/null.
func newStdio(consumed map[int]bool) (*stdio, error) {
	s := &stdio{}
	var stats [3]unix.Stat_t
	for n := range s.files {
		err := unix.Fstat(n, &stats[n])
		if consumed[n] || errors.Is(err, unix.EBADF) {
			if err := s.null(n); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", stdioNames[n], err)
		}
		if err := s.take(n, &stats); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	return s, nil
}

func (s *stdio) null(n int) error {
	f, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", stdioNames[n], err)
	}
	s.files[n] = f
	s.opened = append(s.opened, f)
	return nil
}

func (s *stdio) take(n int, stats *[3]unix.Stat_t) error {
	st := &stats[n]
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return fmt.Errorf("%s is a directory: from it the jail could reach the host's files through /proc/self/fd/%d; use </dev/null", stdioNames[n], n)
	case unix.S_IFBLK:
		return fmt.Errorf("%s is a block device, which the jail could read and write as a whole; use a pipe", stdioNames[n])
	case unix.S_IFREG:
		if n == 2 && s.pumps != nil && stats[1].Dev == st.Dev && stats[1].Ino == st.Ino {
			s.files[2] = s.files[1]
			return nil
		}
		return s.pipe(n)
	case unix.S_IFCHR:
		if !harmlessDevice(st.Rdev) {
			return fmt.Errorf("%s is the device %d:%d, which the jail could open again; use a pipe", stdioNames[n], unix.Major(st.Rdev), unix.Minor(st.Rdev))
		}
	case unix.S_IFIFO, unix.S_IFSOCK:
	default: // an anonymous inode, such as a namespace's or an io_uring's; a link opened with O_PATH
		return fmt.Errorf("%s is neither a file, a pipe, a socket nor a terminal, so what the jail could do with it can not be told; use a pipe", stdioNames[n])
	}
	s.files[n] = inherited[n]
	return nil
}

// harmlessDevice: null, zero, full, random and urandom, and terminals
// (Documentation/admin-guide/devices.txt of Linux).
func harmlessDevice(rdev uint64) bool {
	switch major, minor := unix.Major(rdev), unix.Minor(rdev); {
	case major == 1:
		return minor == 3 || minor == 5 || minor >= 7 && minor <= 9
	case major == 4, major == 5, major >= 136 && major <= 143, major == 229, major == 204, major == 188:
		return true
	}
	return false
}

// pipe puts a pipe between the jail and a regular file.
func (s *stdio) pipe(n int) error {
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("%s: %w", stdioNames[n], err)
	}
	host := inherited[n]
	if n == 0 {
		s.files[0], s.input = r, w
		s.opened = append(s.opened, r)
		go func() {
			// A jail that stops reading ends this with EPIPE, as it would end cat.
			_, _ = io.Copy(w, host)
			_ = w.Close()
		}()
		return nil
	}
	s.files[n] = w
	s.opened = append(s.opened, w)
	done := make(chan error, 1)
	s.pumps = append(s.pumps, done)
	go func() {
		_, err := io.Copy(host, r)
		done <- errors.Join(err, r.Close())
	}()
	return nil
}

// close closes what only the jail needs now.
func (s *stdio) close() error {
	var errs []error
	for _, f := range s.opened {
		errs = append(errs, f.Close())
	}
	s.opened = nil
	return errors.Join(errs...)
}

// drain waits until what the jail wrote has reached the files. A second call
// does nothing.
func (s *stdio) drain() error {
	pumps := s.pumps
	s.pumps = nil
	limit := time.After(drainLimit)
	var errs []error
	for _, done := range pumps {
		select {
		case err := <-done:
			errs = append(errs, err)
		case <-limit:
			return errors.New("output is still held open by a process that outlived the command: what it writes from now on is lost")
		}
	}
	return errors.Join(errs...)
}
