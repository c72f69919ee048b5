package host

import (
	"errors"
	"strings"
)

// section reads [name], [name.sub] or [name "Sub"] behind the bracket.
func (r *configReader) section() (string, error) {
	r.next()
	name := r.word(isSection)
	if name == "" {
		return "", errors.New("a section without a name")
	}
	if isBlank(r.peek()) {
		for isBlank(r.peek()) {
			r.next()
		}
		sub, err := r.subsection()
		if err != nil {
			return "", err
		}
		name += "." + sub
	}
	if r.next() != ']' {
		return "", errors.New("a section without its closing bracket")
	}
	return name, nil
}

func (r *configReader) subsection() (string, error) {
	if r.next() != '"' {
		return "", errors.New("a subsection without quotes")
	}
	var b strings.Builder
	for {
		c := r.next()
		switch c {
		case '"':
			return b.String(), nil
		case '\\':
			c = r.next()
		}
		if c == '\n' || r.pos > len(r.text) {
			return "", errors.New("a subsection without its closing quote")
		}
		b.WriteByte(c)
	}
}

func (r *configReader) variable() (key, value string, err error) {
	key = r.word(isKey)
	for r.peek() == ' ' || r.peek() == '\t' {
		r.next()
	}
	switch {
	case r.pos >= len(r.text) || r.peek() == '\n':
		return key, "true", nil
	case r.next() != '=':
		return "", "", errors.New("a name without = or a line end behind it")
	}
	value, err = r.value()
	return key, value, err
}

// escapes are the ones that values know; a backslash before a line end joins
// the next line.
var escapes = map[byte]string{'\n': "", 't': "\t", 'b': "\b", 'n': "\n", '\\': "\\", '"': "\""}

// value reads to the end of the line. Blanks outside quotes are kept inside
// the value and cut at its ends.
func (r *configReader) value() (string, error) {
	var b strings.Builder
	quoted, blanks := false, 0
	for {
		atEnd := r.pos >= len(r.text)
		c := r.next()
		switch {
		case (atEnd || c == '\n') && quoted:
			return "", errors.New("a value without its closing quote")
		case atEnd || c == '\n':
			return b.String(), nil
		case !quoted && isBlank(c):
			blanks++
			continue
		case !quoted && (c == ';' || c == '#'):
			r.skipLine()
			continue
		}
		if b.Len() > 0 {
			b.WriteString(r.text[r.pos-1-blanks : r.pos-1])
		}
		blanks = 0
		if c == '"' {
			quoted = !quoted
			continue
		}
		text, err := r.unescape(c)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
	}
}

// unescape returns what c, which has been read, stands for in a value.
func (r *configReader) unescape(c byte) (string, error) {
	if c != '\\' {
		return string([]byte{c}), nil
	}
	text, ok := escapes[r.next()]
	if !ok || r.pos > len(r.text) {
		return "", errors.New("a value with an unknown escape")
	}
	return text, nil
}
