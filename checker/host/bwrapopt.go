package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

const (
	bwrapLimit = 64 << 20
	helpLimit  = 1 << 20
	helpTime   = 2 * time.Second
)

// options answers which options a bwrap knows: from the bytes of the program,
// or from what its --help printed.
type options struct {
	program []byte
	help    map[string]bool
}

// has looks for the NUL behind an option, but not for one before it: linkers
// store "--pidns" as the end of a message that ends in it.
func (o options) has(option string) bool {
	if o.help != nil {
		return o.help[option]
	}
	return len(option) > 2 && strings.HasPrefix(option, "--") && bytes.Contains(o.program, []byte(option+"\x00"))
}

// Supports tells whether this bwrap knows an option, such as "--bind-fd". The
// error, when that cannot be told, wraps [sandbox.ErrUnknown].
//
// The option is looked for as a NUL-terminated string in the program: version
// numbers mislead (Debian's 0.8 has --bind-fd, upstream's has not), and running
// `bwrap --help` costs 1.5 ms of every launch. Only where even --ro-bind is not
// in the file, which is a wrapper script then, or where the file may be
// executed but not read, is --help run, once.
func (b *Bwrap) Supports(option string) (bool, error) {
	b.optionsOnce.Do(func() { b.options, b.optionsErr = b.findOptions() })
	return b.options.has(option), b.optionsErr
}

// Legible tells whether the program's bytes name bwrap's options, so that Supports need
// not execute it.
func (b *Bwrap) Legible() bool {
	b.programOnce.Do(func() {
		program, err := readRegular(Local(), Real{Path: b.Path, Stat: sandbox.Stat{Dev: b.ID.Dev, Ino: b.ID.Ino}}, bwrapLimit)
		if err == nil && (options{program: program}).has("--ro-bind") {
			b.program = program
		}
	})
	return b.program != nil
}

func (b *Bwrap) findOptions() (options, error) {
	if b.Legible() {
		return options{program: b.program}, nil
	}
	text, err := b.run(context.Background(), "--help")
	if err != nil {
		return options{}, fmt.Errorf("options of %s: %w: %w", b.Path, sandbox.ErrUnknown, err)
	}
	help := make(map[string]bool, 128)
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 0 && strings.HasPrefix(words[0], "--") {
			help[words[0]] = true
		}
	}
	if !help["--ro-bind"] {
		return options{}, fmt.Errorf("options of %s: %w: its --help does not name --ro-bind: it is not bubblewrap", b.Path, sandbox.ErrUnknown)
	}
	return options{help: help}, nil
}

// Version runs `bwrap --version` and returns what it printed, such as
// "bubblewrap 0.11.0". It is for people to read, not for decisions.
func (b *Bwrap) Version(ctx context.Context) (string, error) {
	out, err := b.run(ctx, "--version")
	return strings.TrimSpace(out), err
}

// run executes bwrap with an empty environment and returns its output.
func (b *Bwrap) run(ctx context.Context, arg string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, helpTime)
	defer cancel()
	var out limited
	cmd := exec.CommandContext(ctx, b.Path, arg)
	cmd.Env = []string{}
	cmd.Stdout = &out
	cmd.WaitDelay = helpTime / 10
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("run %s %s: %w", b.Path, arg, errors.Join(err, ctx.Err()))
	}
	return out.buf.String(), nil
}

// limited is a buffer that refuses more than helpLimit bytes. It does not embed
// the buffer, whose ReadFrom would get around Write.
type limited struct{ buf bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.buf.Len()+len(p) > helpLimit {
		return 0, fmt.Errorf("more than %d bytes of output: %w", helpLimit, io.ErrShortWrite)
	}
	return l.buf.Write(p)
}
