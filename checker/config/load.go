package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// OrganisationFile is where an organisation's configuration lies.
const OrganisationFile = "/etc/ocjail/ocjail.hcl"

// Place is where a layer's file lies.
type Place struct {
	Layer    Layer
	Path     string
	Optional bool // it may be absent
	// Around is the root of the project for which that of one above it is read; ""
	// for others. Both paths are without symbolic links then.
	Around string
}

// Load reads the files at places. A file must be regular and at most 1 MiB. An
// organisation's must belong to root, a user's to root or that user, and nobody
// else may be able to write it or to put another in its place, which a group that
// [Owners.Alone] knows is not; it may be a link,
// as NixOS makes them, that leads somewhere. A project's, or that of one around it, can be anybody's, and no
// link. An absent file's error matches fs.ErrNotExist; an error in its text is an
// hclfile.Diagnostics. What is asked of a file is asked of its lock.
func (o Owners) Load(places ...Place) ([]*File, error) {
	var files []*File
	for _, p := range places {
		f, err := o.load(p)
		if p.Optional && errors.Is(err, fs.ErrNotExist) {
			if err = absent(p.Path); err == nil {
				continue
			}
		}
		if err == nil { // apart from the above: a lock that leads nowhere is no file that is absent
			err = f.lock(func(name string) ([]byte, string, error) { return o.read(Place{Layer: p.Layer, Path: name}) })
		}
		if err != nil {
			return nil, fmt.Errorf("configuration: %w", err)
		}
		files = append(files, f)
	}
	return files, nil
}

func (o Owners) load(p Place) (*File, error) {
	src, real, err := o.read(p)
	if err != nil {
		return nil, err
	}
	f, err := Parse(p.Layer, p.Path, src)
	if err != nil {
		return nil, err
	}
	if f.Path, err = filepath.Abs(p.Path); err != nil {
		return nil, err
	}
	f.place(filepath.Dir(real))
	f.real = real
	if p.Around != "" {
		err = f.Around(filepath.Dir(real), p.Around)
	}
	return f, err
}

// read reads a file that has the trust of its layer, and tells where it really is.
func (o Owners) read(p Place) (src []byte, real string, err error) {
	real = p.Path
	if !p.Layer.Untrusted() {
		if real, err = filepath.EvalSymlinks(p.Path); err != nil {
			return nil, "", fmt.Errorf("cannot open %s: %w", hclfile.Escape(p.Path), cause(err))
		}
	}
	if real, err = filepath.Abs(real); err != nil {
		return nil, "", err
	}
	src, info, err := hclfile.Read(real)
	if err == nil && !p.Layer.Untrusted() {
		err = o.check(p, real, info)
	}
	return src, real, err
}

// Trusted tells why a file is not as much out of others' hands as one of the
// layer's configuration must be.
func (o Owners) Trusted(l Layer, name string) error {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return fmt.Errorf("cannot open %s: %w", hclfile.Escape(name), cause(err))
	}
	info, err := os.Stat(real)
	if err != nil {
		return fmt.Errorf("cannot inspect %s: %w", hclfile.Escape(name), cause(err))
	}
	return o.check(Place{Layer: l, Path: name}, real, info)
}

// LoadUntrusted reads a file as one of a layer, whoever can write it: to check
// its text, and for nothing else.
func LoadUntrusted(l Layer, name string) (*File, error) {
	src, _, err := hclfile.Read(name)
	if err != nil {
		return nil, err
	}
	f, err := Parse(l, name, src)
	if err != nil {
		return nil, err
	}
	if f.Path, err = filepath.Abs(name); err != nil {
		return nil, err
	}
	f.real = f.Path
	f.place(filepath.Dir(f.Path))
	return f, f.lock(func(name string) ([]byte, string, error) {
		src, _, err := hclfile.Read(name)
		return src, name, err
	})
}

// place makes the relative paths of a trusted file's sources absolute.
func (f *File) place(dir string) {
	for i := range f.Policies {
		f.Policies[i].from(dir)
	}
}

func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
