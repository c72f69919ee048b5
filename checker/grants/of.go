package grants

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Of returns what j grants.
func Of(j *checker.Jail) *Grants {
	g := &Grants{
		Version: Version, Capabilities: capabilities(j.Sandbox), Environment: environment(j), Bus: busNames(j),
		NestedUsers: !j.Asked.Has("--disable-userns"), Terminal: !j.Asked.Has("--new-session"),
		places: PlacesOf(&j.Facts),
	}
	g.namespaces(j)
	g.filters(j)
	s := surveyor{jail: j, grants: g}
	s.paths()
	for _, list := range []*[]string{&g.Namespaces, &g.Overlays, &g.Filters, &g.Labels, &g.Undecided} {
		slices.Sort(*list)
		*list = append([]string{}, slices.Compact(*list)...)
	}
	return g
}

// namespaces: an ordinary user's bwrap always unshares that of users.
func (g *Grants) namespaces(j *checker.Jail) {
	for name, state := range j.Sandbox.Namespaces() {
		switch {
		case name == "user" && j.Facts.UID != 0, state == "unshared":
		case name == "net":
			g.Network = true
		case state == "try":
			g.Namespaces = append(g.Namespaces, name+"?")
		default:
			g.Namespaces = append(g.Namespaces, name)
		}
	}
}

func (g *Grants) filters(j *checker.Jail) {
	for _, o := range j.Asked.Options {
		switch o.Name {
		case "--exec-label", "--file-label":
			label := strings.TrimPrefix(o.Name, "--") + " " + o.Args[0]
			g.Labels, g.Filters = append(g.Labels, label), append(g.Filters, label)
		case "--userns", "--userns2", "--pidns":
			g.Undecided = append(g.Undecided, o.Name+": a namespace that somebody else made")
		}
	}
	for _, d := range j.Asked.Descriptors() {
		if d.Name != "--seccomp" && d.Name != "--add-seccomp-fd" {
			continue
		}
		program, known := j.Filters[d.FD]
		if !known {
			g.Undecided = append(g.Undecided, fmt.Sprintf("%s %d: a filter that is only known when the jail starts", d.Name, d.FD))
			continue
		}
		sum := sha256.Sum256(program)
		g.Filters = append(g.Filters, hex.EncodeToString(sum[:]))
	}
}

// capabilities applies --cap-add and --cap-drop in their order. What bwrap leaves
// to root without them hardening drops.
func capabilities(s *sandbox.Sandbox) Capabilities {
	names, except := map[string]bool{}, map[string]bool{}
	all := false
	for _, o := range s.Options {
		if o.Name != "--cap-add" && o.Name != "--cap-drop" {
			continue
		}
		name, add := strings.ToUpper(o.Args[0]), o.Name == "--cap-add"
		switch {
		case name == "ALL":
			all = add
			clear(names)
			clear(except)
		case add == all: // of all it was dropped before, of none it is added
			delete(except, name)
			if !all {
				delete(names, name)
			}
		case add:
			names[name] = true
		default:
			except[name] = true
		}
	}
	return Capabilities{All: all, Except: slices.Sorted(maps.Keys(except)), Names: slices.Sorted(maps.Keys(names))}
}

// busNames are those of the proxy that the jail uses. The jail of the proxy itself
// runs a program that is trusted.
func busNames(j *checker.Jail) []BusName {
	list := []BusName{}
	if j.Bus == nil || j.Bus.Command {
		return list
	}
	if !j.Bus.Filter {
		return append(list, BusName{Policy: "all"})
	}
	for _, n := range j.Bus.Names {
		list = append(list, BusName{n.Policy, n.Name})
	}
	slices.SortFunc(list, func(a, b BusName) int { return strings.Compare(a.Policy+" "+a.Name, b.Policy+" "+b.Name) })
	return slices.Compact(list)
}
