package manifest

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Env is what is known of the environment that the wrapper starts in; "" for
// what is not.
type Env struct {
	Home       string // $HOME, absolute
	Dir        string // $PWD, absolute
	RuntimeDir string // $XDG_RUNTIME_DIR, absolute
	User       string // $USER
}

func (e Env) variables() variables {
	v := variables{"HOME": e.Home, "PWD": e.Dir, "XDG_RUNTIME_DIR": e.RuntimeDir, "USER": e.User}
	for name, value := range v {
		if value == "" {
			delete(v, name)
		}
	}
	return v
}

// Sandbox models the jail as far as the wrapper's text tells it, without running
// any of it. What only a start can tell is a finding each (RuleUndecided), and in
// the model a path below /undecided, an empty --args file or nothing at all.
// Errors name the element whose text is not that of one bwrap command.
func (m *Manifest) Sandbox(env Env) (*sandbox.Sandbox, []finding.Finding, error) {
	if len(m.script.Cmd) == 0 || m.script.Entry == "" {
		return nil, nil, errors.New("the manifest has no script to judge: enter the devenv shell again")
	}
	v := env.variables()
	code, err := m.runtime(v)
	if err != nil {
		return nil, nil, m.placed(err)
	}
	text, err := m.script.command()
	if err != nil {
		return nil, nil, err
	}
	d := &decoder{vars: v}
	if err := d.command(text); err != nil {
		return nil, nil, m.placed(err)
	}
	s, err := d.sandbox()
	if err != nil {
		return nil, nil, fmt.Errorf("bwrap's options as the manifest has them: %w", err)
	}
	return s, append(m.findings(d), code...), nil
}

// placed adds to a textError where the element was written.
func (m *Manifest) placed(err error) error {
	var text *textError
	if !errors.As(err, &text) {
		return err
	}
	o, _ := m.Origin(text.id)
	what := text.id
	if o.Combinator != "" {
		what = o.Combinator + " of " + what
	}
	if o.File != "" {
		what += " in " + o.File
	}
	return fmt.Errorf("%s: %s", what, text.reason)
}

// sandbox parses the words. Only bwrap's table of options, which is ParseArgv's,
// tells whether an open word stands where a number must be, or where an option
// would begin.
func (d *decoder) sandbox() (*sandbox.Sandbox, error) {
	for {
		words, items := d.words()
		s, err := sandbox.ParseArgv(words, d.descriptor)
		var bad *sandbox.ParseError
		at := -1
		switch {
		case err == nil:
			at = len(words) - len(s.Command)
			if at > 0 && words[at-1] == "--" {
				return s, nil
			}
		case errors.As(err, &bad):
			at = bad.Word
		}
		if at < 0 || at >= len(items) || items[at].open == nil {
			return s, err
		}
		d.retreat(items[at], err == nil)
	}
}

// retreat gives an open word its next form.
func (d *decoder) retreat(i *item, isOption bool) {
	if isOption || i.form == asNumber {
		i.form = asNothing
		return
	}
	i.form = asNumber
	d.numbers++
	i.word = strconv.FormatInt(0o1000+d.numbers, 8) // fits permissions too
}

// descriptor is the content of --args.
func (d *decoder) descriptor(n int) ([]byte, error) {
	for _, i := range d.items {
		if i.form == asNumber && i.word == strconv.Itoa(n) {
			return nil, nil
		}
	}
	return nil, fmt.Errorf("what a descriptor holds is only known when the jail starts: write the options out")
}
