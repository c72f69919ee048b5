package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/notation"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// WhyEnv says whether and how a jail's command gets one environment variable: the
// JSON form of `ocjail why NAME`. Most values are not shown, for they may be secret.
type WhyEnv struct {
	Version   int    `json:"version"` // 1
	Kind      string `json:"kind"`    // "env"
	Target    string `json:"target"`
	Name      string `json:"name"`
	Reachable bool   `json:"reachable"` // the command gets it
	// State is "set", "passed" (set to the caller's value), "inherited",
	// "cleared" (the caller has it), "unset" or "absent".
	State string `json:"state"`
	// Value is that of a few variables that hold no secret; else it is absent.
	Value *string `json:"value,omitempty"`
	Shape string  `json:"shape"` // "secret" (by its form), "path", "empty", "other"; "" when the command does not get it
	Cause Cause   `json:"cause"` // the option that decided
	Close string  `json:"close"` // what would keep it out; "" when it is
	Open  string  `json:"open"`  // what would let it in; "" when it is
}

// NewWhyEnv asks j about the variable name.
func NewWhyEnv(j *checker.Jail, name string) *WhyEnv {
	w := &WhyEnv{Version: 1, Kind: "env", Target: j.Name, Name: name}
	if name == "PWD" {
		w.State, w.Reachable, w.Shape = "set", true, "path"
		w.Close = "nothing: bwrap always sets it, to where the command starts"
		return w
	}
	option, value, lost := decides(j.Sandbox, name)
	w.Cause = cause(j, option)
	w.state(j, value, lost)
	if !w.Reachable {
		w.Open = openEnv(j, name)
		return w
	}
	for _, v := range j.Env().Set {
		if v.Name == name {
			w.Value, w.Shape = v.Value, v.Shape
		}
	}
	w.Close = closeEnv(j, w, option)
	return w
}

// state takes what the deciding option says, and what the caller has.
func (w *WhyEnv) state(j *checker.Jail, value string, lost bool) {
	caller, callers := lookup(j.Environ, w.Name)
	switch o := w.Cause.Option; {
	case o == "--setenv" && callers && caller == value:
		w.State = "passed"
	case o == "--setenv":
		w.State = "set"
	case o == "--unsetenv":
		w.State = "unset"
	case o == "--clearenv" && (callers || lost):
		w.State = "cleared"
	case o == "" && callers:
		w.State = "inherited"
	default:
		w.State, w.Cause = "absent", Cause{}
	}
	w.Reachable = w.State == "passed" || w.State == "set" || w.State == "inherited"
}

func lookup(environ []string, name string) (value string, ok bool) {
	for _, kv := range environ {
		if n, v, found := strings.Cut(kv, "="); found && n == name {
			value, ok = v, true
		}
	}
	return value, ok
}

// decides returns the option with the last word on a variable, -1 for none, and
// the value that it sets. lost tells that a --clearenv dropped an earlier --setenv.
func decides(s *sandbox.Sandbox, name string) (option int, value string, lost bool) {
	option = -1
	for i, o := range s.Options {
		switch {
		case o.Name == "--clearenv":
			lost = option >= 0 && s.Options[option].Name == "--setenv"
			option, value = i, ""
		case (o.Name == "--setenv" || o.Name == "--unsetenv") && o.Args[0] == name:
			option, value = i, ""
			if o.Name == "--setenv" {
				value = o.Args[1]
			}
		}
	}
	return option, value, lost
}

func closeEnv(j *checker.Jail, w *WhyEnv, option int) string {
	switch {
	case w.Cause.Added != "":
		return "write gate { inform = false } in the configuration"
	case option < 0:
		return "clear the environment with --clearenv, or leave it out with --unsetenv " + w.Name
	}
	return dropped(j, j.Sandbox.Options[option], "--setenv "+Escape(w.Name))
}

// openEnv says how the person who starts the jail can let a variable in.
func openEnv(j *checker.Jail, name string) string {
	switch name = Escape(name); j.Notation() {
	case notation.Add:
		return fmt.Sprintf("--add 'fwd-env %s' passes the caller's value, --add 'set-env %s VALUE' sets one", name, name)
	case notation.Nix:
		return fmt.Sprintf("the combinators (try-fwd-env %q) and (set-env %q \"VALUE\")", name, name)
	}
	return "--setenv " + name + " VALUE"
}

var stateText = map[string]string{
	"set": "gets %s, which is set for it", "passed": "gets %s, with its caller's value", "inherited": "inherits %s from its caller",
	"cleared": "does not get %s: its environment is cleared", "unset": "does not get %s: it is taken out", "absent": "does not get %s: nothing sets it",
}

// Text writes w for people.
func (w *WhyEnv) Text(out io.Writer, s Style) error {
	p := &printer{w: out, style: s}
	color := green
	if w.Reachable {
		color = yellow
	}
	p.line("the jail %s %s", Escape(w.Target), s.paint(color, fmt.Sprintf(stateText[w.State], Escape(w.Name))))
	if w.Value != nil {
		p.section("   value", Escape(*w.Value))
	} else if w.Reachable && w.Shape != "" {
		p.section("   value", map[string]string{"secret": "looks like a secret; not shown", "empty": "empty"}[w.Shape]+
			map[string]string{"path": "a path; not shown", "other": "not shown, for it may be secret"}[w.Shape])
	}
	if w.Cause.Option != "" {
		p.section("   option", w.Cause.Option)
	}
	p.because(w.Cause)
	if w.Close != "" {
		p.section("   close", w.Close)
	}
	if w.Open != "" {
		p.section("   open", w.Open)
	}
	return p.err
}

// because says where an option comes from.
func (p *printer) because(c Cause) {
	if c.Origin != "" {
		p.section("   from", Escape(c.Origin))
	}
	if c.Added != "" {
		p.section("   ocjail", note(c, false))
	}
}

// Reached tells whether the command gets the variable.
func (w *WhyEnv) Reached() bool { return w.Reachable }
