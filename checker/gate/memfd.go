package gate

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// maxData bounds what is read from one descriptor: the options of --args, a
// file of --file or a seccomp filter.
const maxData = 64 << 20

// sealed returns a memory file with content that nobody can change any more, at
// offset 0 and closed on exec.
func sealed(name string, content []byte) (*os.File, error) {
	f, err := unsealed(name)
	if err != nil {
		return nil, err
	}
	if err := seal(f, content); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// unsealed returns an empty memory file, closed on exec, for seal.
func unsealed(name string) (*os.File, error) {
	n, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("memfd for %s: %w", name, err)
	}
	return os.NewFile(uintptr(n), name), nil
}

// seal gives f its content, for good. The offset stays 0, for who holds f already and
// shares it.
func seal(f *os.File, content []byte) error {
	const all = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	_, err := f.WriteAt(content, 0)
	if err == nil {
		_, err = unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, all)
	}
	if err != nil {
		return fmt.Errorf("memfd for %s: %w", f.Name(), err)
	}
	return nil
}

// readDescriptor returns what an inherited descriptor still holds. A seekable
// one is read at its offset without moving it, for it may be shared.
func readDescriptor(n int) ([]byte, error) {
	at, err := unix.Seek(n, 0, io.SeekCurrent)
	if errors.Is(err, unix.ESPIPE) {
		return readAll(func(b []byte, _ int64) (int, error) { return unix.Read(n, b) }, 0)
	}
	if err != nil {
		return nil, err
	}
	return readAll(func(b []byte, off int64) (int, error) { return unix.Pread(n, b, off) }, at)
}

func readAll(read func([]byte, int64) (int, error), at int64) ([]byte, error) {
	var data []byte
	buf := make([]byte, 64<<10)
	for {
		n, err := read(buf, at)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, err
		case n == 0:
			return data, nil
		}
		data, at = append(data, buf[:n]...), at+int64(n)
		if len(data) > maxData {
			return nil, fmt.Errorf("more than %d MiB", maxData>>20)
		}
	}
}
