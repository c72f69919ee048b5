package sandbox

// operand says how one argument of an option is read.
type operand uint8

const (
	word     operand = iota // any text
	source                  // path on the host
	dest                    // path in the jail
	fd                      // descriptor number
	octal                   // permission bits, at most 07777
	size                    // number of bytes, not 0
	number                  // user or group id
	variable                // environment variable: not empty, no "="
	location                // path that only the kernel reads
)

// class groups options by what they act on.
type class uint8

const (
	fileOp    class = iota // makes or changes something in the new root
	modifier               // changes the next fileOp
	envOp                  // changes the environment
	nsOp                   // namespaces and ids
	sessionOp              // terminal session and lifetime
	capOp                  // capabilities
	fdOp                   // descriptors that bwrap itself uses
	processOp              // how the command is started
	argsOp                 // --args
	originOp               // --ocjail-origin
	exitOp                 // prints and exits 0, starting nothing
)

// Spec describes one option.
type Spec struct {
	Name     string
	Operands []operand
	Class    class
	// Modifiers names the modifiers that the option consumes.
	Modifiers []string
}

// OriginOption says which configuration the options after it come from. It is
// ocjail's own: bwrap never sees it.
const OriginOption = "--ocjail-origin"

// specs is every option of bubblewrap 0.8 to 0.11, from bwrap(1) and the output
// of bwrap --help, and OriginOption.
var specs = []Spec{
	{"--help", nil, exitOp, nil},
	{"--version", nil, exitOp, nil},
	{"--args", []operand{fd}, argsOp, nil},
	{"--argv0", []operand{word}, processOp, nil},
	{"--level-prefix", nil, processOp, nil},
	{"--chdir", []operand{location}, processOp, nil},
	{"--exec-label", []operand{word}, processOp, nil},
	{"--file-label", []operand{word}, processOp, nil},
	{"--lock-file", []operand{word}, processOp, nil},

	{"--unshare-all", nil, nsOp, nil},
	{"--share-net", nil, nsOp, nil},
	{"--unshare-user", nil, nsOp, nil},
	{"--unshare-user-try", nil, nsOp, nil},
	{"--unshare-ipc", nil, nsOp, nil},
	{"--unshare-pid", nil, nsOp, nil},
	{"--unshare-net", nil, nsOp, nil},
	{"--unshare-uts", nil, nsOp, nil},
	{"--unshare-cgroup", nil, nsOp, nil},
	{"--unshare-cgroup-try", nil, nsOp, nil},
	{"--userns", []operand{fd}, nsOp, nil},
	{"--userns2", []operand{fd}, nsOp, nil},
	{"--pidns", []operand{fd}, nsOp, nil},
	{"--disable-userns", nil, nsOp, nil},
	{"--assert-userns-disabled", nil, nsOp, nil},
	{"--uid", []operand{number}, nsOp, nil},
	{"--gid", []operand{number}, nsOp, nil},
	{"--hostname", []operand{word}, nsOp, nil},

	{"--clearenv", nil, envOp, nil},
	{"--setenv", []operand{variable, word}, envOp, nil},
	{"--unsetenv", []operand{variable}, envOp, nil},

	{"--new-session", nil, sessionOp, nil},
	{"--die-with-parent", nil, sessionOp, nil},
	{"--as-pid-1", nil, sessionOp, nil},

	{"--cap-add", []operand{word}, capOp, nil},
	{"--cap-drop", []operand{word}, capOp, nil},

	{"--sync-fd", []operand{fd}, fdOp, nil},
	{"--block-fd", []operand{fd}, fdOp, nil},
	{"--userns-block-fd", []operand{fd}, fdOp, nil},
	{"--info-fd", []operand{fd}, fdOp, nil},
	{"--json-status-fd", []operand{fd}, fdOp, nil},
	{"--seccomp", []operand{fd}, fdOp, nil},
	{"--add-seccomp-fd", []operand{fd}, fdOp, nil},

	{"--perms", []operand{octal}, modifier, nil},
	{"--size", []operand{size}, modifier, nil},
	{"--overlay-src", []operand{source}, modifier, nil},

	{"--bind", []operand{source, dest}, fileOp, nil},
	{"--bind-try", []operand{source, dest}, fileOp, nil},
	{"--dev-bind", []operand{source, dest}, fileOp, nil},
	{"--dev-bind-try", []operand{source, dest}, fileOp, nil},
	{"--ro-bind", []operand{source, dest}, fileOp, nil},
	{"--ro-bind-try", []operand{source, dest}, fileOp, nil},
	{"--bind-fd", []operand{fd, dest}, fileOp, nil},
	{"--ro-bind-fd", []operand{fd, dest}, fileOp, nil},
	{"--remount-ro", []operand{dest}, fileOp, nil},
	{"--overlay", []operand{source, source, dest}, fileOp, []string{"--overlay-src"}},
	{"--tmp-overlay", []operand{dest}, fileOp, []string{"--overlay-src"}},
	{"--ro-overlay", []operand{dest}, fileOp, []string{"--overlay-src"}},
	{"--proc", []operand{dest}, fileOp, nil},
	{"--dev", []operand{dest}, fileOp, nil},
	{"--tmpfs", []operand{dest}, fileOp, []string{"--perms", "--size"}},
	{"--mqueue", []operand{dest}, fileOp, nil},
	{"--dir", []operand{dest}, fileOp, []string{"--perms"}},
	{"--file", []operand{fd, dest}, fileOp, []string{"--perms"}},
	{"--bind-data", []operand{fd, dest}, fileOp, []string{"--perms"}},
	{"--ro-bind-data", []operand{fd, dest}, fileOp, []string{"--perms"}},
	{"--symlink", []operand{location, dest}, fileOp, nil},
	{"--chmod", []operand{octal, dest}, fileOp, nil},

	{OriginOption, []operand{word}, originOp, nil},
}

var specByName = func() map[string]*Spec {
	m := make(map[string]*Spec, len(specs))
	for i := range specs {
		m[specs[i].Name] = &specs[i]
	}
	return m
}()

// OptionNames returns every option that ParseArgv knows, OriginOption left out.
func OptionNames() []string {
	var names []string
	for _, s := range specs {
		if s.Class != originOp {
			names = append(names, s.Name)
		}
	}
	return names
}

// minOverlaySources is how many --overlay-src bwrap wants before each overlay.
var minOverlaySources = map[string]int{"--overlay": 1, "--tmp-overlay": 1, "--ro-overlay": 2}

// fdIndex returns the position among the option's arguments of its descriptor,
// or -1.
func (s *Spec) fdIndex() int {
	for i, o := range s.Operands {
		if o == fd {
			return i
		}
	}
	return -1
}
