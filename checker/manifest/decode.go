package manifest

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"mvdan.cc/sh/v3/syntax"
)

// decoder turns the wrapper's text into bwrap's words.
type decoder struct {
	vars    variables
	items   []*item
	opens   []*open
	numbers int64 // given out so far
}

// item is one word of the argv.
type item struct {
	word string
	open *open // nil for a word that is known
	form form
}

// form is what stands in the model for an open word.
type form uint8

const (
	asPath    form = iota // that no host has
	asNumber              // where bwrap wants one
	asNothing             // where an option would begin
)

// open is shell text that only a start can expand.
type open struct {
	id, text string
	taken    bool // ${NAME+…}, judged as if NAME were set
	grave    bool // more than the value of a variable hangs on it
}

// command expands a command that begins with bwrap's path.
func (d *decoder) command(s *shell) error {
	words, err := s.call()
	if err != nil {
		return err
	}
	if len(words) == 0 || !d.vars.knows(words[0]) {
		return &textError{wrapperID, "its script does not begin with the path of bwrap"}
	}
	for _, w := range words {
		if err := d.word(s, w); err != nil {
			return err
		}
	}
	if first := d.items[0].word; path.Base(first) != "bwrap" {
		return &textError{s.at(words[0].Pos()), fmt.Sprintf("its script starts %q, and not bwrap", first)}
	}
	d.items = d.items[1:]
	return nil
}

func (d *decoder) word(s *shell, w *syntax.Word) error {
	if d.vars.knows(w) {
		fields, err := d.vars.fields(w)
		if err != nil {
			return &textError{s.at(w.Pos()), fmt.Sprintf("its shell text %s can not be expanded: %v", s.source(w), err)}
		}
		for _, f := range fields {
			d.items = append(d.items, &item{word: f})
		}
		return nil
	}
	o := d.opening(s.at(w.Pos()), s.source(w))
	if alt := alternative(w); alt != nil && d.alternative(o, s.source(alt)) {
		return nil
	}
	d.leave(o, o.text)
	return nil
}

// opening returns the one open of that text in that element.
func (d *decoder) opening(id, text string) *open {
	i := slices.IndexFunc(d.opens, func(o *open) bool { return o.id == id && o.text == text })
	if i < 0 {
		i, d.opens = len(d.opens), append(d.opens, &open{id: id, text: text})
	}
	return d.opens[i]
}

// alternative takes ${NAME+text} as set; false where text is not plain words.
func (d *decoder) alternative(o *open, text string) bool {
	s := &shell{}
	s.add(o.id, text)
	words, err := s.call()
	if err != nil {
		return false
	}
	first := len(d.items)
	for _, w := range words {
		if !d.vars.knows(w) {
			d.leave(o, s.source(w))
			continue
		}
		fields, err := d.vars.fields(w)
		if err != nil {
			d.items = d.items[:first]
			return false
		}
		for _, f := range fields {
			d.items = append(d.items, &item{word: f})
		}
	}
	added := d.items[first:]
	o.taken, o.grave = true, o.grave || len(added) != 3 || added[0].word != "--setenv"
	return true
}

// Undecided is the folder of what stands for open text; no host has it.
const Undecided = "/undecided/"

// leave stands a path that no host has in for shell text.
func (d *decoder) leave(o *open, text string) {
	plain := func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '$' {
			return r
		}
		return '-'
	}
	name := strings.Trim(strings.Map(plain, shorten(text)), "-")
	d.items = append(d.items, &item{word: Undecided + cmp.Or(name, "text"), open: o})
}

// shorten keeps a message, and a path's part, readable.
func shorten(text string) string {
	const most = 60
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

// words returns the argv, and the item of each word.
func (d *decoder) words() ([]string, []*item) {
	var words []string
	var items []*item
	for _, i := range d.items {
		if i.form != asNothing {
			words, items = append(words, i.word), append(items, i)
		}
	}
	return words, items
}
