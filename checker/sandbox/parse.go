package sandbox

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ParseError says which word of which argument list could not be read.
type ParseError struct {
	Word   int    // position, from 0, in argv or in the --args file
	File   int    // descriptor of the --args file, or -1 for argv
	Option string // the option, or the word itself
	Reason string
}

func (e *ParseError) Error() string {
	where := "argument " + strconv.Itoa(e.Word+1)
	if e.File >= 0 {
		where += " of --args " + strconv.Itoa(e.File)
	}
	return fmt.Sprintf("%s (%s): %s", where, strconv.Quote(e.Option), e.Reason)
}

// ExitError says that the argv asks bwrap to print something and exit, which it
// does wherever the option stands, starting nothing.
type ExitError struct{ Option string } // "--help" or "--version"

func (e *ExitError) Error() string {
	return "nothing is launched: " + e.Option + " makes bwrap print and exit"
}

// ErrNoCommand says that no command follows the options.
var ErrNoCommand = errors.New("no command to run: write it after the options, as in bwrap … -- COMMAND")

// ReadArgs returns the content of descriptor fd for --args; ParseArgv calls it
// once for each --args option.
type ReadArgs func(fd int) ([]byte, error)

// ParseArgv reads bwrap's arguments, without argv[0]. It knows every option of
// bubblewrap 0.8 to 0.11 and OriginOption, and takes only what bwrap would take
// to mean the same: errors are *ParseError, *ExitError or ErrNoCommand.
func ParseArgv(words []string, read ReadArgs) (*Sandbox, error) {
	p := &parser{read: read, total: len(words), file: -1}
	rest, err := p.options(words)
	if err != nil {
		return nil, err
	}
	if len(rest) == 0 || rest[0] == "" {
		return nil, ErrNoCommand
	}
	if p.total > MaxArgs {
		return nil, p.fail(len(words)-1, words[len(words)-1], "bwrap takes at most %d arguments in all, here are %d", MaxArgs, p.total)
	}
	s := &Sandbox{Options: p.done, Command: slices.Clone(rest)}
	if err := uniqueDescriptors(p.used); err != nil {
		return nil, err
	}
	return s, nil
}

type parser struct {
	read    ReadArgs
	total   int
	done    []Option
	used    []Descriptor // in order, those of --args too
	origin  string
	file    int
	pending struct {
		perms, size bool
		overlays    int
	}
}

func (p *parser) fail(pos int, option, format string, args ...any) error {
	return &ParseError{Word: pos, File: p.file, Option: option, Reason: fmt.Sprintf(format, args...)}
}

// options reads options up to "--" or the first word that is none, and returns
// what is left; nil when the words ran out before either.
func (p *parser) options(words []string) ([]string, error) {
	for i := 0; i < len(words); {
		w := words[i]
		if w == "--" {
			return words[i+1:], p.unfinished(i, w)
		}
		if !strings.HasPrefix(w, "-") {
			return words[i:], p.unfinished(i, w)
		}
		n, err := p.option(words, i)
		if err != nil {
			return nil, err
		}
		i += n
	}
	return nil, p.unfinished(len(words)-1, "end of the options")
}

// option reads the option at words[i] and returns how many words it took.
func (p *parser) option(words []string, i int) (int, error) {
	name := words[i]
	spec := specByName[name]
	if spec == nil {
		return 0, p.fail(i, name, "unknown option of bwrap; known are those of bubblewrap 0.8 to 0.11")
	}
	n := len(spec.Operands)
	if len(words) < i+1+n {
		return 0, p.fail(i, name, "truncated: takes %d argument(s), %d left", n, len(words)-i-1)
	}
	args := words[i+1 : i+1+n]
	for k, kind := range spec.Operands {
		if err := checkOperand(kind, args[k]); err != nil {
			return 0, p.fail(i+1+k, beginning(args[k]), "%s: %v", name, err)
		}
	}
	if k := spec.fdIndex(); k >= 0 {
		number, _ := strconv.Atoi(args[k])
		p.used = append(p.used, Descriptor{Option: i, Name: name, FD: number})
	}
	return n + 1, p.accept(spec, i, args)
}

