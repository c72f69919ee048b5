// Package place finds the file and line that a finding is to be shown at: the
// combinator's in devenv.nix, the block's in a profile or ocjail.hcl, or the
// nearest that is known. It only reads.
package place

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/manifest/nixfile"
)

// Place is a line of a file.
type Place struct {
	File string // absolute; "" for none
	Line int    // from 1
	// Absent: the file is not there yet, and is where the project would say more.
	Absent bool
}

// Jail is where the configuration of one was written.
type Jail struct {
	Project string // its root, absolute
	File    string // of the profile, manifest or saved argv, absolute; "" for none
	Profile bool   // File is a profile
	// Elsewhere: the jail is of a project that is not here, so that of Project's
	// files only lines count in which the very combinator stands.
	Elsewhere bool
}

// Finder remembers the files that it has parsed. It is safe for concurrent use.
type Finder struct {
	mu    sync.Mutex
	files map[string]*nixfile.File // nil for what can not be read
}

// mostFiles bounds what is remembered: a lint of many projects reads each file once
// in a row.
const mostFiles = 32

// Locate returns where a finding with this origin, which may be nil, is shown, and
// the origin with its line, where that is known to be the very one.
func (f *Finder) Locate(o *finding.Origin, j Jail) (*finding.Origin, Place) {
	if o == nil {
		return nil, f.nearest(j)
	}
	if j.Profile && o.Line > 0 && o.File == filepath.Base(j.File) {
		return o, Place{File: j.File, Line: o.Line}
	}
	if filepath.IsAbs(o.File) && o.Line > 0 { // an ocjail.hcl
		return o, Place{File: o.File, Line: o.Line}
	}
	option, _, _ := strings.Cut(o.Option, "[")
	if strings.HasPrefix(o.File, options) { // the text of an option
		option = o.File
	}
	if !strings.HasPrefix(option, options) {
		return o, f.nearest(j)
	}
	file, entry := written(o, j)
	line, exact := f.line(file, option, entry, o.Combinator)
	if line == 0 || j.Elsewhere && !exact {
		return o, f.nearest(j)
	}
	if exact && entry >= 0 {
		with := *o
		with.Line = line
		o = &with
	}
	return o, Place{File: file, Line: line}
}

// written returns the Nix file that sets the origin's option, and the entry of its
// list, -1 for none: the project's devenv.nix unless the origin names another.
func written(o *finding.Origin, j Jail) (file string, entry int) {
	if !strings.HasSuffix(o.File, ".nix") || strings.Contains(o.File, "'") { // "ocjail's module.nix"
		return filepath.Join(j.Project, "devenv.nix"), -1
	}
	file, entry = o.File, -1
	if !filepath.IsAbs(file) {
		file = filepath.Join(j.Project, file)
	}
	if o.Entry != nil {
		entry = *o.Entry
	}
	return file, entry
}

// options is what the module's begin with.
const options = "programs.opencode."

// nearest is where the jail as a whole comes from: the profile, the module's first
// option, the manifest or argv, and, for one that no file describes, where the
// project would say more of it.
func (f *Finder) nearest(j Jail) Place {
	if j.Profile || j.Elsewhere {
		return Place{File: j.File, Line: 1}
	}
	file := filepath.Join(j.Project, "devenv.nix")
	if line, _ := f.line(file, options+"enable", -1, ""); line > 0 {
		return Place{File: file, Line: line}
	}
	if j.File == "" {
		file = filepath.Join(j.Project, "ocjail.hcl")
		_, err := os.Lstat(file)
		return Place{file, 1, err != nil}
	}
	return Place{File: j.File, Line: 1}
}

func (f *Finder) line(file, option string, entry int, combinator string) (int, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	parsed, known := f.files[file]
	if !known {
		// What can not be read has no lines; the finding stands without.
		if text, err := read(file); err == nil {
			parsed, _ = nixfile.Parse(text)
		}
		if f.files == nil || len(f.files) == mostFiles {
			f.files = map[string]*nixfile.File{}
		}
		f.files[file] = parsed
	}
	if parsed == nil {
		return 0, false
	}
	return parsed.Line(option, entry, combinator)
}

// maxFile bounds what is read of a Nix file.
const maxFile = 1 << 20

func read(file string) ([]byte, error) {
	h, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	if st, err := h.Stat(); err != nil || !st.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%s is no regular file", file), err)
	}
	text, err := io.ReadAll(io.LimitReader(h, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s is larger than %d MiB", file, maxFile>>20)
	}
	return text, err
}
