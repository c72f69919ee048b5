package engine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Folder is the tree of files below dir, out of which links may lead. What is neither a
// file nor a folder there cannot be opened; see [Regular].
func Folder(dir string) fs.FS { return regular{folder(dir)} }

// Regular is fsys, which must not wait to open a FIFO (O_NONBLOCK in open(2)), without
// what is neither a file nor a folder: a pipe would be waited for, and a device may have
// no end.
func Regular(fsys fs.FS) fs.FS { return regular{fsys} }

type folder string

func (d folder) Open(name string) (fs.File, error) {
	return os.OpenFile(filepath.Join(string(d), filepath.FromSlash(name)), os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

type regular struct{ fs.FS }

var errSpecial = errors.New("is neither a file nor a folder: remove it, or keep it elsewhere")

func (r regular) Open(name string) (fs.File, error) {
	f, err := r.FS.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: errSpecial}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
