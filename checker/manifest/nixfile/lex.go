package nixfile

import (
	"errors"
	"strings"
)

// token is a word of the language; a string or path is one, whatever is in it.
type token struct {
	text string
	line int
}

// maxDepth bounds brackets in brackets, and strings in strings.
const maxDepth = 200

var (
	errDeep = errors.New("it is nested too deeply")
	errOpen = errors.New("a string, comment or bracket is not closed")
)

type lexer struct {
	src   string
	at    int
	line  int
	depth int
}

// next returns the next token; ok is false at the end.
func (l *lexer) next() (t token, ok bool, err error) {
	if err := l.blank(); err != nil {
		return t, false, err
	}
	if l.at == len(l.src) {
		return t, false, nil
	}
	start, line := l.at, l.line
	rest := l.src[l.at:]
	switch {
	case rest[0] == '"':
		err = l.quoted(`"`)
	case strings.HasPrefix(rest, "''"):
		err = l.quoted("''")
	default:
		l.word(rest)
	}
	return token{l.src[start:l.at], line}, true, err
}

// blank skips blanks and comments.
func (l *lexer) blank() error {
	for l.at < len(l.src) {
		rest := l.src[l.at:]
		n := 0
		switch {
		case strings.ContainsRune(" \t\r\n", rune(rest[0])):
			n = 1
		case rest[0] == '#':
			if n = strings.IndexByte(rest, '\n'); n < 0 {
				n = len(rest)
			}
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return errOpen
			}
			n = end + 4
		default:
			return nil
		}
		l.skip(n)
	}
	return nil
}

func (l *lexer) skip(n int) {
	l.line += strings.Count(l.src[l.at:l.at+n], "\n")
	l.at += n
}

// operators of more than one character, longest first.
var operators = []string{"...", "++", "//", "->", "==", "!=", "<=", ">=", "&&", "||", "${"}

// word skips what the language takes as one word (Nix manual, "Nix Language").
func (l *lexer) word(rest string) {
	for _, o := range operators {
		if strings.HasPrefix(rest, o) {
			l.skip(len(o))
			return
		}
	}
	l.skip(max(1, name(rest), path(rest), uri(rest)))
}

// run is how many bytes at the beginning of s are letters, digits or in more.
func run(s, more string) int {
	i := 0
	for i < len(s) && (isLetter(s[i]) || isDigit(s[i]) || strings.IndexByte(more, s[i]) >= 0) {
		i++
	}
	return i
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

// name is the length of an identifier or number at the beginning of s.
func name(s string) int {
	if isLetter(s[0]) || s[0] == '_' {
		return run(s, "_'-")
	}
	if isDigit(s[0]) {
		return run(s, ".")
	}
	return 0
}

// inPath are the characters of a path's names beside letters and digits.
const inPath = "._+-"

// path is the length of a path at the beginning of s: a/b, ./a, ~/a, <nixpkgs>,
// and what comes before ${ in a/${b}.
func path(s string) int {
	if s[0] == '<' {
		if n := 1 + run(s[1:], inPath+"/"); n > 1 && n < len(s) && s[n] == '>' {
			return n + 1
		}
		return 0
	}
	n := run(s, inPath)
	if s[0] == '~' {
		n = 1
	}
	if n == len(s) || s[n] != '/' {
		return 0
	}
	more := run(s[n+1:], inPath+"/")
	if more == 0 && !strings.HasPrefix(s[n+1:], "${") {
		return 0 // a division
	}
	return n + 1 + more
}

// uri is the length of a URI at the beginning of s: x:y is one too.
func uri(s string) int {
	if !isLetter(s[0]) {
		return 0
	}
	n := run(s, "+.-")
	if n == len(s) || s[n] != ':' {
		return 0
	}
	more := run(s[n+1:], "%/?:@&=+$,_.!~*'-")
	if more == 0 {
		return 0
	}
	return n + 1 + more
}

// quoted skips a string that begins and ends with the mark.
func (l *lexer) quoted(mark string) error {
	if l.depth++; l.depth > maxDepth {
		return errDeep
	}
	defer func() { l.depth-- }()
	l.skip(len(mark))
	for l.at < len(l.src) {
		rest := l.src[l.at:]
		switch {
		case mark == `"` && rest[0] == '\\':
			l.skip(min(2, len(rest)))
		case mark == "''" && (strings.HasPrefix(rest, "'''") || strings.HasPrefix(rest, "''$")):
			l.skip(3)
		case mark == "''" && strings.HasPrefix(rest, `''\`):
			l.skip(min(4, len(rest)))
		case strings.HasPrefix(rest, "$${"):
			l.skip(3)
		case strings.HasPrefix(rest, mark):
			l.skip(len(mark))
			return nil
		case strings.HasPrefix(rest, "${"):
			l.skip(2)
			if err := l.code(); err != nil {
				return err
			}
		default:
			l.skip(1)
		}
	}
	return errOpen
}

// code skips what stands in ${} of a string.
func (l *lexer) code() error {
	for open := 1; open > 0; {
		t, ok, err := l.next()
		if err != nil || !ok {
			return errors.Join(err, errOpen)
		}
		switch t.text {
		case "{", "${":
			open++
		case "}":
			open--
		}
	}
	return nil
}
