package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/profile"
	"github.com/refnil/opencode-jail-devenv/checker/report"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// targetHelp is what every command that looks at jails says of its argument.
const targetHelp = `A TARGET is a profile (an embedded one's name or a .hcl file), a manifest that
the Nix module makes (a .json file with an object), a saved argv of bwrap's (a
.json file with an array of strings), or - for one of these two on standard
input. Without a TARGET: the jail that the devenv shell of this project knows; in
a devenv project outside of its shell what --evaluate has devenv make, which runs
the project's Nix code; in any other the profile opencode. Where the program of a
profile is not here, /bin/sh stands in for it.`

// targets resolves jails that are looked at, not started.
type targets struct {
	flags *jailFlags
	in    io.Reader
	warn  io.Writer
}

// target is a jail to be looked at.
type target struct {
	machine *machine
	request checker.Request
	open    []finding.Finding // what of a manifest only a start can tell
}

// release gives back what the target shares with others.
func (found target) release() {
	if found.machine != nil && found.machine.release != nil {
		found.machine.release()
	}
}

// resolve models one target on this machine.
func (t targets) resolve(name string) (*checker.Jail, target, error) {
	return t.resolveContent(context.Background(), name, nil)
}

// resolveContent is resolve for a file that has been read, or, with nil, has not.
func (t targets) resolveContent(ctx context.Context, name string, content []byte) (*checker.Jail, target, error) {
	if isDevenv(name) {
		var err error
		if name, err = t.ofProject(ctx, filepath.Dir(name)); err != nil {
			return nil, target{}, err
		}
	}
	found, err := t.findContent(name, content)
	if err != nil {
		return nil, found, err
	}
	j, err := found.jail()
	return j, found, err
}

// jail models the target.
func (found target) jail() (*checker.Jail, error) {
	j, err := checker.Resolve(found.request)
	var setup *sandbox.SetupError
	if errors.As(err, &setup) && errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: what the jail names must exist here to be judged (ocjail run makes the directories of a profile's create = true)", err)
	}
	return j, err
}

func (t targets) find(name string) (target, error) { return t.findContent(name, nil) }

func (t targets) findContent(name string, data []byte) (target, error) {
	if t.flags.saved != nil && name != "-" && !isJSON(name) {
		return target{}, errors.New("--host goes with manifests and saved argvs: a profile's jail is made of the machine that it is on")
	}
	if name != "-" && !isJSON(name) {
		words, m, err := t.flags.plan(name)
		if err != nil {
			return target{}, err
		}
		r, err := argvRequest(m, name, words)
		return target{machine: m, request: r}, err
	}
	if len(t.flags.add) > 0 {
		return target{}, errors.New("--add goes with a profile; a manifest or a saved argv is looked at as it is")
	}
	if data == nil {
		var err error
		if data, err = t.read(name); err != nil {
			return target{}, err
		}
	}
	if len(data) > maxTarget {
		return target{}, fmt.Errorf("more than %d MiB", maxTarget>>20)
	}
	return t.parse(name, data)
}

// parse reads the text of a target's file, of standard input for "-".
func (t targets) parse(name string, data []byte) (target, error) {
	if name != "-" && !isJSON(name) {
		words, m, err := t.flags.planOf(func(*machine) (*profile.Profile, error) { return profile.Parse(name, data) })
		if err != nil {
			return target{}, err
		}
		r, err := argvRequest(m, name, words)
		return target{machine: m, request: r}, err
	}
	if bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) {
		return t.flags.manifestTarget(name, data)
	}
	var words []string
	if err := json.Unmarshal(data, &words); err != nil {
		err = fmt.Errorf("neither a JSON array of strings nor a manifest: %w", err)
		if bare(data) != nil {
			err = fmt.Errorf("%w; save it as JSON in UTF-8, without a byte order mark and comments", err)
		}
		return target{}, err
	}
	m, err := t.flags.openForLint(config.Options{})
	if err != nil {
		return target{}, err
	}
	r, err := argvRequest(m, name, words)
	return target{machine: m, request: r}, err
}

func argvRequest(m *machine, name string, words []string) (checker.Request, error) {
	s, err := sandbox.ParseArgv(words, func(n int) ([]byte, error) {
		return nil, fmt.Errorf("a saved argv has no descriptor %d: write the file's options in its place", n)
	})
	if err != nil {
		return checker.Request{}, err
	}
	return m.request(name, s), nil
}

// one resolves the only target of a command that takes at most one. It says on
// t.warn when part of it is open.
func (t targets) one(c *cobra.Command, args []string) (*checker.Jail, error) {
	names, err := t.named(c, args)
	if err != nil {
		return nil, err
	}
	name := names[0]
	j, found, err := t.resolve(name)
	if err != nil {
		return nil, about(name, err)
	}
	if n := finding.Count(found.open, finding.Warning); n > 0 {
		err = report.Error(t.warn, fmt.Errorf("%s: part of this jail is only known when it starts, and not shown here: see ocjail lint", name))
	}
	return j, err
}

// unwritable names the file that somebody named, and not one that was to take its place.
func unwritable(name string, err error) error {
	return fmt.Errorf("%s can not be written: %w", report.Escape(name), pathless(err))
}

// about is err with the target's name before it, unless that is there.
func about(name string, err error) error {
	if report.Names(err.Error(), name) {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

const maxTarget = 16 << 20

func (t targets) read(name string) (data []byte, err error) {
	r := t.in
	if name != "-" {
		f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0) // a FIFO would wait for a writer
		if err != nil {
			return nil, pathless(err)
		}
		defer f.Close()
		if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
			return nil, errors.Join(errors.New("not a regular file; what another program writes is read from standard input, as -"), err)
		}
		r = f
	}
	return io.ReadAll(io.LimitReader(r, maxTarget+1))
}

// pathless drops the name from an error whose place names it already.
func pathless(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// completeTargets offers profiles, and files that can be targets.
func completeTargets(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	names := profile.Names()
	for _, pattern := range []string{"*.hcl", "*.json"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		names = append(names, files...)
	}
	return names, cobra.ShellCompDirectiveDefault
}

// described makes a help text of paragraphs.
func described(paragraphs ...string) string { return strings.Join(paragraphs, "\n\n") }
