package worker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/cache"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// loadLimit bounds the reading and compiling of the rules.
const loadLimit = 20 * time.Second

// Options are how rules are judged.
type Options struct {
	TimeLimit time.Duration // of one evaluation
	// Cache keeps what is made of the rules; nil to make it each time.
	Cache *cache.Cache
	// Note is told of what went wrong with it, and Compiling of a module that takes
	// long to load; nil for nobody.
	Note, Compiling func(string)
}

// Worker evaluates the rules of some sources in another process.
type Worker struct {
	options Options
	process *process
	answers *bufio.Reader
	load    func() ([]engine.Rule, error) // waits until the rules are compiled
	rules   []engine.Rule
	mu      sync.Mutex // one evaluation at a time
	broken  error      // why there will be no more verdicts
	at      string     // the module that was last said to run
}

var _ engine.Engine = (*Worker)(nil)

// Start starts ocjail-rules on the files, which the pack's rules do not judge by,
// and returns at once; Open waits. It must be called on the main thread, with
// whose end the process ends too.
func Start(o Options, files []engine.File) (*Worker, error) {
	message := Load{Protocol: Protocol, TimeLimit: int64(o.TimeLimit)}
	var folder *os.File
	if o.Cache != nil {
		folder, message.CacheKey = o.Cache.Hand()
	}
	for _, f := range files {
		last := len(message.Sources) - 1
		if last < 0 || message.Sources[last].Name != f.Source.Name || message.Sources[last].Layer != f.Source.Layer {
			message.Sources = append(message.Sources, Source{Name: f.Source.Name, Layer: f.Source.Layer, Files: map[string][]byte{}})
			last++
		}
		message.Sources[last].Files[f.Path] = f.Text
	}
	program, err := Program()
	if err != nil {
		return nil, err
	}
	p, err := start(program, folder)
	if err != nil {
		return nil, err
	}
	w := &Worker{options: o, process: p, answers: bufio.NewReader(p.out)}
	w.load = sync.OnceValues(func() ([]engine.Rule, error) { return w.handshake(message) })
	go w.load() //nolint:errcheck // Open calls it too
	return w, nil
}

func (w *Worker) handshake(message Load) ([]engine.Rule, error) {
	late := fmt.Errorf("compiling rules took more than %s", loadLimit)
	ctx, stop := context.WithTimeoutCause(context.Background(), loadLimit, late)
	defer stop()
	var loaded Loaded
	err := w.talk(ctx, func() error {
		var hello Hello
		if err := Receive(w.answers, &hello); err != nil {
			return err
		}
		if err := hello.Check(w.process.cmd.Path); err != nil {
			return &refusal{err}
		}
		if err := Send(w.process.in, message); err != nil {
			return err
		}
		return w.receive(&loaded.At, &loaded, w.options.Compiling)
	})
	switch {
	case err != nil:
		return nil, err
	case loaded.Error != "":
		w.Close()
		return nil, errors.New(loaded.Error)
	case len(loaded.Rules) == 0:
		w.Close()
		return nil, fmt.Errorf("%s names no rule", w.process.cmd.Path)
	}
	if w.options.Note != nil {
		for _, n := range loaded.Notes {
			w.options.Note(n)
		}
	}
	return loaded.Rules, nil
}

// refusal is an error that says all there is to say.
type refusal struct{ error }

// talk runs an exchange with the process, which is killed when ctx ends or the
// exchange fails: there is no way back into step.
func (w *Worker) talk(ctx context.Context, exchange func() error) error {
	stop := context.AfterFunc(ctx, w.process.kill)
	err := exchange()
	inTime := stop()
	var r *refusal
	switch {
	case !inTime:
		err = context.Cause(ctx)
	case errors.As(err, &r):
		err = r.error
		w.process.kill()
	case err != nil:
		err = w.process.died(err)
	}
	if err != nil && w.at != "" {
		err = fmt.Errorf("%s: %w", w.at, err)
	}
	w.broken = err
	return err
}

// receive reads the answer, a message whose field at is empty. The others before
// it tell which module would be to blame; slow is told of one that lasts.
func (w *Worker) receive(at *string, message any, slow func(string)) error {
	w.at = ""
	for {
		module := w.at
		patience := time.AfterFunc(patienceLimit, func() {
			if module != "" && slow != nil {
				slow(module)
			}
		})
		err := Receive(w.answers, message)
		patience.Stop()
		if err != nil || *at == "" {
			return err
		}
		w.at, *at = *at, ""
	}
}

// patienceLimit is how long a person waits without being told what for.
const patienceLimit = 300 * time.Millisecond

// Open waits until the rules are compiled. An error means that there are no
// rules to trust.
func (w *Worker) Open(ctx context.Context) error {
	stop := context.AfterFunc(ctx, w.Close)
	defer stop()
	var err error
	if w.rules, err = w.load(); ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// Rules implements Engine, once Open has returned.
func (w *Worker) Rules() []engine.Rule { return w.rules }

// Evaluate implements Engine, once Open has returned.
func (w *Worker) Evaluate(ctx context.Context, input []byte) ([]finding.Finding, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return nil, w.broken
	}
	ctx, stop := engine.Limit(ctx, w.options.TimeLimit)
	defer stop()
	var v Verdict
	err := w.talk(ctx, func() error {
		if err := send(w.process.in, input); err != nil {
			return err
		}
		return w.receive(&v.At, &v, nil)
	})
	if err != nil {
		return nil, fmt.Errorf("evaluate rules: %w", err)
	}
	if v.Error != "" {
		return nil, errors.New(v.Error)
	}
	for _, f := range v.Findings {
		if err := w.check(f); err != nil {
			return nil, err
		}
	}
	return v.Findings, nil
}

// check refuses findings that no rule can have made.
func (w *Worker) check(f finding.Finding) error {
	i := slices.IndexFunc(w.rules, func(r engine.Rule) bool { return r.ID == f.Rule })
	if i < 0 {
		return fmt.Errorf("%s reports a finding of %q, which is no rule of its", w.process.cmd.Path, f.Rule)
	}
	if s, err := finding.ParseSeverity(string(f.Severity)); err != nil || s.Rank() > w.rules[i].Severity.Rank() {
		return fmt.Errorf("%s reports a finding of %s with severity %q", w.process.cmd.Path, f.Rule, f.Severity)
	}
	return nil
}

// Close ends the process.
func (w *Worker) Close() { w.process.kill() }
