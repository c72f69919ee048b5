package config

import "fmt"

// Layer says whose a file is, and with it how far it is trusted: less, the
// greater the number.
type Layer uint8

// The layers. The project's files, and those of the projects that it lies in, are
// written by agents, so they can only tighten.
const (
	Embedded Layer = iota // ocjail's own defaults; no file has it
	Organisation
	User
	Project Layer = User + 1 + MaxAbove
)

// MaxAbove is how many projects one may lie in. Each has a layer of its own.
const MaxAbove = 99

// Above is the layer of the n-th project around another, counted from 1: the
// nearest has 1. A file further up is trusted more, for the agent that works below
// can not write it.
func Above(n int) Layer { return Project - Layer(n) }

// Untrusted tells whether agents write the layer's files.
func (l Layer) Untrusted() bool { return l > User }

func (l Layer) above() bool { return l.Untrusted() && l < Project }

var layerNames = map[Layer]string{Embedded: "embedded", Organisation: "organisation", User: "user", Project: "project"}

func (l Layer) String() string {
	if name := layerNames[l]; name != "" {
		return name
	}
	if l < Project {
		return fmt.Sprintf("above-%d", Project-l)
	}
	return fmt.Sprintf("layer %d", uint8(l))
}

// ParseLayer reads the name of a layer that files have.
func ParseLayer(s string) (Layer, error) {
	for l := Organisation; l <= Project; l++ {
		if s == l.String() {
			return l, nil
		}
	}
	return 0, fmt.Errorf("unknown layer %q: write organisation, user or project", s)
}

// MarshalText writes the layer's name.
func (l Layer) MarshalText() ([]byte, error) { return []byte(l.String()), nil }
