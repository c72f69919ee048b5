package host

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// read returns the contents of the regular file that path leads to, at most
// limit bytes. Its error is [fs.ErrNotExist] when nothing is there, else it
// wraps [sandbox.ErrUnknown].
func (f *FS) read(path string, limit int64) ([]byte, error) {
	real, err := f.RealPath(path)
	if err != nil {
		return nil, err
	}
	if real.Stat.Type != sandbox.Regular {
		return nil, fmt.Errorf("read %s: %w: it is a %s, not a regular file", path, sandbox.ErrUnknown, real.Stat.Type)
	}
	data, err := readRegular(f.disk, real, limit)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w: %w", path, sandbox.ErrUnknown, err)
	}
	return data, nil
}

// readRegular opens without following a link and without waiting for a FIFO's
// writer, and reads only what was looked up: another file there by now is an
// error. The os package would add four system calls for its poller.
func readRegular(d Disk, real Real, limit int64) ([]byte, error) {
	if text, ok := savedContent(d, real.Path); ok {
		return text, nil
	}
	fd, err := d.Open(real.Path, 0)
	if err != nil {
		return nil, err
	}
	defer closeFile(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if toStat(&st).ID() != real.Stat.ID() {
		return nil, errors.New("it was replaced meanwhile: start again")
	}
	if st.Size > limit {
		return nil, fmt.Errorf("it has %d bytes, more than %d", st.Size, limit)
	}
	return readAll(fd, st.Size, limit)
}

// readProc reads a file that the kernel makes up, whose size says nothing.
func readProc(path string, limit int64) ([]byte, error) { return readMade(Local(), path, limit) }

// readMade is readProc on another machine.
func readMade(d Disk, path string, limit int64) ([]byte, error) {
	if text, ok := savedContent(d, path); ok {
		return text, nil
	}
	fd, err := d.Open(path, 0)
	if err != nil {
		return nil, lookupError(path, err)
	}
	defer closeFile(fd)
	data, err := readAll(fd, min(16<<10, limit), limit)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w: %w", path, sandbox.ErrUnknown, err)
	}
	return data, nil
}

func open(path string, more int) (int, error) {
	const flags = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC
	for {
		fd, err := unix.Open(path, flags|more, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// closeFile closes what was only read, for which failing loses nothing.
func closeFile(fd int) { _ = unix.Close(fd) }

// readAll reads fd to its end into a buffer that grows from size.
func readAll(fd int, size, limit int64) ([]byte, error) {
	buf := make([]byte, 0, size+1)
	for {
		n, err := unix.Read(fd, buf[len(buf):cap(buf)])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, err
		case n == 0:
			return buf, nil
		}
		buf = buf[:len(buf)+n]
		if int64(len(buf)) > limit {
			return nil, fmt.Errorf("it has more than %d bytes: %w", limit, io.ErrShortBuffer)
		}
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
	}
}
