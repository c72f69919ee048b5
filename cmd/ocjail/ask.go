//go:build linux && !nojail

package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/report"
	"github.com/refnil/opencode-jail-devenv/checker/review"
)

// asker shows changes one by one and does what the person says.
type asker struct {
	in            io.Reader
	out           io.Writer
	project, home string
	least         finding.Severity
	interrupted   <-chan struct{} // ends the questions; what is left stays pending
	lines         chan string
}

// all asks for each change that is pending. The end of input leaves the rest for
// later.
func (a *asker) all(p *review.Project) error {
	v, err := report.NewReview(p, a.project, a.home)
	if err != nil {
		return err
	}
	a.lines = make(chan string)
	go func() {
		defer close(a.lines)
		for s := bufio.NewScanner(a.in); s.Scan(); {
			a.lines <- s.Text()
		}
	}()
	for i, d := range v.Pending {
		if d.Level.Rank() < a.least.Rank() {
			continue
		}
		if err := v.One(a.out, report.StyleOf(a.out), i); err != nil {
			return err
		}
		more, err := a.one(p, d.Path)
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	if n := len(p.Changes()); n > 0 {
		return say(a.out, fmt.Sprintf("Still pending: %d. Decide with ocjail review.", n))
	}
	return nil
}

// one asks until it understands the answer.
func (a *asker) one(p *review.Project, path string) (more bool, err error) {
	match := func(c review.Change) bool { return c.Path == path }
	for {
		if _, err := fmt.Fprint(a.out, "keep, revert, later or quit? [k/r/l/q] "); err != nil {
			return false, err
		}
		var line string
		var ok bool
		select {
		case line, ok = <-a.lines:
		case <-a.interrupted:
		}
		if !ok {
			return false, say(a.out, "")
		}
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "k", "keep":
			_, err := p.Accept(match)
			return err == nil, err
		case "r", "revert":
			n, where, err := p.Revert(match)
			if err != nil {
				complain(a.out, err) // it stays pending
				return true, nil
			}
			return true, say(a.out, reverted(n, where))
		case "l", "later", "":
			return true, nil
		case "q", "quit":
			return false, nil
		}
	}
}
