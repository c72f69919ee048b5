package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/report"
)

// outputs are the reports of a lint: one on standard output, and files.
type outputs struct {
	options report.LintOptions
	stdout  io.Writer
	format  string        // of stdout
	pipe    *bufio.Writer // to stdout
	files   []*outputFile
	writers []report.Lint
}

// outputFile is a report that takes its place when it is whole: what is cut short
// must not be taken for a report, and a link in its place is not followed.
type outputFile struct {
	format, name string
	temporary    string // "" for a device or a pipe, which is written as it is
	file         *os.File
	buffer       *bufio.Writer
}

// parse reads FORMAT:FILE.
func (o *outputs) parse(words []string) error {
	for _, w := range words {
		format, name, ok := strings.Cut(w, ":")
		if !ok || !slices.Contains(report.LintFormats, format) {
			return fmt.Errorf("--output %q: write FORMAT:FILE, with a format of %s", w, strings.Join(report.LintFormats, ", "))
		}
		if name == "" || name == "-" {
			return fmt.Errorf("--output %q: name a file; standard output gets what --format says", w)
		}
		name = filepath.Clean(name)
		if slices.ContainsFunc(o.files, func(f *outputFile) bool { return f.name == name }) {
			return fmt.Errorf("--output: two reports go to %s", name)
		}
		o.files = append(o.files, &outputFile{format: format, name: name})
	}
	return nil
}

// open makes the files, so that a folder that can not be written is known before
// anything is judged.
func (o *outputs) open() error {
	o.options.Style = report.StyleOf(o.stdout)
	o.pipe = bufio.NewWriterSize(o.stdout, 64<<10)
	w, err := report.NewLint(o.format, o.pipe, o.options)
	if err != nil {
		return err
	}
	o.writers = []report.Lint{w}
	plain := o.options
	plain.Style = report.Style{}
	for _, f := range o.files {
		if err := f.open(); err != nil {
			return fmt.Errorf("--output: %w", err)
		}
		if w, err = report.NewLint(f.format, f.buffer, plain); err != nil {
			return err
		}
		o.writers = append(o.writers, w)
	}
	return nil
}

func (f *outputFile) open() error {
	st, err := os.Lstat(f.name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	name, flags := f.name, os.O_WRONLY
	switch {
	case err == nil && st.IsDir():
		return fmt.Errorf("%s is a folder", f.name)
	case err != nil || st.Mode().IsRegular() || st.Mode()&os.ModeSymlink != 0:
		f.temporary = fmt.Sprintf("%s.%08x.part", f.name, rand.Uint32()) // of no other lint
		name, flags = f.temporary, flags|os.O_CREATE|os.O_EXCL
	}
	if f.file, err = os.OpenFile(name, flags, 0o666); err != nil {
		f.temporary = "" // is not ours
		return unwritable(f.name, err)
	}
	f.buffer = bufio.NewWriterSize(f.file, 64<<10)
	return nil
}

// target reports one, everywhere.
func (o *outputs) target(t *report.Target) error {
	for _, w := range o.writers {
		if err := w.Target(t); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	return o.flush()
}

func (o *outputs) flush() error {
	if err := o.pipe.Flush(); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// close ends the reports and puts the files in their places.
func (o *outputs) close(s report.Summary) error {
	for _, w := range o.writers {
		if err := w.Close(s); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	if err := o.flush(); err != nil {
		return err
	}
	for _, f := range o.files {
		if err := f.close(); err != nil {
			return fmt.Errorf("--output: %w", err)
		}
	}
	return nil
}

// close puts the file in its place.
func (f *outputFile) close() error {
	if err := errors.Join(f.buffer.Flush(), f.file.Close()); err != nil || f.temporary == "" {
		return err
	}
	if err := os.Rename(f.temporary, f.name); err != nil {
		return err
	}
	f.temporary = ""
	return nil
}

// discard takes away what is not whole.
func (f *outputFile) discard() {
	if f.temporary != "" {
		_ = os.Remove(f.temporary) // it is nobody's report
	}
}

func (o *outputs) discard() {
	for _, f := range o.files {
		f.discard()
	}
}
