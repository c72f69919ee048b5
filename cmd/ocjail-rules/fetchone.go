package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/remote"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
)

// fetchOne fetches what a source has for ocjail bundle update, which verifies it. It is
// handed over as a worker.Fetched, for others might change a file, or lead it elsewhere.
func fetchOne(words []string, out io.Writer) error {
	flags := newReaching("bundle-fetch")
	var w remote.Wanted
	flags.StringVar(&w.Digest, "digest", "", "")
	if err := flags.parse(words); err != nil {
		return err
	}
	s, err := flags.source(flags.Arg(0))
	var said worker.Fetched
	if err == nil {
		said.Archive, said.Mark, err = get(flags.client, s, w)
	}
	if err != nil {
		said.Error = err.Error()
	}
	return json.NewEncoder(out).Encode(said)
}

func get(client *remote.Client, s bundle.Source, w remote.Wanted) (archive []byte, mark string, err error) {
	line := newFetching(os.Stderr, s.String())
	client.Progress = line.add
	f, err := client.Get(context.Background(), s, w)
	line.end()
	if err != nil {
		return nil, "", err
	}
	if f.Archive == nil {
		return nil, "", errors.New("it sent nothing")
	}
	return f.Archive, f.Mark, nil
}

// fetching is a line on a terminal that says how much has come of a source.
type fetching struct {
	mu     sync.Mutex
	w      io.Writer // nil for no line
	source string
	width  int
	got    int
	drawn  time.Time
}

func newFetching(f *os.File, source string) *fetching {
	if !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return &fetching{}
	}
	l := &fetching{w: f, source: source, width: 80}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		l.width = width
	}
	l.draw()
	return l
}

// add counts bytes, and draws now and then.
func (l *fetching) add(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.got += n; time.Since(l.drawn) > 100*time.Millisecond {
		l.draw()
	}
}

func (l *fetching) draw() {
	if l.w == nil {
		return
	}
	l.drawn = time.Now()
	text := fmt.Sprintf("fetching %s: %d KiB", l.source, l.got>>10)
	fmt.Fprintf(l.w, "\r%s\x1b[K", text[:min(len(text), l.width-1)])
}

// end wipes the line.
func (l *fetching) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.w != nil {
		fmt.Fprint(l.w, "\r\x1b[K")
		l.w = nil
	}
}
