// Package notation writes options of bwrap's as the other ways to a jail spell
// them: --add of ocjail run, a profile in HCL, jail.nix's combinators.
package notation

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Forms is one piece of a jail in every notation, a list of lines each. A
// notation that has no word for an option leaves it out.
type Forms struct {
	Bwrap   []string // one line
	Add     []string // texts for --add
	Profile []string // HCL
	Nix     []string // combinators
}

// form is how one option is written.
type form struct{ add, profile, nix func(args []string) string }

// forms are the options that have a word in another notation. What a profile
// and jail.nix always do, such as --clearenv, has none.
var forms = map[string]form{
	"--bind":        {text("rw-bind %s %s"), mount("rw", ""), pair("rw-bind")},
	"--ro-bind":     {text("ro-bind %s %s"), mount("ro", ""), pair("ro-bind")},
	"--bind-try":    {nil, mount("rw", "optional = true"), pair("try-rw-bind")},
	"--ro-bind-try": {nil, mount("ro", "optional = true"), pair("try-ro-bind")},
	"--tmpfs":       {text("tmpfs %s"), text("tmpfs %q {}"), pair("tmpfs")},
	"--setenv":      {text("set-env %s %s"), text("setenv = { %s = %q }"), pair("set-env")},
	"--unshare-net": {text("no-network"), text("network = false"), nil},
	"--new-session": {text("new-session"), text("new_session = true"), nil},
	"--hostname":    {nil, text("hostname = %q"), pair("set-hostname")},
}

// bounded is how --size BYTES --tmpfs DEST is written, given DEST and BYTES.
var bounded = form{profile: text("tmpfs %q { size = %q }")}

// lacking are the ways to go without an option that a notation has by itself.
var lacking = map[string]form{
	"--unshare-ipc":     {nil, nil, text(`(share-ns "ipc")`)},
	"--unshare-pid":     {nil, nil, text(`(share-ns "pid")`)},
	"--unshare-user":    {nil, nil, text(`(share-ns "user")`)},
	"--unshare-net":     {text("network"), text("network = true"), text("network")},
	"--new-session":     {nil, text("new_session = false"), text("no-new-session")},
	"--die-with-parent": {nil, nil, text("no-die-with-parent")},
}

// automatic is what jail.nix asks for without being told.
var automatic = map[string]bool{
	"--clearenv": true, "--unshare-ipc": true, "--unshare-pid": true, "--unshare-user": true, "--unshare-uts": true,
	"--unshare-cgroup": true, "--unshare-net": true, "--new-session": true, "--die-with-parent": true, "--dev": true, "--proc": true,
}

// text fills args into format, whose verbs may be fewer.
func text(format string) func([]string) string {
	return func(args []string) string {
		n := strings.Count(format, "%")
		values := make([]any, min(n, len(args)))
		for i := range values {
			values[i] = args[i]
		}
		return fmt.Sprintf(format, values...)
	}
}

// pair is a combinator with all arguments.
func pair(name string) func([]string) string {
	return func(args []string) string {
		words := []string{name}
		for _, a := range args {
			words = append(words, strconv.Quote(a))
		}
		return "(" + strings.Join(words, " ") + ")"
	}
}

func mount(access, more string) func([]string) string {
	return func(args []string) string {
		var at []string
		if args[0] != args[1] {
			at = append(at, fmt.Sprintf("at = %q", args[1]))
		}
		at = append(at, fmt.Sprintf("access = %q", access))
		if more != "" {
			at = append(at, more)
		}
		if len(at) == 1 {
			return fmt.Sprintf("mount %q { %s }", args[0], at[0])
		}
		return fmt.Sprintf("mount %q {\n  %s\n}", args[0], strings.Join(at, "\n  "))
	}
}

// Of writes options, as one types them into a shell.
func Of(shell string) (Forms, error) {
	options, err := Options(shell)
	if err != nil {
		return Forms{}, err
	}
	var f Forms
	if shell != "" {
		f.Bwrap = []string{"… " + shell + " …"}
	}
	for i := 0; i < len(options); i++ {
		o := options[i]
		known, raw, args := forms[o.Name], words(o), o.Args
		if o.Name == "--size" && i+1 < len(options) && options[i+1].Name == "--tmpfs" { // it says something of the next
			i++
			known, raw, args = bounded, raw+" "+words(options[i]), []string{options[i].Args[0], o.Args[0]}
		}
		f.put(known, args)
		if known.nix == nil && !automatic[o.Name] {
			f.Nix = append(f.Nix, fmt.Sprintf("(unsafe-add-raw-args %q)", raw))
		}
	}
	return f, nil
}

func words(o sandbox.Option) string { return strings.Join(append([]string{o.Name}, o.Args...), " ") }

func (f *Forms) put(known form, args []string) {
	for _, w := range []struct {
		to    *[]string
		write func([]string) string
	}{{&f.Add, known.add}, {&f.Profile, known.profile}, {&f.Nix, known.nix}} {
		if w.write != nil {
			*w.to = append(*w.to, w.write(args))
		}
	}
}

// Without writes the lack of the flags among options, as one types these into a
// shell.
func Without(shell string) (Forms, error) {
	options, err := Options(shell)
	if err != nil {
		return Forms{}, err
	}
	var f Forms
	var names []string
	for _, o := range options {
		if len(o.Args) == 0 {
			names = append(names, o.Name)
			f.put(lacking[o.Name], nil)
		}
	}
	if names != nil {
		f.Bwrap = []string{"without " + strings.Join(names, " and ")}
	}
	return f, nil
}

// Options parses options as one types them into a shell: words parted by blanks,
// a word in '…' as it stands. "~" is left to whoever knows the home.
func Options(shell string) ([]sandbox.Option, error) {
	var words []string
	for _, w := range strings.Fields(shell) {
		words = append(words, strings.Trim(w, "'"))
	}
	s, err := sandbox.ParseArgv(append(words, "sh"), nil)
	if err == nil && len(s.Command) != 1 {
		err = fmt.Errorf("%q is no option", s.Command[0])
	}
	if err != nil {
		return nil, err
	}
	return s.Options, nil
}
