package worker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// loadLimit bounds the reading and compiling of the rules. A module of Go's takes a
// second on a machine that does nothing else.
const loadLimit = time.Minute

// conversation is with one process, about the rules that it was told first.
type conversation struct {
	process *process
	answers *bufio.Reader
	// loaded waits until the rules are compiled.
	loaded  func() (Loaded, error)
	options Options
	broken  error  // why there will be no more answers
	at      string // the module that was last said to run
}

// converse starts the program and tells it the rules. It must be called on the main
// thread.
func converse(program string, o Options, load Load) (*conversation, error) {
	var folder *os.File
	var key Handover
	if o.Cache != nil {
		folder, key.CacheKey = o.Cache.Hand()
	}
	messages, err := appendLoad(key, load)
	if err != nil {
		return nil, err
	}
	p, err := start(program, folder)
	if err != nil {
		return nil, err
	}
	c := &conversation{process: p, answers: bufio.NewReader(p.out), options: o}
	widen(p.in, len(messages))
	told := make(chan error, 1)
	go func() {
		_, err := p.in.Write(messages)
		told <- err
	}()
	c.loaded = sync.OnceValues(func() (Loaded, error) { return c.handshake(told) })
	go c.loaded() //nolint:errcheck // whoever needs the rules calls it too
	return c, nil
}

// handshake is over when the rules are loaded, and all was told: a worker of another
// build might read nothing of it.
func (c *conversation) handshake(told <-chan error) (Loaded, error) {
	late := fmt.Errorf("compiling rules took more than %s", loadLimit)
	ctx, stop := context.WithTimeoutCause(context.Background(), loadLimit, late)
	defer stop()
	var loaded Loaded
	err := c.talk(ctx, func() error {
		var hello Hello
		if err := Receive(c.answers, &hello); err != nil {
			return err
		}
		if err := hello.Check(c.process.cmd.Path); err != nil {
			return &refusal{err}
		}
		if err := c.receive(&loaded.At, &loaded, c.options.Compiling); err != nil {
			return err
		}
		return <-told
	})
	switch {
	case err != nil:
		return loaded, err
	case loaded.Elsewhere:
		c.process.kill()
		return loaded, &elsewhereError{loaded.Error}
	case loaded.Error != "":
		c.process.kill()
		return loaded, errors.New(loaded.Error)
	case len(loaded.Rules) == 0:
		c.process.kill()
		return loaded, fmt.Errorf("%s names no rule", c.process.cmd.Path)
	}
	for _, n := range loaded.Notes {
		c.options.Note(n)
	}
	return loaded, nil
}

// open is loaded, at most until ctx ends.
func (c *conversation) open(ctx context.Context) (Loaded, error) {
	stop := context.AfterFunc(ctx, c.process.kill)
	defer stop()
	loaded, err := c.loaded()
	if ctx.Err() != nil {
		return loaded, context.Cause(ctx)
	}
	return loaded, err
}

// judge returns the verdict on a policy input.
func (c *conversation) judge(ctx context.Context, input []byte) ([]finding.Finding, error) {
	if c.broken != nil {
		return nil, &EndedError{c.broken}
	}
	var v Verdict
	err := c.talk(ctx, func() error {
		if err := send(c.process.in, input); err != nil {
			return err
		}
		return c.receive(&v.At, &v, nil)
	})
	if err != nil {
		return nil, fmt.Errorf("evaluate rules: %w", err)
	}
	if v.Elsewhere {
		c.process.kill()
		c.broken = &elsewhereError{v.Error}
		return nil, c.broken
	}
	if v.Error != "" {
		return nil, errors.New(v.Error)
	}
	return v.Findings, nil
}

// elsewhereError says that the process can not judge by the rules, and another program
// perhaps can.
type elsewhereError struct{ why string }

func (e *elsewhereError) Error() string { return e.why }

// EndedError says that the process had ended, for the reason that it holds, before
// it was asked. Another may answer.
type EndedError struct{ Err error }

func (e *EndedError) Error() string { return e.Err.Error() }

// Unwrap gives the reason.
func (e *EndedError) Unwrap() error { return e.Err }

// refusal is an error that says all there is to say.
type refusal struct{ error }

// talk runs an exchange with the process, which is killed when ctx ends or the
// exchange fails: there is no way back into step.
func (c *conversation) talk(ctx context.Context, exchange func() error) error {
	stop := context.AfterFunc(ctx, c.process.kill)
	err := exchange()
	inTime := stop()
	var r *refusal
	switch {
	case !inTime:
		err = context.Cause(ctx)
	case errors.As(err, &r):
		err = r.error
		c.process.kill()
	case err != nil:
		err = c.process.died(err)
	}
	if err != nil && c.at != "" {
		err = fmt.Errorf("%s: %w", c.at, err)
	}
	c.broken = err
	return err
}

// receive reads the answer, a message whose field at is empty. The others before
// it tell which module would be to blame; slow is told of one that lasts.
func (c *conversation) receive(at *string, message any, slow func(string)) error {
	c.at = ""
	for {
		module := c.at
		patience := time.AfterFunc(patienceLimit, func() {
			if module != "" && slow != nil {
				slow(module)
			}
		})
		err := Receive(c.answers, message)
		patience.Stop()
		if err != nil || *at == "" {
			return err
		}
		c.at, *at = *at, ""
	}
}

// patienceLimit is how long a person waits without being told what for.
const patienceLimit = 300 * time.Millisecond
