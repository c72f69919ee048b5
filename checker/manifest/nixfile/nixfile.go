// Package nixfile finds the lines of a Nix file at which options are set. It reads
// syntax alone: nothing is evaluated, so what a function makes is not seen.
package nixfile

import (
	"slices"
	"strings"
)

// File is a parsed file.
type File struct {
	definitions []definition
}

// definition is one of an option, or of a set of options.
type definition struct {
	option string // "a.b.c"
	line   int
	value  []node
}

// Parse reads the text of a Nix file. It is an error for brackets, strings or
// comments to be left open; most other mistakes go unnoticed.
func Parse(src []byte) (*File, error) {
	nodes, err := parse(string(src))
	if err != nil {
		return nil, err
	}
	f := &File{}
	f.collect(nodes, "")
	return f, nil
}

// collect notes the definitions in the sets among nodes, also in those that a
// function is applied to: mkIf, mkMerge, optionalAttrs.
func (f *File) collect(nodes []node, prefix string) {
	for i, n := range nodes {
		switch {
		case n.text == "(", n.text == "[":
			f.collect(n.inner, prefix)
		case isSet(nodes, i):
			for _, b := range bindings(n.inner) {
				f.bind(b, prefix)
			}
		}
	}
}

func (f *File) bind(b binding, prefix string) {
	if len(b.path) == 0 {
		return
	}
	var path strings.Builder
	path.WriteString(prefix)
	for _, n := range b.path {
		if n.text == "${" {
			return // a name that only an evaluation tells
		}
		path.WriteString(strings.Trim(n.text, `"`))
	}
	option := strings.TrimPrefix(path.String(), "config.")
	f.definitions = append(f.definitions, definition{option, b.path[0].line, b.value})
	if option == "config" {
		f.collect(b.value, "")
		return
	}
	f.collect(b.value, option+".")
}

// Line returns the line of an option ("a.b.c"), or, with entry >= 0, of that
// element of its list, counted from 0; combinator is a word that stands in it, ""
// for any. exact is false for the nearest line that is known: that of the list, of
// the option, or of a set that the option is in. Without any, line is 0.
func (f *File) Line(option string, entry int, combinator string) (line int, exact bool) {
	for _, d := range f.definitions {
		if d.option != option {
			continue
		}
		if entry < 0 {
			return d.line, true
		}
		at, found := d.element(entry)
		if found != nil && (combinator == "" || mentions(found, combinator)) {
			return at, true
		}
		if line == 0 {
			line = at
		}
	}
	for line == 0 {
		i := strings.LastIndexByte(option, '.')
		if i < 0 {
			break
		}
		option = option[:i]
		line, _ = f.Line(option, -1, "")
	}
	return line, false
}

// element returns the element of the definition's list and its line; nil, and the
// nearest line, where a function makes it.
func (d definition) element(entry int) (line int, element []node) {
	line = d.line
	for _, part := range parts(d.value) {
		i := slices.IndexFunc(part, func(n node) bool { return n.text == "[" })
		if i < 0 { // how many it makes is not known
			if len(part) > 0 {
				line = part[0].line
			}
			return line, nil
		}
		line = part[i].line
		list := elements(part[i].inner)
		if entry < len(list) {
			return list[entry][0].line, list[entry]
		}
		entry -= len(list)
	}
	return line, nil
}

// parts splits a value at ++, brackets around it taken away.
func parts(value []node) [][]node {
	for len(value) == 1 && value[0].text == "(" {
		value = value[0].inner
	}
	var all [][]node
	start := 0
	for i, n := range value {
		if n.text == "++" {
			all = append(all, value[start:i])
			start = i + 1
		}
	}
	return append(all, value[start:])
}

func mentions(nodes []node, word string) bool {
	return slices.ContainsFunc(nodes, func(n node) bool { return n.text == word || mentions(n.inner, word) })
}
