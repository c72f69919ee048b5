package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
)

// isFile tells who means a bundle that is elsewhere how to have it here.
func isFile(name string) error {
	if bundle.IsSource(name) {
		return errors.New("name a bundle's file: ocjail bundle pull fetches what a source has, and keeps it (its help says where)")
	}
	return nil
}

// readBundle reads a bundle's file.
func readBundle(name string) ([]byte, error) {
	if err := isFile(name); err != nil {
		return nil, err
	}
	return readMost(name, bundle.MaxArchive)
}

// readMost reads a regular file of at most so many bytes.
func readMost(name string, most int64) (text []byte, err error) {
	f, err := os.Open(filepath.Clean(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", name)
	}
	text, err = io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s has more than %d KiB: this is no file of that kind", name, most>>10)
	}
	return text, errors.Join(err)
}
