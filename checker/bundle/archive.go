package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"time"
)

// MaxArchive bounds an archive, in bytes.
const MaxArchive = 8 << 20

// Bounds of what is in an archive. All rules together may have as much at a launch
// (package engine).
const (
	maxFiles    = 2000
	maxExpanded = 16 << 20 // bytes
	// An archive may expand by this factor, or to 1 MiB: tables of paths shrink to a
	// thirtieth, what shrinks to a thousandth is made to harm.
	maxRatio     = 200
	freeExpanded = 1 << 20
)

// unpack reads the files of an archive, within the bounds.
func unpack(archive []byte) (map[string][]byte, error) {
	if len(archive) > MaxArchive {
		return nil, refuse(ErrTooLarge, "it has more than %d MiB: build it from the rules alone", MaxArchive>>20)
	}
	compressed := bytes.NewReader(archive)
	zipped, err := gzip.NewReader(compressed)
	if err != nil {
		return nil, broken(err)
	}
	zipped.Multistream(false)
	most := min(maxExpanded, max(freeExpanded, maxRatio*len(archive)))
	u := unpacking{files: map[string][]byte{}, in: &bounded{r: zipped, left: most + maxFiles*3*tarBlock, most: most}}
	u.tar = tar.NewReader(u.in)
	for {
		header, err := u.tar.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, broken(err)
		}
		if err := u.add(header); err != nil {
			return nil, err
		}
	}
	if err := u.ended(compressed); err != nil {
		return nil, err
	}
	return u.files, u.tree()
}

const tarBlock = 512

type unpacking struct {
	files map[string][]byte
	in    *bounded
	tar   *tar.Reader
}

// add reads one file.
func (u *unpacking) add(h *tar.Header) error {
	if why := badName(h.Name); why != "" {
		return refuse(ErrMalformed, "the path %.100q in it %s: do not use it, and tell its publisher", h.Name, why)
	}
	// archive/tar takes a sparse file for a regular one that has a PAX record.
	if h.Typeflag != tar.TypeReg || len(h.PAXRecords) > 0 {
		return refuse(ErrMalformed, "%s in it is no regular file but of type %q: build it with ocjail bundle build", h.Name, h.Typeflag)
	}
	if _, twice := u.files[h.Name]; twice {
		return refuse(ErrMalformed, "%s is in it twice: do not use it, and tell its publisher", h.Name)
	}
	if len(u.files) == maxFiles {
		return refuse(ErrTooLarge, "it holds more than %d files: build it from the rules alone", maxFiles)
	}
	if h.Size > int64(u.in.left) {
		return u.in.full()
	}
	text := make([]byte, h.Size)
	if _, err := io.ReadFull(u.tar, text); err != nil {
		return broken(err)
	}
	u.files[h.Name] = text
	return nil
}

// ended makes sure that nothing comes after the archive, where another reader might
// find more.
func (u *unpacking) ended(compressed *bytes.Reader) error {
	rest, err := io.ReadAll(u.in)
	if err != nil {
		return broken(err)
	}
	if compressed.Len() > 0 || len(bytes.Trim(rest, "\x00")) > 0 {
		return refuse(ErrMalformed, "something follows the end of the archive: do not use it, and tell its publisher")
	}
	return nil
}

// tree refuses a file that is another's folder.
func (u *unpacking) tree() error {
	for name := range u.files {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if _, ok := u.files[dir]; ok {
				return refuse(ErrMalformed, "%s in it is a file, and the folder of %s: do not use it, and tell its publisher", dir, name)
			}
		}
	}
	return nil
}

// bounded reads no more than its bound, and then errs.
type bounded struct {
	r          io.Reader
	left, most int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, b.full()
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

func (b *bounded) full() error {
	return refuse(ErrTooLarge, "it expands to more than %d KiB: do not use it, or build it from the rules alone", b.most>>10)
}

// broken is what an archive's reader says, unless it is ours already.
func broken(err error) error {
	var r *refusal
	if errors.As(err, &r) {
		return err
	}
	return refuse(ErrNoArchive, "it is no archive that can be read (%v): get it anew", err)
}

// pack writes an archive. Equal files and times give equal bytes.
func pack(files map[string][]byte, at time.Time) ([]byte, error) {
	var out bytes.Buffer
	zipped, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(zipped)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if why := badName(name); why != "" {
			return nil, refuse(ErrMalformed, "the path %q %s: rename it", name, why)
		}
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(files[name])), Mode: 0o644, ModTime: at, Format: tar.FormatUSTAR}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("pack %s: %w", name, err)
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, fmt.Errorf("pack %s: %w", name, err)
		}
	}
	if err := errors.Join(w.Close(), zipped.Close()); err != nil {
		return nil, err
	}
	// What no launch would read must not be written.
	_, err = unpack(out.Bytes())
	return out.Bytes(), err
}
