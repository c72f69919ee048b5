package report

import (
	"slices"
	"strings"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// View is what a jail sees and may do: the JSON form of `ocjail inspect`. Lists
// are never null, and their order depends on the jail alone.
type View struct {
	Version int      `json:"version"` // 1
	Name    string   `json:"name"`    // the target
	Command []string `json:"command"`
	// Absent is the command that the jail is for and that is not here, so that Command
	// stands in for it; left out where it is.
	Absent  *checker.Absent `json:"absent,omitempty"`
	Home    string          `json:"home"`    // on the host, resolved
	Project string          `json:"project"` // on the host, resolved
	// Certain is false when this host lacks what the jail names, and the rest
	// rests on a guess.
	Certain bool    `json:"certain"`
	Mounts  []Mount `json:"mounts"` // visible ones, by path
	Hidden  int     `json:"hidden"` // mounts that others hide
	Links   []Link  `json:"links"`  // symbolic links that bwrap makes, by path

	Hostname     string                    `json:"hostname"` // "" for the host's
	Environment  Environment               `json:"environment"`
	Namespaces   map[string]string         `json:"namespaces"` // user, ipc, pid, net, uts, cgroup: "unshared", "shared" or "try"
	Session      checker.InputSession      `json:"session"`
	Capabilities checker.InputCapabilities `json:"capabilities"`
	Seccomp      []checker.InputSeccomp    `json:"seccomp"`

	Hardening []Hardening `json:"hardening"` // what ocjail adds

	Sockets []Socket  `json:"sockets"` // reachable ones that are known, by path
	Watched []Watched `json:"watched"` // reachable watched paths, widest access first, then by class and path
}

// Cause is what put something into the jail.
type Cause struct {
	Option string `json:"option"`           // bwrap's, with dashes; "" for what bwrap does by itself
	Origin string `json:"origin,omitempty"` // FILE:LINE, --add[INDEX] or "COMBINATOR from OPTION in FILE"; "" when nobody said
	Added  string `json:"added,omitempty"`  // why ocjail put it in; "" when it was asked for
}

// Mount is one mount of the jail.
type Mount struct {
	Path   string `json:"path"`   // in the jail
	Access string `json:"access"` // "rw", "ro", "dev", "scratch" or "proc"
	Kind   string `json:"kind"`   // "host", "tmpfs", "proc", "kernel", "overlay" or "data"
	Source string `json:"source"` // on the host: what is shown, or an overlay's writable layer; else ""
	Type   string `json:"type"`   // "dir", "file", "socket", "fifo", "char-device", "block-device", "unknown"
	// Implied mounts come with another: what is mounted below a bind's source,
	// and the devices of --dev.
	Implied bool  `json:"implied"`
	Cause   Cause `json:"cause"`

	of     *sandbox.Mount
	option int
}

// Link is a symbolic link that bwrap makes.
type Link struct {
	Path   string `json:"path"`
	Target string `json:"target"`
	Cause  Cause  `json:"cause"`
}

// Environment is the command's, without PWD, which bwrap sets to where it starts.
type Environment struct {
	Cleared   bool       `json:"cleared"`
	Variables []Variable `json:"variables"` // by name
}

// Variable is one variable; most values are not shown, for they may be secret.
type Variable struct {
	Name   string  `json:"name"`
	Source string  `json:"source"` // "inherited" or "set"
	Value  *string `json:"value,omitempty"`
	Origin string  `json:"origin,omitempty"` // as in Cause
}

// Socket is a Unix socket that the jail can connect to; read-only is no hindrance.
type Socket struct {
	Path   string `json:"path"`   // on the host
	Inside string `json:"inside"` // in the jail
	Cause  Cause  `json:"cause"`
}

// Watched is a watched host path that the jail reaches.
type Watched struct {
	Path   string `json:"path"`   // on the host
	Class  string `json:"class"`  // "host-executed", "agent-work", "secret", "socket", "device", "checker-state", "shared-cache"
	Access string `json:"access"` // the widest
	How    string `json:"how"`    // "mount", "create", "rename", "alias" or "below"
	Inside string `json:"inside"` // in the jail
	Reason string `json:"reason"` // why the path matters
	Cause  Cause  `json:"cause"`
}

// NewView describes j. An error means that a fact about the host could not be had.
func NewView(j *checker.Jail) (*View, error) {
	in, err := j.Input(time.Now())
	if err != nil {
		return nil, err
	}
	v := &View{
		Version: 1, Name: j.Name, Command: in.Jail.Command, Absent: j.Absent, Home: j.Facts.HomeReal, Project: j.Facts.ProjectRoot,
		Certain: !j.Tree.Guessed(), Mounts: []Mount{}, Links: []Link{}, Sockets: []Socket{}, Watched: []Watched{},
		Hostname: in.Jail.Hostname, Namespaces: in.Jail.Namespaces, Session: in.Jail.Session,
		Capabilities: in.Jail.Capabilities, Seccomp: in.Jail.Seccomp, Environment: environment(j, in.Jail.Env),
	}
	v.Hardening = v.hardening(j)
	v.addMounts(j)
	v.addLinks(j)
	v.addWatched(j)
	slices.SortStableFunc(v.Sockets, func(a, b Socket) int { return strings.Compare(a.Path, b.Path) })
	return v, nil
}

func cause(j *checker.Jail, option int) Cause {
	if option < 0 || option >= len(j.Sandbox.Options) {
		return Cause{}
	}
	o := j.Sandbox.Options[option]
	return Cause{Option: o.Name, Origin: j.Written(o.Origin), Added: o.Added}
}

func environment(j *checker.Jail, in checker.InputEnv) Environment {
	origins := map[string]string{}
	for _, v := range j.Sandbox.Environment(j.Environ) {
		origins[v.Name] = j.Written(v.Origin)
	}
	env := Environment{Cleared: in.Cleared, Variables: []Variable{}}
	for _, v := range in.Set {
		env.Variables = append(env.Variables, Variable{Name: v.Name, Source: v.Source, Value: v.Value, Origin: origins[v.Name]})
	}
	return env
}

func (v *View) addMounts(j *checker.Jail) {
	for _, l := range j.Tree.InJail() {
		if l.HiddenBy != nil {
			v.Hidden++
			continue
		}
		m := Mount{
			Path: l.Point, Access: string(l.Access()), Kind: string(l.Kind), Source: l.Source,
			Type: string(sandbox.Dir), Implied: l.Implied, Cause: cause(j, l.Option), of: l.Mount, option: l.Option,
		}
		switch {
		case l.Kind == sandbox.MountData:
			m.Type = string(sandbox.Regular)
		case l.Kind == sandbox.MountOverlay:
			m.Source = l.Upper
		case l.Source != "":
			m.Type = string(sandbox.Unknown)
			if st, err := j.FS.Lstat(l.Source); err == nil {
				m.Type = string(st.Type)
			}
		}
		v.Mounts = append(v.Mounts, m)
		if m.Type == string(sandbox.Socket) {
			v.Sockets = append(v.Sockets, Socket{m.Source, m.Path, m.Cause})
		}
	}
	slices.SortStableFunc(v.Mounts, func(a, b Mount) int { return strings.Compare(a.Path, b.Path) })
}

func (v *View) addLinks(j *checker.Jail) {
	for _, op := range j.Tree.Ops() {
		if op.Kind == sandbox.OpSymlink {
			v.Links = append(v.Links, Link{clean(op.Dest), op.Source, cause(j, op.Option)})
		}
	}
	slices.SortStableFunc(v.Links, func(a, b Link) int { return strings.Compare(a.Path, b.Path) })
}
