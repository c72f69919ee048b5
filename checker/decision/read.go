package decision

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/octets"
)

// maxLine bounds a line: one with every rule's id has a few KiB.
const maxLine = 1 << 20

// LineError is a line of the log that can not be read; what is around it can.
type LineError struct {
	File string
	Line int
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err) }

func (e *LineError) Unwrap() error { return e.Err }

// Entry is a decision, with its line as it stands in the log.
type Entry struct {
	Decision
	Line []byte
}

// Read calls each with every decision, the oldest first, and broken with every line
// that is none. Both may end it by an error.
func (l Log) Read(each func(Entry) error, broken func(error) error) error {
	r := reader{each: each, broken: broken}
	defer r.close()
	for {
		next, err := l.after(r.file) // by its inode: a rotation may come in between
		if next == nil || err != nil {
			return err
		}
		r.close()
		r.start(next)
		if err := r.drain(true); err != nil {
			return err
		}
	}
}

func (l Log) openOld(n int) (*os.File, error) {
	f, err := os.OpenFile(l.file(n), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%s is no regular file: remove it", l.file(n)), err, f.Close())
	}
	return f, nil
}

// pause is how long Follow waits before it looks again.
const pause = 200 * time.Millisecond

// Follow is Read that goes on with what is written meanwhile, across rotations,
// until ctx ends.
func (l Log) Follow(ctx context.Context, each func(Entry) error, broken func(error) error) error {
	r := reader{each: each, broken: broken}
	defer r.close()
	for {
		if err := r.drain(false); err != nil {
			return err
		}
		next, err := l.after(r.file)
		if err != nil {
			return err
		}
		if next != nil {
			if r.file != nil {
				sleep(ctx) // who opened the old file before may write to it still
				if err := r.drain(true); err != nil {
					return err
				}
			}
			r.close()
			r.start(next)
			continue
		}
		if sleep(ctx); ctx.Err() != nil {
			return nil
		}
	}
}

func sleep(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
}

// after returns the file that was begun after f, the oldest for nil; nil where there
// is none yet. If f is gone, the oldest that is left goes on.
func (l Log) after(f *os.File) (*os.File, error) {
	at := Kept + 1
	if f != nil {
		mine, err := f.Stat()
		if err != nil {
			return nil, err
		}
		for n := Kept; n >= 0; n-- {
			if st, err := os.Lstat(l.file(n)); err == nil && os.SameFile(mine, st) {
				at = n
			}
		}
	}
	for n := at - 1; n >= 0; n-- {
		next, err := l.openOld(n)
		if !errors.Is(err, fs.ErrNotExist) {
			return next, err
		}
	}
	return nil, nil
}

// reader cuts one file after the other into lines.
type reader struct {
	each   func(Entry) error
	broken func(error) error
	file   *os.File
	text   *bufio.Reader
	part   []byte // of a line that has no end yet
	long   bool   // the part was too long to be kept
	line   int
}

func (r *reader) start(f *os.File) {
	r.file, r.text, r.part, r.long, r.line = f, bufio.NewReaderSize(f, 64<<10), nil, false, 0
}

func (r *reader) close() {
	if r.file != nil {
		_ = r.file.Close() // it was only read
		r.file = nil
	}
}

// drain reads what there is. An end without a line break is a line only if the file
// is complete.
func (r *reader) drain(complete bool) error {
	for r.file != nil {
		piece, err := r.text.ReadSlice('\n')
		if r.long = r.long || len(r.part)+len(piece) > maxLine; !r.long {
			r.part = append(r.part, piece...)
		}
		switch {
		case err == nil:
			err = r.take()
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && complete && len(r.part) > 0:
			return r.take()
		case errors.Is(err, io.EOF):
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// take is a line's end.
func (r *reader) take() error {
	line, long := bytes.TrimRight(r.part, "\n"), r.long
	r.part, r.long = nil, false
	r.line++
	var e Entry
	err := fmt.Errorf("longer than %d bytes", maxLine)
	switch {
	case !long && len(line) == 0:
		return nil
	case !long:
		err = octets.Unmarshal(line, &e.Decision)
	}
	if err == nil && (e.Verdict == "" || e.Time.IsZero()) {
		err = errors.New("it is no decision")
	}
	if err != nil {
		return r.broken(&LineError{r.file.Name(), r.line, err})
	}
	e.Line = line
	return r.each(e)
}
