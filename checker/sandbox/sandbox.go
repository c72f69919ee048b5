// Package sandbox models one bubblewrap invocation: its options in order, the
// mount tree that they make, and what a program in the jail can reach.
//
// It imports the standard library only and asks about the host through HostFS.
package sandbox

import (
	"slices"
	"strconv"
	"strings"
)

// MaxArgs is the largest number of words that bwrap takes, those of --args
// files and the command included (MAX_ARGS in bubblewrap.c).
const MaxArgs = 9000

// Option is one option of bwrap's as it was written.
type Option struct {
	Name string   // with its dashes
	Args []string // as many as the option takes; copies of the option share them: replace, never change
	// Origin is the ID of the OriginOption in force, or "".
	Origin string
	// Added is why ocjail put the option in; "" for the caller's own.
	Added string
}

func (o *Option) setArg(i int, value string) {
	o.Args = slices.Clone(o.Args)
	o.Args[i] = value
}

// Sandbox is one bwrap invocation, --args files expanded in place.
// Everything else that one may want to know of it is derived.
type Sandbox struct {
	Options []Option
	Command []string
}

// Has tells whether an option of that name is given.
func (s *Sandbox) Has(name string) bool {
	return slices.ContainsFunc(s.Options, func(o Option) bool { return o.Name == name })
}

// Last returns the last option of that name, or nil.
func (s *Sandbox) Last(name string) *Option {
	for i := len(s.Options) - 1; i >= 0; i-- {
		if s.Options[i].Name == name {
			return &s.Options[i]
		}
	}
	return nil
}

// Clone returns a copy whose Options can be changed without touching s.
func (s *Sandbox) Clone() *Sandbox {
	return &Sandbox{Options: slices.Clone(s.Options), Command: slices.Clone(s.Command)}
}

// NamespaceNames are the keys of Namespaces.
var NamespaceNames = []string{"user", "ipc", "pid", "net", "uts", "cgroup"}

// Namespaces tells for each of NamespaceNames whether it is "unshared",
// "shared" or "try" (unshared where the kernel can). Later --share-net and
// --unshare-net override earlier ones; nothing undoes the others. An ordinary
// user's bwrap always unshares user: the caller knows the uid, this does not.
func (s *Sandbox) Namespaces() map[string]string {
	ns := map[string]string{}
	for _, n := range NamespaceNames {
		ns[n] = "shared"
	}
	firmer := func(name, state string) {
		if ns[name] != "unshared" {
			ns[name] = state
		}
	}
	for _, o := range s.Options {
		switch name, isUnshare := strings.CutPrefix(o.Name, "--unshare-"); {
		case o.Name == "--share-net":
			ns["net"] = "shared"
		case !isUnshare:
		case name == "all":
			for _, n := range NamespaceNames {
				if n == "user" || n == "cgroup" {
					firmer(n, "try")
				} else {
					firmer(n, "unshared")
				}
			}
		case strings.HasSuffix(name, "-try"):
			firmer(strings.TrimSuffix(name, "-try"), "try")
		default:
			firmer(name, "unshared")
		}
	}
	return ns
}

// Capabilities returns what --cap-add and --cap-drop leave requested, upper
// case and in order of first appearance ("ALL" stands for all), and whether a
// "--cap-drop ALL" is in force for what was not added after it.
func (s *Sandbox) Capabilities() (added []string, dropAll bool) {
	for _, o := range s.Options {
		if o.Name != "--cap-add" && o.Name != "--cap-drop" {
			continue
		}
		name := strings.ToUpper(o.Args[0])
		drop := o.Name == "--cap-drop"
		switch {
		case drop && name == "ALL":
			added, dropAll = nil, true
		case drop:
			added = slices.DeleteFunc(added, func(a string) bool { return a == name })
		case !slices.Contains(added, name):
			added = append(added, name)
		}
	}
	return added, dropAll
}

// Variable is one variable of the final environment.
type Variable struct {
	Name, Value string
	Set         bool   // by --setenv, not inherited
	Origin      string // of the --setenv
}

// Environment returns the environment that the command gets when bwrap is
// started with inherited ("NAME=value" each), sorted by name, without PWD,
// which bwrap always sets itself. Options apply in order: a --clearenv drops
// the --setenv before it too.
func (s *Sandbox) Environment(inherited []string) []Variable {
	vars := map[string]Variable{}
	for _, kv := range inherited {
		if name, value, ok := strings.Cut(kv, "="); ok && name != "" {
			vars[name] = Variable{Name: name, Value: value}
		}
	}
	for _, o := range s.Options {
		switch o.Name {
		case "--clearenv":
			clear(vars)
		case "--setenv":
			vars[o.Args[0]] = Variable{Name: o.Args[0], Value: o.Args[1], Set: true, Origin: o.Origin}
		case "--unsetenv":
			delete(vars, o.Args[0])
		}
	}
	delete(vars, "PWD")
	list := make([]Variable, 0, len(vars))
	for _, v := range vars {
		list = append(list, v)
	}
	slices.SortFunc(list, func(a, b Variable) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Descriptor is one use of a descriptor number.
type Descriptor struct {
	Option int // index in Options
	Name   string
	FD     int
}

// Descriptors returns the descriptors that the options name, in order.
func (s *Sandbox) Descriptors() []Descriptor {
	var ds []Descriptor
	for i, o := range s.Options {
		spec := specByName[o.Name]
		if spec == nil || spec.fdIndex() < 0 {
			continue
		}
		n, err := strconv.Atoi(o.Args[spec.fdIndex()])
		if err == nil {
			ds = append(ds, Descriptor{Option: i, Name: o.Name, FD: n})
		}
	}
	return ds
}

// SetDescriptor changes the descriptor number of option i.
func (s *Sandbox) SetDescriptor(i, n int) {
	o := &s.Options[i]
	o.setArg(specByName[o.Name].fdIndex(), strconv.Itoa(n))
}
