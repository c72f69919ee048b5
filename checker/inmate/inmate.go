// Package inmate is what ocjail tells the program in a jail of that jail: a
// description for programs, and a text for the model behind an agent. Neither
// holds a value of a variable, nor a path that the jail does not see.
package inmate

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/notation"
	"github.com/refnil/opencode-jail-devenv/checker/octets"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Description is what a jail may reach, as the file checker.InmateDescription
// holds it. Paths are those in the jail.
type Description struct {
	Version int    `json:"version"` // 1
	Name    string `json:"name"`    // of the jail
	Home    string `json:"home"`
	Project string `json:"project"`
	// Network is "shared" with the host, or "none".
	Network string `json:"network"`
	// Written is how the jail is written: "add" (a profile, to which one adds with
	// --add), "nix" (combinators in devenv.nix) or "bwrap".
	Written   string     `json:"written"`
	Mounts    []Mount    `json:"mounts"`    // visible ones, by path; the longest that a path lies in decides
	Variables []Variable `json:"variables"` // by name
}

// Mount is a part of the jail's file system.
type Mount struct {
	Path   string `json:"path"`
	Access string `json:"access"`          // "rw", "ro", "dev", "scratch" or "proc": see sandbox.Access
	From   string `json:"from,omitempty"`  // the option that asked for it, or where that was written
	Added  string `json:"added,omitempty"` // why ocjail put it in; "" when it was asked for
}

// Variable is one of the environment, without its value.
type Variable struct {
	Name string `json:"name"`
	From string `json:"from,omitempty"`
}

var written = map[notation.Notation]string{notation.Add: "add", notation.Nix: "nix", notation.Bwrap: "bwrap"}

// Describe describes j, whose mounts are simulated already.
func Describe(j *checker.Jail) *Description {
	d := &Description{
		Version: 1, Name: j.Name, Home: j.Facts.Home, Project: j.Facts.ProjectRoot, Network: "none",
		Written: written[j.Notation()], Mounts: []Mount{}, Variables: []Variable{},
	}
	if j.Sandbox.Namespaces()["net"] == "shared" {
		d.Network = "shared"
	}
	for _, l := range j.Tree.InJail() {
		if l.HiddenBy != nil {
			continue
		}
		m := Mount{Path: l.Point, Access: string(l.Access())}
		if l.Option >= 0 {
			o := j.Sandbox.Options[l.Option]
			m.Added, m.From = o.Added, j.Written(o.Origin)
			if m.From == "" {
				m.From = o.Name
			}
		}
		d.Mounts = append(d.Mounts, m)
	}
	slices.SortStableFunc(d.Mounts, func(a, b Mount) int { return strings.Compare(a.Path, b.Path) })
	for _, v := range j.Sandbox.Environment(j.Environ) {
		d.Variables = append(d.Variables, Variable{v.Name, j.Written(v.Origin)})
	}
	return d
}

// JSON writes d.
func (d *Description) JSON() ([]byte, error) { return octets.Marshal(d) }

// maxDescription bounds what is read of a description.
const maxDescription = 8 << 20

// Read reads the description of the jail that this process is in. Its error is
// fs.ErrNotExist where there is none.
func Read() (*Description, error) {
	f, err := os.OpenFile(checker.InmateDescription, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = errors.New("is no regular file")
	}
	var text []byte
	if err == nil {
		text, err = io.ReadAll(io.LimitReader(f, maxDescription))
	}
	d := &Description{}
	if err == nil {
		err = octets.Unmarshal(text, d)
	}
	if err == nil && d.Version != 1 {
		err = fmt.Errorf("has version %d; this ocjail reads 1", d.Version)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", checker.InmateDescription, err)
	}
	return d, nil
}

// Owns tells whether p lies in the project or the home: elsewhere nothing should be
// written by a jail.
func (d *Description) Owns(p string) bool {
	_, inProject := sandbox.Below(d.Project, p)
	_, inHome := sandbox.Below(d.Home, p)
	return inProject || inHome
}

// At returns the mount that decides about the path p in the jail, which is clean
// and holds no symbolic links; the zero Mount when there is none.
func (d *Description) At(p string) Mount {
	best := Mount{}
	for _, m := range d.Mounts {
		if _, in := sandbox.Below(path.Clean(m.Path), p); in && len(m.Path) >= len(best.Path) {
			best = m
		}
	}
	return best
}
