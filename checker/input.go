package checker

// InputVersion is the version of the policy input that this package writes.
const InputVersion = 1

// Input is the document that rules judge, described for their authors by
// policy/schema/input.json. Lists are never null, so that a rule's iteration
// over an absent list can not be mistaken for a clean jail.
type Input struct {
	Version int          `json:"version"`
	Phase   string       `json:"phase"` // "launch" or "lint"
	Now     string       `json:"now"`   // RFC 3339, the evaluation's fixed time
	Jail    InputJail    `json:"jail"`
	Agent   InputAgent   `json:"agent"`
	Host    InputHost    `json:"host"`
	Watched []InputWatch `json:"watched"`
	// Params is what the configuration tells the rules, by their IDs. One whose
	// METADATA declares parameters has all of them, the defaults included.
	Params map[string]map[string]any `json:"params"`
}

// InputJail is the sandbox, resolved.
type InputJail struct {
	Name         string            `json:"name"`
	Command      []string          `json:"command"`
	Mounts       []InputMount      `json:"mounts"`
	Env          InputEnv          `json:"env"`
	Namespaces   map[string]string `json:"namespaces"` // user, ipc, pid, net, uts, cgroup: "unshared", "shared" or "try"
	Session      InputSession      `json:"session"`
	Capabilities InputCapabilities `json:"capabilities"`
	Seccomp      []InputSeccomp    `json:"seccomp"`
	BusProxies   []InputBusProxy   `json:"bus_proxies"`
	Hostname     string            `json:"hostname"`
	DisableUsers bool              `json:"disable_userns"`
}

// InputMount is one mount or file operation, in bwrap's order. Symbolic links
// and directories that bwrap makes are left out. The lower layers of an overlay
// follow it, each as an "overlay-src" with access "ro".
type InputMount struct {
	Op     string `json:"op"`     // bwrap's option without dashes, e.g. "ro-bind-try"
	Access string `json:"access"` // "rw", "ro", "dev", "scratch", "proc"; "none" for a -try whose source is absent
	// Source as written, but the home by its real name, as Home has it, and resolved
	// through symbolic links; empty for operations without a source on the host. For "file", "bind-data" and
	// "ro-bind-data" SourceReal is the host file that the content is copied from,
	// where the descriptor is of one that has a name.
	Source     string `json:"source"`
	SourceReal string `json:"source_real"`
	Dest       string `json:"dest"`
	Type       string `json:"type"` // "dir", "file", "socket", "fifo", "char-device", "block-device", "unknown"
	Exists     bool   `json:"exists"`
	Optional   bool   `json:"optional"`
	// ShadowedBy is the index in mounts of a later operation that hides this
	// one wholly, else null.
	ShadowedBy *int     `json:"shadowed_by"`
	Origin     string   `json:"origin"`    // the id given by --ocjail-origin, else ""
	Hardening  bool     `json:"hardening"` // added by the gate, not asked for
	Certain    bool     `json:"certain"`   // false where only a host could tell
	Covers     []string `json:"covers"`    // well-known places at or below the source: "root", "home", "home-parent", "project"
	// Propagates: what is mounted below the source later on the host appears in
	// the jail, with the flags that it has there: writable below a read-only bind
	// too (mount_namespaces(7)).
	Propagates bool `json:"propagates"`
	// Repositories are git repositories other than the project's, at the source or
	// directly below it, whose hooks or configuration the jail can write.
	Repositories []string `json:"repositories"`
	// Size bounds a tmpfs, in bytes; null for none, and for what is no tmpfs.
	Size *uint64 `json:"size"`
}

// InputEnv is the environment that the command ends up with.
type InputEnv struct {
	Cleared bool            `json:"cleared"` // --clearenv was in force
	Set     []InputVariable `json:"set"`     // the final environment, sorted by name
}

// InputVariable is one variable of the final environment.
type InputVariable struct {
	Name string `json:"name"`
	// Source is "inherited" (from the caller, uncleared) or "set" (--setenv).
	Source string `json:"source"`
	// Value is present for names on the allow-list of data.env only.
	Value *string `json:"value,omitempty"`
	// Shape tells what the value looks like when it is not shown: "secret"
	// (a token by its form), "path", "socket", "empty" or "other".
	Shape string `json:"shape"`
}

// InputSession is what ties the jail to its terminal.
type InputSession struct {
	NewSession    bool `json:"new_session"`
	DieWithParent bool `json:"die_with_parent"`
	VSockFilter   bool `json:"vsock_filter"`   // a seccomp filter of ours refuses sockets of AF_VSOCK
	TIOCSTIFilter bool `json:"tiocsti_filter"` // a seccomp filter of ours refuses TIOCSTI and TIOCLINUX
	Terminal      bool `json:"terminal"`       // descriptor 0, 1 or 2 is a terminal
}

