package hclfile

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

// Pos is a place in a file; Line and Column count from 1, Column in characters.
type Pos struct {
	File         string
	Line, Column int
}

// String writes the place as file:line:col, the form that editors follow; one
// without a line, which is an option, by its name.
func (p Pos) String() string {
	if p.Line == 0 {
		return Escape(p.File)
	}
	return fmt.Sprintf("%s:%d:%d", Escape(p.File), p.Line, p.Column)
}

// Errorf makes an error about this place; a %w in format is wrapped.
func (p Pos) Errorf(format string, args ...any) error {
	return fmt.Errorf("%s: %w", p, fmt.Errorf(format, args...))
}

// Start is the place where r begins.
func Start(r hcl.Range) Pos {
	return Pos{File: r.Filename, Line: r.Start.Line, Column: r.Start.Column}
}

// Diagnostics is a file's errors, in its order.
type Diagnostics []Diagnostic

// Diagnostic is one error and its place.
type Diagnostic struct {
	Pos     Pos
	Message string
}

// Add appends an error about the text at r.
func (ds *Diagnostics) Add(r hcl.Range, format string, args ...any) {
	*ds = append(*ds, Diagnostic{Start(r), fmt.Sprintf(format, args...)})
}

// maxShown bounds what a hostile file can make a terminal scroll by.
const maxShown = 10

// Error writes one line a diagnostic, at most ten.
func (ds Diagnostics) Error() string {
	var lines []string
	for i, d := range ds {
		if i == maxShown {
			lines = append(lines, fmt.Sprintf("… and %d more", len(ds)-maxShown))
			break
		}
		lines = append(lines, fmt.Sprintf("%s: %s", d.Pos, Escape(d.Message)))
	}
	return strings.Join(lines, "\n")
}

// fromHCL keeps place and text of HCL's errors, and drops its source snippets.
func fromHCL(file string, diags hcl.Diagnostics) Diagnostics {
	var ds Diagnostics
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		pos := Pos{File: file, Line: 1, Column: 1}
		if d.Subject != nil {
			pos = Start(*d.Subject)
		}
		text := d.Detail
		if text == "" {
			text = d.Summary
		}
		ds = append(ds, Diagnostic{pos, lowerFirst(strings.TrimSuffix(text, "."))})
	}
	return ds
}

func lowerFirst(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[size:]
}

// Escape writes s with everything that a terminal might obey (control, format
// and bidirectional characters, invalid UTF-8) as a Go escape.
func Escape(s string) string {
	if !strings.ContainsFunc(s, unsafeRune) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unsafeRune(r):
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// unsafeRune includes U+FFFD, as which invalid UTF-8 is iterated.
func unsafeRune(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }
