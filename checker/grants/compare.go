package grants

import (
	"path"
	"slices"
	"strings"
)

// Item is one thing that a jail may do.
type Item struct {
	// Kind is "path", "network", "namespace", "processes", "capability",
	// "user-namespaces", "terminal", "environment", "bus", "overlay",
	// "filter", "label" or "undecided".
	Kind   string `json:"kind"`
	Name   string `json:"name"`             // path, variable, …; "" where the kind says all
	Access string `json:"access,omitempty"` // of a path
	Before string `json:"before,omitempty"` // access that the other jail has; "" where it has none
	Socket bool   `json:"socket,omitempty"`
}

// Difference is what two jails do not have in common.
type Difference struct {
	Wider    []Item `json:"wider"`    // what only the second may do
	Narrower []Item `json:"narrower"` // what only the first may do
}

// Compare tells how b differs from a. Paths below the home, the project and the
// runtime directory are taken for the same on both sides, and those of b decide
// which of these lies in which. A nil Grants grants nothing.
func Compare(a, b *Grants) Difference {
	places := Places{}
	for _, g := range []*Grants{a, b} {
		if g != nil && g.places != (Places{}) {
			places = g.places
		}
	}
	return Difference{Wider: beyond(a, b, places), Narrower: beyond(b, a, places)}
}

// Same tells whether neither grants more.
func (d Difference) Same() bool { return len(d.Wider)+len(d.Narrower) == 0 }

// nothing is the jail that reaches nothing of the host.
var nothing = &Grants{}

// beyond lists what b grants and a does not.
func beyond(a, b *Grants, at Places) []Item {
	if a == nil {
		a = nothing
	}
	if b == nil {
		b = nothing
	}
	items := beyondPaths(tableOf(a.Paths, at), tableOf(b.Paths, at), at)
	flag := func(kind string, was, is bool) {
		if is && !was {
			items = append(items, Item{Kind: kind})
		}
	}
	each := func(kind string, names []string, has func(string) bool) {
		for _, n := range names {
			if !has(n) {
				items = append(items, Item{Kind: kind, Name: n})
			}
		}
	}
	in := func(list []string) func(string) bool {
		return func(n string) bool { return slices.Contains(list, n) }
	}
	flag("network", a.Network, b.Network)
	each("namespace", b.Namespaces, func(n string) bool {
		return slices.Contains(a.Namespaces, n) || slices.Contains(a.Namespaces, strings.TrimSuffix(n, "?"))
	})
	flag("processes", a.HostProcesses, b.HostProcesses)
	items = append(items, beyondCapabilities(a.Capabilities, b.Capabilities)...)
	flag("user-namespaces", a.NestedUsers, b.NestedUsers)
	flag("terminal", a.Terminal, b.Terminal)
	items = append(items, beyondEnvironment(a.Environment, b.Environment)...)
	for _, n := range b.Bus {
		if !slices.ContainsFunc(a.Bus, func(o BusName) bool { return o.covers(n) }) {
			items = append(items, Item{Kind: "bus", Name: strings.TrimSpace(n.Policy + " " + n.Name)})
		}
	}
	each("overlay", b.Overlays, in(a.Overlays))
	each("label", b.Labels, in(a.Labels))
	if b != nothing {
		each("filter", a.Filters, in(b.Filters))
	}
	each("undecided", b.Undecided, func(string) bool { return false })
	return items
}

// beyondPaths compares the access of every path at which that of either changes.
// What an item above says already is left out.
func beyondPaths(a, b table, at Places) []Item {
	var files []string
	for _, t := range []table{a, b} {
		for file := range t {
			files = append(files, file)
		}
	}
	slices.Sort(files)
	told := table{}
	items := []Item{}
	for _, file := range slices.Compact(files) {
		before, beforeOwn := a.at(file)
		now, nowOwn := b.at(file)
		connects := nowOwn && now.Socket && beforeOwn && !before.Socket
		if now.Access&^before.Access == None && !connects {
			continue
		}
		if above, _ := told.at(path.Dir(file)); above.Access == now.Access && !connects {
			continue
		}
		told[file] = now
		i := Item{Kind: "path", Name: at.name(file), Access: now.Access.String(), Socket: nowOwn && now.Socket}
		if before.Access != None {
			i.Before = before.Access.String()
		}
		items = append(items, i)
	}
	return items
}

func beyondCapabilities(a, b Capabilities) []Item {
	var items []Item
	if b.All {
		if !a.All {
			return []Item{{Kind: "capability", Name: "ALL"}}
		}
		for _, n := range a.Except {
			if b.has(n) {
				items = append(items, Item{Kind: "capability", Name: n})
			}
		}
		return items
	}
	for _, n := range b.Names {
		if !a.has(n) {
			items = append(items, Item{Kind: "capability", Name: n})
		}
	}
	return items
}

func beyondEnvironment(a, b Environment) []Item {
	var items []Item
	if b.All && !a.All {
		items = append(items, Item{Kind: "environment", Name: "*"})
	}
	if b.All && a.All {
		for _, n := range a.Except {
			if b.has(n) && !a.has(n) {
				items = append(items, Item{Kind: "environment", Name: n})
			}
		}
	}
	for _, n := range b.Names {
		if !a.has(n) && !slices.ContainsFunc(items, func(i Item) bool { return i.Name == n }) {
			items = append(items, Item{Kind: "environment", Name: n})
		}
	}
	return items
}