// InputCapabilities are bwrap's --cap-add and --cap-drop, after the last word.
type InputCapabilities struct {
	Add     []string `json:"add"`      // names as written, upper case, "ALL" included
	DropAll bool     `json:"drop_all"` // --cap-drop ALL is in force
}

// InputSeccomp is one filter handed to bwrap.
type InputSeccomp struct {
	SHA256 string `json:"sha256"`
	Own    bool   `json:"own"` // made by ocjail
}

// InputBusProxy is a trusted xdg-dbus-proxy that the jail starts as its command,
// or is told to use by its DBUS_SESSION_BUS_ADDRESS. Any other is not listed.
type InputBusProxy struct {
	Command bool   `json:"command"` // the jail is the proxy's own
	Socket  string `json:"socket"`  // that it listens at, on the host
	// Directory is the one of the socket if it is the user's alone and holds
	// nothing but sockets and pipes, else "".
	Directory string         `json:"directory"`
	Filter    bool           `json:"filter"` // false: everything passes
	Names     []InputBusName `json:"names"`
}

// InputBusName is a name on the bus that a filtering proxy opens.
type InputBusName struct {
	Policy string `json:"policy"` // "see", "talk", "own", "call", "broadcast": xdg-dbus-proxy(1)
	Name   string `json:"name"`   // "a.b.*" stands for a.b and all below it
}

// InputHost is what the host says of itself. A fact that could not be had is
// null, which is not the same as false.
type InputHost struct {
	Known       bool   `json:"known"` // false when linting without a host
	Home        string `json:"home"`
	User        string `json:"user"`
	UID         int    `json:"uid"`
	ProjectRoot string `json:"project_root"`
	// GitDir and GitCommonDir are the project's own; what git takes for them
	// without reason is in GitStray.
	GitDir        string       `json:"git_dir"`
	GitCommonDir  string       `json:"git_common_dir"`
	GitStray      []InputStray `json:"git_stray"`
	RuntimeDir    string       `json:"runtime_dir"`
	Bwrap         InputBwrap   `json:"bwrap"`
	LegacyTIOCSTI *bool        `json:"legacy_tiocsti"`  // sysctl dev.tty.legacy_tiocsti
	UserNS        *bool        `json:"user_namespaces"` // may this user make them
	// Landlock is the kernel's version of its interface (landlock(7)), 0 without
	// one.
	Landlock *int `json:"landlock"`
	// Listening are the TCP ports of the host at which something answers; null
	// where the jail has a network of its own, or they could not be had.
	Listening []int `json:"listening"`
	// NixTrusted: the Nix daemon does whatever the user asks, as root; null where
	// the jail does not reach the daemon, or that could not be had.
	NixTrusted *bool `json:"nix_trusted"`
}

// InputStray is a folder that git obeys because a file of the project names it,
// though it does not name the project in return.
type InputStray struct {
	File   string `json:"file"`   // a .git or commondir
	Target string `json:"target"` // the folder
}

// InputBwrap describes the real bubblewrap.
type InputBwrap struct {
	Path   string `json:"path"`
	Setuid *bool  `json:"setuid"`
}

// InputWatch is one watched path and what the jail can do with it.
type InputWatch struct {
	Path   string `json:"path"`  // on the host, absolute
	Class  string `json:"class"` // "host-executed", "agent-work", "secret", "socket", "device", "checker-state", "shared-cache"
	Exists *bool  `json:"exists"`
	Type   string `json:"type"`
	// Access is the widest way in: "rw", "ro", "dev" or "none". An absent path
	// is "rw" when the jail could create it. A path that can be replaced by
	// renaming a writable ancestor is "rw".
	Access string `json:"access"`
	// How tells why Access is what it is: "mount", "create" (absent, below a
	// writable mount), "rename" (an ancestor can be moved away), "alias"
	// (through another name of the same directory), "below" (a part of what lies
	// below it), "copy" (its content, handed over by a descriptor), "appear" (an
	// absent socket, which the host may make in a folder that the jail shows), or ""
	// for none.
	How string `json:"how"`
	// Via is the index in mounts that grants Access; null for none.
	Via     *int   `json:"via"`
	Inside  string `json:"inside"`  // the path in the jail, empty for none
	Tracked *bool  `json:"tracked"` // git tracks it: the review of its diff is the control; null outside the project
	Nlink   int    `json:"nlink"`   // hard links of an existing regular file, else 0
	Protect bool   `json:"protect"` // the gate would protect it when it can
	Reason  string `json:"reason"`  // why the path matters, from the data
}
