package notation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Notation is a way to write a jail.
type Notation int

// The notations.
const (
	Bwrap   Notation = iota // options on a command line
	Add                     // --add of ocjail run
	Profile                 // HCL
	Nix                     // jail.nix's combinators
)

// Line writes options of bwrap's, given as words, in one line of a notation. What
// the notation has no word for stays as bwrap's.
func Line(words []string, in Notation) string {
	s, err := sandbox.ParseArgv(slices.Concat(words, []string{"--", "sh"}), nil)
	if err != nil || in == Bwrap {
		return strings.Join(words, " ")
	}
	var parts []string
	for _, o := range s.Options {
		parts = append(parts, line(o, in))
	}
	return strings.Join(parts, " and ")
}

func line(o sandbox.Option, in Notation) string {
	known, without := forms[o.Name], lacking[o.Name]
	switch in {
	case Add:
		if known.add != nil {
			return "--add '" + known.add(o.Args) + "'"
		}
	case Profile:
		if known.profile != nil {
			return attributes(known.profile(o.Args))
		}
	case Nix:
		if known.nix != nil {
			return known.nix(o.Args)
		}
		if automatic[o.Name] && without.nix != nil {
			return "drop the combinator " + without.nix(o.Args)
		}
	}
	if in == Nix {
		return fmt.Sprintf("(unsafe-add-raw-args %q)", words(o))
	}
	return words(o)
}

// attributes writes a block of several lines in one, as people say it: HCL has no
// one-line form for more than one attribute.
func attributes(block string) string {
	head, rest, ok := strings.Cut(block, " {\n  ")
	if !ok {
		return block
	}
	return head + " with " + strings.ReplaceAll(strings.TrimSuffix(rest, "\n}"), "\n  ", ", ")
}
