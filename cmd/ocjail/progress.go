package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/term"
)

// progress draws a bar on a terminal while a folder is linted. It is wiped before
// anything else is written there.
type progress struct {
	w     *os.File // nil for no bar
	total atomic.Int64
	whole atomic.Bool // total is all there is
	done  atomic.Int64

	mu     sync.Mutex
	paused bool
	drawn  bool
	stop   func()
}

// redraw is often enough to look alive.
const redraw = 100 * time.Millisecond

// newProgress draws at once if w is a terminal that can wipe a line and one of the
// names is a folder.
func newProgress(w io.Writer, names []string) *progress {
	p := &progress{stop: func() {}}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" || !holdsFolder(names) {
		return p
	}
	p.w = f
	end := make(chan struct{})
	p.stop = sync.OnceFunc(func() { close(end) })
	go func() { // that the walk does not wait for the judging
		walk(names, func(c candidate) bool {
			if !c.ends {
				p.total.Add(1)
			}
			return true
		})
		p.whole.Store(true)
	}()
	p.draw()
	go func() {
		for {
			select {
			case <-time.After(redraw):
				p.draw()
			case <-end:
				return
			}
		}
	}()
	return p
}

func holdsFolder(names []string) bool {
	for _, name := range names {
		if st, err := os.Stat(name); err == nil && st.IsDir() {
			return true
		}
	}
	return false
}

func (p *progress) step(c candidate) {
	if !c.ends {
		p.done.Add(1)
	}
}

// pause wipes the bar; the function that it returns lets it be drawn again.
func (p *progress) pause() (resume func()) {
	if p.w == nil {
		return func() {}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = true
	p.wipe()
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.paused = false
	}
}

func (p *progress) close() {
	p.stop()
	p.pause()
}

func (p *progress) wipe() {
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	p.drawn = false
}

func (p *progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.paused {
		return
	}
	width := 80
	if w, _, err := term.GetSize(int(p.w.Fd())); err == nil && w > 0 {
		width = w
	}
	fmt.Fprintf(p.w, "\r%s\x1b[K", bar(p.done.Load(), p.total.Load(), p.whole.Load(), width))
	p.drawn = true
}

// bar is a line of less than width columns.
func bar(done, total int64, whole bool, width int) string {
	total = max(total, done)
	counts := fmt.Sprintf(" %d of %d files", done, total)
	if !whole {
		counts = fmt.Sprintf(" %d of %d files and more", done, total)
	}
	room := min(width-len("linting []")-len(counts)-1, 40)
	if room < 5 {
		return strings.TrimSpace(counts)[:min(len(counts)-1, max(width-1, 0))]
	}
	filled := 0
	if whole && total > 0 {
		filled = int(int64(room) * done / total)
	}
	return "linting [" + strings.Repeat("=", filled) + strings.Repeat(" ", room-filled) + "]" + counts
}
