package manifest

import (
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/bus"
)

// argument is one of a combinator's, as far as names on the bus need it.
type argument struct {
	Attrs  map[string]argument
	List   []argument
	String *string
}

// busPolicies are jail.nix's names of xdg-dbus-proxy's options.
var busPolicies = []string{"see", "talk", "own", "call", "broadcast"}

// BusNames returns what the dbus combinators open on the session bus, also those
// that others are made of; nil when the jail uses no proxy, or what it opens is
// not written in its combinators.
func (m *Manifest) BusNames() []bus.Name {
	return m.busNames
}

func busNames(elements []element) []bus.Name {
	var names []bus.Name
	for _, e := range elements {
		if e.Combinator != nil && *e.Combinator == "dbus" {
			for _, a := range e.Args {
				names = append(names, a.busNames()...)
			}
		}
		names = append(names, busNames(e.Children)...)
	}
	return names
}

func (a argument) busNames() []bus.Name {
	var names []bus.Name
	for _, policy := range busPolicies {
		for _, n := range a.Attrs[policy].List {
			if n.String == nil {
				continue
			}
			name, _, _ := strings.Cut(*n.String, "=") // a rule follows those of call and broadcast
			if found := (bus.Name{Policy: policy, Name: name}); !slices.Contains(names, found) {
				names = append(names, found)
			}
		}
	}
	return names
}
