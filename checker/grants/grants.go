// Package grants says what a jail may do to the host, as far as it was asked for:
// paths, network, namespaces, variables and the like, in words that two machines
// and two builds agree on. It tells whether one jail is wider than another.
//
// What ocjail itself adds to protect the host is left out: it comes and goes with
// the files that it protects, and nobody grants it.
package grants

import (
	"slices"
	"strings"
)

// Version is that of the form in which grants are kept.
const Version = 1

// Grants is what a jail may do. Lists are sorted; the order of the jail's options,
// and the hashes of store paths that it only reads, leave no trace.
type Grants struct {
	Version int `json:"version"`
	// Paths is what of the host the jail reaches: the access of a path is that of
	// the entry at it, or of the nearest above it; without one it is out of reach.
	Paths []Path `json:"paths"`
	// Network is set where the host's network is shared.
	Network bool `json:"network"`
	// Namespaces are those shared with the host: "user", "ipc", "pid", "uts",
	// "cgroup"; with "?" behind where they are only where the kernel can not
	// unshare them.
	Namespaces []string `json:"namespaces"`
	// HostProcesses is set where /proc in the jail is the host's.
	HostProcesses bool         `json:"host_processes"`
	Capabilities  Capabilities `json:"capabilities"`
	// NestedUsers is set where the jail can make user namespaces of its own.
	NestedUsers bool `json:"nested_user_namespaces"`
	// Terminal is set where the jail keeps the session of its caller, and so its
	// controlling terminal.
	Terminal    bool        `json:"terminal"`
	Environment Environment `json:"environment"`
	Bus         []BusName   `json:"bus"`
	// Overlays describe each overlay whole: one that differs in anything is
	// another.
	Overlays []string `json:"overlays"`
	// Filters are the SHA-256 sums of seccomp programs and the SELinux labels that
	// bind the jail: fewer of them is wider.
	Filters []string `json:"filters"`
	// Labels are the SELinux labels that it runs under: another one is wider.
	Labels []string `json:"labels"`
	// Undecided is what can not be compared, each with the reason.
	Undecided []string `json:"undecided"`

	places Places
}

// Path is the access to a host path and what lies below.
type Path struct {
	// Path is absolute; below "~" or "{project}" where it lies in the home or the
	// project, below "{runtime}" in the user's runtime directory. StorePaths
	// stands for any items of the Nix store.
	Path   string `json:"path"`
	Access Access `json:"access"`
	Socket bool   `json:"socket,omitempty"` // connectable, read-only or not
}

// StorePaths stands for single items of the Nix store, read-only. Which they are
// changes with every update, every user of the host may read them, and the store
// is no place for secrets.
const StorePaths = "/nix/store/*"

// Access is what the jail can do with files: any of Read, Write and Device.
type Access uint8

// Read is in each access but None. Device has device files work.
const (
	Read Access = 1 << iota
	Write
	Device
	None Access = 0
)

var accessNames = map[Access]string{None: "none", Read: "ro", Read | Write: "rw", Read | Device: "ro-dev", Read | Write | Device: "dev"}

func (a Access) String() string { return accessNames[a] }

// MarshalText writes "none", "ro", "rw", "dev" or "ro-dev".
func (a Access) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (a *Access) UnmarshalText(text []byte) error {
	for access, name := range accessNames {
		if name == string(text) {
			*a = access
			return nil
		}
	}
	return &unknownError{"access", string(text)}
}

type unknownError struct{ what, value string }

func (e *unknownError) Error() string { return "unknown " + e.what + " " + e.value }

// Capabilities are those that the command keeps.
type Capabilities struct {
	All    bool     `json:"all,omitempty"`
	Except []string `json:"except,omitempty"` // of all
	Names  []string `json:"names,omitempty"`  // where it is not all
}

func (c Capabilities) has(name string) bool {
	if c.All {
		return !slices.Contains(c.Except, name)
	}
	return slices.Contains(c.Names, name)
}

// Environment is which of the caller's variables may be seen. Those that hardly
// can hold a secret, such as TERM and LANG, are left out.
type Environment struct {
	All    bool     `json:"all,omitempty"`    // whatever the caller has
	Except []string `json:"except,omitempty"` // of all
	Names  []string `json:"names"`            // set one by one
}

func (e Environment) has(name string) bool {
	return slices.Contains(e.Names, name) || e.All && !slices.Contains(e.Except, name)
}

// BusName is a name of the session bus that the jail reaches through a filtering
// proxy; the policy "all" stands for everything.
type BusName struct {
	Policy string `json:"policy"` // as in xdg-dbus-proxy(1)
	Name   string `json:"name"`   // "a.b.*" stands for a.b and all below it
}

// busPolicies: each allows what those before it do (xdg-dbus-proxy(1)).
var busPolicies = []string{"see", "talk", "own", "all"}

// covers tells whether b allows all of other.
func (b BusName) covers(other BusName) bool {
	if b.Policy == "all" || b == other {
		return true
	}
	mine, theirs := slices.Index(busPolicies, b.Policy), slices.Index(busPolicies, other.Policy)
	if theirs < 0 { // "call" and "broadcast" open a part of what "talk" does
		theirs = 1
	}
	stem, all := strings.CutSuffix(b.Name, ".*")
	name := strings.TrimSuffix(other.Name, ".*")
	under := b.Name == other.Name || all && (name == stem || strings.HasPrefix(name, stem+"."))
	return under && mine >= theirs
}
