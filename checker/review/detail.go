package review

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Detail is a change with how the path is now.
type Detail struct {
	Change
	Now Entry `json:"now"`
	// Diff is unified, without its head; "" where there is none to show.
	Diff string `json:"diff,omitempty"`
	// Note says what the diff does not: types, modes, and why there is none.
	Note string `json:"note,omitempty"`
}

// Details looks at what is pending as it is now.
func (p *Project) Details() ([]Detail, error) {
	all, err := openAreas(p.pending.Areas, nil)
	if err != nil {
		return nil, err
	}
	defer all.close()
	details := make([]Detail, 0, len(p.pending.Changes))
	for _, c := range p.pending.Changes {
		if c.What == Tracked && c.Before.Type == sandbox.Dir {
			continue // for the sake of what is in it, which is listed
		}
		l := newLooker(all)
		now, err := l.entry(c.Path)
		if err != nil {
			return nil, err
		}
		details = append(details, detail(c, now))
	}
	return details, nil
}

func detail(c Change, now Entry) Detail {
	d := Detail{Change: c, Now: now}
	var notes []string
	old, wasFile := text(c.Before)
	current, isFile := text(now)
	switch {
	case c.What == Repository, c.What == Many, c.What == Tracked:
	case isFile && wasFile:
		d.Diff = unified(filepath.Base(c.Path), old, current)
	default:
		notes = append(notes, fmt.Sprintf("it was %s, and is %s", kindOf(c.Before), kindOf(now)))
	}
	if c.Before.Type == now.Type && c.Before.Mode != now.Mode && now.Type == sandbox.Regular {
		notes = append(notes, fmt.Sprintf("mode %04o, was %04o", now.Mode, c.Before.Mode))
	}
	if c.What == New && now.Mode&0o111 != 0 && now.Type == sandbox.Regular {
		notes = append(notes, "it can be executed")
	}
	d.Note = strings.Join(notes, "; ")
	return d
}

// text returns the content of an entry that a diff can show; that of nothing is
// empty.
func text(e Entry) ([]byte, bool) {
	switch {
	case e.Absent():
		return nil, true
	case !e.readable(), !utf8.Valid(e.Content), bytes.ContainsRune(e.Content, 0):
		return nil, false
	}
	return e.Content, true
}

// unified drops the head that names the files.
func unified(name string, old, current []byte) string {
	all := string(diff.Diff(name, old, name, current))
	for range 3 {
		_, all, _ = strings.Cut(all, "\n")
	}
	return all
}
