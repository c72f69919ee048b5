package profile

import (
	"errors"
	"fmt"
	"strings"
)

// expanding are the characters that a shell would expand or obey: refused
// outside single quotes, for nothing is expanded here.
const expanding = "$`"

// obeyed are refused outside quotes only.
const obeyed = "|&;<>()*?[]!#"

// split cuts s into words as a POSIX shell does (XCU 2.2), without expansions:
// 'literal', "with \" and \\", and \x outside quotes.
func split(s string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == ' ' || c == '\t':
			if inWord {
				words = append(words, word.String())
				word.Reset()
			}
			inWord = false
			continue
		case c == '\'' || c == '"':
			n, err := quoted(s[i:], &word)
			if err != nil {
				return nil, err
			}
			i += n - 1
		case c == '\\':
			if i++; i == len(s) {
				return nil, errors.New("it ends in a backslash")
			}
			word.WriteByte(s[i])
		case strings.IndexByte(expanding+obeyed, c) >= 0 || c < ' ':
			return nil, fmt.Errorf("%q outside quotes: nothing is expanded here, put it in '…'", c)
		default:
			word.WriteByte(c)
		}
		inWord = true
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// quoted reads the quoted text that s begins with, and returns its length.
func quoted(s string, word *strings.Builder) (int, error) {
	quote := s[0]
	for i := 1; i < len(s); i++ {
		c := s[i]
		switch {
		case c == quote:
			return i + 1, nil
		case quote == '"' && strings.IndexByte(expanding, c) >= 0:
			return 0, fmt.Errorf("%q in double quotes: nothing is expanded here, use '…'", c)
		case quote == '"' && c == '\\' && i+1 < len(s) && strings.IndexByte(`"\`+expanding, s[i+1]) >= 0:
			i++
			word.WriteByte(s[i])
		default:
			word.WriteByte(c)
		}
	}
	return 0, fmt.Errorf("a %c is not closed", quote)
}
