package profile

import (
	"errors"
	"fmt"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/spelling"
)

// additions is what the command line's --add options ask for, in their order.
type additions struct {
	mounts              mounts
	env                 []variable
	network, newSession *setting
	git                 *setting
}

// combinator is one permission, by jail.nix's name.
type combinator struct {
	name  string
	args  []string // "PATH" for a path, anything else for any word
	apply func(a *additions, h Host, origin string, args []string) error
}

// combinators lists what --add knows.
var combinators = []combinator{
	{"rw-bind", []string{"PATH", "PATH"}, bind("--bind")},
	{"ro-bind", []string{"PATH", "PATH"}, bind("--ro-bind")},
	{"readwrite", []string{"PATH"}, bind("--bind")},
	{"readonly", []string{"PATH"}, bind("--ro-bind")},
	{"tmpfs", []string{"PATH"}, func(a *additions, _ Host, origin string, args []string) error {
		a.mounts = append(a.mounts, mount{origin: origin, option: "--tmpfs", dest: args[0]})
		return nil
	}},
	{"set-env", []string{"NAME", "VALUE"}, setEnv},
	{"fwd-env", []string{"NAME"}, forwardEnv},
	{"network", nil, func(a *additions, _ Host, origin string, _ []string) error {
		a.network = &setting{true, origin}
		return nil
	}},
	{"no-network", nil, func(a *additions, _ Host, origin string, _ []string) error {
		a.network = &setting{false, origin}
		return nil
	}},
	{"git-identity", nil, func(a *additions, _ Host, origin string, _ []string) error {
		a.git = &setting{true, origin}
		return nil
	}},
	{"new-session", nil, func(a *additions, _ Host, origin string, _ []string) error {
		a.newSession = &setting{true, origin}
		return nil
	}},
}

func bind(option string) func(*additions, Host, string, []string) error {
	return func(a *additions, h Host, origin string, args []string) error {
		source, dest := args[0], args[len(args)-1]
		found, err := h.exists(source)
		if err == nil && !found {
			err = fmt.Errorf("%s does not exist: create it first, or leave it out", hclfile.Escape(source))
		}
		a.mounts = append(a.mounts, mount{origin: origin, option: option, source: source, dest: dest})
		return err
	}
}

func setEnv(a *additions, _ Host, origin string, args []string) error {
	if !validName(args[0]) || hasNUL(args[1]) {
		return errors.New("a variable's name is letters, digits and _, and its value has no NUL")
	}
	a.env = append(a.env, variable{args[0], args[1], origin})
	return nil
}

func forwardEnv(a *additions, h Host, origin string, args []string) error {
	value, ok := h.Lookup(args[0])
	if !ok {
		return fmt.Errorf("the variable %s is not set", hclfile.Escape(args[0]))
	}
	return setEnv(a, h, origin, []string{args[0], value})
}

// parseAdditions reads texts such as "rw-bind ~/a /b"; errors name the text by
// its index.
func parseAdditions(h Host, texts []string) (additions, error) {
	var a additions
	for i, text := range texts {
		origin := fmt.Sprintf("--add[%d]", i)
		if err := a.parse(h, origin, text); err != nil {
			return additions{}, fmt.Errorf("%s: %w", origin, err)
		}
	}
	return a, nil
}

func (a *additions) parse(h Host, origin, text string) error {
	words, err := split(text)
	if err != nil {
		return err
	}
	if len(words) == 0 {
		return errors.New("it is empty: write a permission, as in 'readonly ~/notes'")
	}
	var names []string
	for _, c := range combinators {
		if c.name != words[0] {
			names = append(names, c.name)
			continue
		}
		args := words[1:]
		if len(args) != len(c.args) {
			return fmt.Errorf("write %q, with %d after the name, and not %d", strings.Join(append([]string{c.name}, c.args...), " "), len(c.args), len(args))
		}
		for i, kind := range c.args {
			if kind != "PATH" {
				continue
			}
			if err := checkPath(args[i]); err != nil {
				return fmt.Errorf("%q: %w", args[i], err)
			}
			args[i] = h.expand(args[i])
		}
		return c.apply(a, h, origin, args)
	}
	return fmt.Errorf("unknown permission %q%s: write one of %s", words[0], spelling.DidYouMean(words[0], names), strings.Join(names, ", "))
}
