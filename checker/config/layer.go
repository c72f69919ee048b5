package config

import "fmt"

// Layer says whose a file is, and with it how far it is trusted: less, the
// greater the number.
type Layer uint8

// The layers. The project's files are written by the agent, so they can only
// tighten.
const (
	Embedded Layer = iota // ocjail's own defaults; no file has it
	Organisation
	User
	Project
)

var layerNames = [...]string{"embedded", "organisation", "user", "project"}

func (l Layer) String() string {
	if int(l) < len(layerNames) {
		return layerNames[l]
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
