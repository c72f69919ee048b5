// Package hclfile reads the HCL files that people write for ocjail: safely
// opened, literals only, with diagnostics that name a place and never show
// the file's text, for a file named by mistake may hold a secret.
package hclfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// MaxBytes is the size above which a file is refused: no honest one comes near.
const MaxBytes = 1 << 20

// Read returns the content of path and what fstat(2) says of it. The last
// component must be a regular file, not a symbolic link, of at most MaxBytes;
// O_NONBLOCK keeps a FIFO in its place from blocking the launch. An absent
// file's error matches fs.ErrNotExist.
func Read(path string) ([]byte, os.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil, nil, fmt.Errorf("%s is a symbolic link: name the file it points to", Escape(path))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("cannot open %s: %w", Escape(path), cause(err))
	}
	defer func() { _ = f.Close() }() // only read: nothing is lost
	info, err := f.Stat()
	if err != nil {
		return nil, nil, fmt.Errorf("cannot inspect %s: %w", Escape(path), cause(err))
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s is not a regular file: name one", Escape(path))
	}
	src, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read %s: %w", Escape(path), cause(err))
	}
	if len(src) > MaxBytes {
		return nil, nil, fmt.Errorf("%s is larger than 1 MiB: this is no file of ocjail's", Escape(path))
	}
	return src, info, nil
}

// cause drops the path from a *fs.PathError: the caller's message has it, escaped.
func cause(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}