// beginning is a word, as far as a message has use of it.
func beginning(word string) string {
	const most = 60
	if len(word) <= most {
		return word
	}
	return strings.ToValidUTF8(word[:most], "") + "…"
}

func (p *parser) accept(spec *Spec, i int, args []string) error {
	switch spec.Class {
	case exitOp:
		return &ExitError{spec.Name}
	case originOp:
		p.origin = args[0]
		p.total -= 2 // bwrap does not see it
		return nil
	case argsOp:
		return p.argsFile(i, args[0])
	}
	if err := p.modify(spec, i); err != nil {
		return err
	}
	p.done = append(p.done, Option{Name: spec.Name, Args: slices.Clone(args), Origin: p.origin})
	return nil
}

// modify keeps account of the modifiers that wait for the option they change.
func (p *parser) modify(spec *Spec, i int) error {
	if spec.Class == modifier {
		return p.wait(spec.Name, i)
	}
	if p.pending.overlays < minOverlaySources[spec.Name] {
		return p.fail(i, spec.Name, "needs at least %d --overlay-src before it", minOverlaySources[spec.Name])
	}
	if slices.Contains(spec.Modifiers, "--overlay-src") {
		p.pending.overlays = 0
	}
	if slices.Contains(spec.Modifiers, "--perms") {
		p.pending.perms = false
	}
	if slices.Contains(spec.Modifiers, "--size") {
		p.pending.size = false
	}
	return p.unfinished(i, spec.Name)
}

func (p *parser) wait(name string, i int) error {
	twice := name == "--perms" && p.pending.perms || name == "--size" && p.pending.size
	if twice {
		return p.fail(i, name, "given twice for the same action")
	}
	if p.pending.overlays > 0 && name != "--overlay-src" {
		return p.fail(i, name, "stands between --overlay-src and its overlay")
	}
	switch name {
	case "--perms":
		p.pending.perms = true
	case "--size":
		p.pending.size = true
	default:
		if p.pending.perms || p.pending.size {
			return p.fail(i, name, "follows a --perms or --size that it can not take")
		}
		p.pending.overlays++
	}
	return nil
}

func (p *parser) unfinished(i int, at string) error {
	switch {
	case p.pending.perms:
		return p.fail(i, at, "a --perms before this has no option that makes a file after it")
	case p.pending.size:
		return p.fail(i, at, "a --size before this has no --tmpfs after it")
	case p.pending.overlays > 0:
		return p.fail(i, at, "an --overlay-src before this has no overlay after it")
	}
	return nil
}

// argsFile expands an --args file in place. Words that bwrap would silently
// drop (after "--", or from the first that is no option) are an error.
func (p *parser) argsFile(i int, number string) error {
	if p.file >= 0 {
		return p.fail(i, "--args", "bwrap takes no --args inside an --args file")
	}
	if p.pending.overlays > 0 {
		return p.fail(i, "--args", "stands between --overlay-src and its overlay")
	}
	n, _ := strconv.Atoi(number)
	data, err := p.read(n)
	if err != nil {
		return p.fail(i, "--args", "can not read descriptor %d: %v", n, err)
	}
	words := splitArgs(data)
	p.total += len(words)
	outer := p.origin
	p.file = n
	rest, err := p.options(words)
	if err == nil && rest != nil {
		err = p.fail(len(words)-len(rest), "--args", "something before this ends the options: bwrap would drop the rest of the file without a word")
	}
	p.file, p.origin = -1, outer
	return err
}

// splitArgs cuts an --args file as bwrap does: each NUL ends a word, and a last
// word needs none.
func splitArgs(data []byte) []string {
	if len(data) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
}

// uniqueDescriptors refuses a number that is used twice: bwrap closes it after
// the first use, and what the second would read is anybody's guess.
func uniqueDescriptors(used []Descriptor) error {
	seen := map[int]string{}
	for _, d := range used {
		if other, ok := seen[d.FD]; ok {
			return &ParseError{Word: d.Option, File: -1, Option: d.Name,
				Reason: fmt.Sprintf("descriptor %d is already used by %s; give each its own", d.FD, other)}
		}
		seen[d.FD] = d.Name
	}
	return nil
}
