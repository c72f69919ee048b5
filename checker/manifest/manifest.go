// Package manifest reads what the Nix module says of a jail: the resolved
// combinators and where each of them was written. A manifest explains findings;
// it never permits anything.
package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/bus"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Version is the version of the format that this package reads, described by
// nix/manifest.schema.json.
const Version = 1

// maxSize bounds a manifest; the default jail's has 40 KiB.
const maxSize = 16 << 20

// Manifest is one jail as Nix evaluated it.
type Manifest struct {
	File    string
	Name    string // of the jail
	Project string // root of the project, absolute; "" when it is not known
	// Policy is what the project's options say of the check.
	Policy  config.Options
	origins map[string]finding.Origin
	script  script
	// busNames are those of the dbus combinators.
	busNames []bus.Name
}

// script is the wrapper of jail.nix, as bash text.
type script struct {
	Cmd, Runtime []piece
	Entry, Argv  string
}

// piece is a part of the wrapper, and the ID of the element that wrote it.
type piece struct{ ID, Text string }

// Load reads a manifest file, which must be regular. Errors name the file.
func Load(file string) (*Manifest, error) {
	data, err := read(file)
	if err == nil {
		var m *Manifest
		if m, err = Parse(data); err == nil {
			m.File = file
			return m, nil
		}
	}
	return nil, fmt.Errorf("manifest %s: %w; enter the devenv shell again", file, err)
}

func read(file string) ([]byte, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return nil, errors.Join(errors.New("is no regular file"), err)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err == nil && len(data) > maxSize {
		err = fmt.Errorf("is larger than %d MiB", maxSize>>20)
	}
	return data, err
}

// element is a combinator of the list; children are those that it applied.
type element struct {
	ID         string
	Combinator *string
	Origin     struct {
		Option, File string
		Entry        *int
	}
	Args     []argument
	Children []element
}

// Parse reads a manifest's JSON.
func Parse(data []byte) (*Manifest, error) {
	var raw struct {
		Version       int
		Name, Project string
		Policy        config.Options
		Elements      []element
		Script        script
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&raw); err != nil {
		return nil, err
	}
	if raw.Version != Version {
		return nil, fmt.Errorf("has version %d, and this ocjail reads %d: use the module and the ocjail of one release", raw.Version, Version)
	}
	if raw.Project != "" && !filepath.IsAbs(raw.Project) {
		return nil, fmt.Errorf("names the relative project root %q", raw.Project)
	}
	m := &Manifest{Name: raw.Name, Project: raw.Project, Policy: raw.Policy, origins: map[string]finding.Origin{}, script: raw.Script}
	m.busNames = busNames(raw.Elements)
	for _, e := range raw.Elements {
		m.add(e, e)
	}
	return m, nil
}

// add notes where e was written, which for a part is where its whole was.
func (m *Manifest) add(e, whole element) {
	o := finding.Origin{Option: whole.ID, File: whole.Origin.File, Entry: whole.Origin.Entry}
	if e.Combinator != nil {
		o.Combinator = *e.Combinator
	}
	m.origins[e.ID] = o
	for _, c := range e.Children {
		m.add(c, whole)
	}
}

// Origin returns where the combinator with that ID was written; ok is false when
// the manifest has none.
func (m *Manifest) Origin(id string) (o finding.Origin, ok bool) {
	if m == nil {
		return o, false
	}
	o, ok = m.origins[id]
	return o, ok
}

// JailName names the jail that starts command: the manifest's own, or that of a
// helper which the same wrapper starts in a jail beside it, as xdg-dbus-proxy. It
// is "" without a manifest.
func (m *Manifest) JailName(command []string) string {
	if m == nil || m.Name == "" || len(command) == 0 {
		return ""
	}
	// jail.nix leaves a store path as it is; what quotes and variables say is not guessed at.
	entry := m.script.Entry
	if entry == command[0] || strings.ContainsAny(entry, "'\"$\\ ") {
		return m.Name
	}
	return m.Name + "/" + path.Base(command[0])
}
