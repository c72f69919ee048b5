package report

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Style is how a terminal is written to. The zero value is for a pipe: no
// colour, lines as long as they come.
type Style struct {
	Color bool
	Width int // columns; 0 for no limit
}

// StyleOf returns the style for w: coloured and bounded when w is a terminal.
// NO_COLOR (no-color.org) and TERM=dumb switch colours off.
func StyleOf(w io.Writer) Style {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return Style{}
	}
	s := Style{Color: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil {
		s.Width = width
	}
	return s
}

// SGR parameters (ECMA-48): the eight basic colours, which follow the
// terminal's theme.
const (
	bold   = "1"
	dim    = "2"
	red    = "1;31"
	green  = "32"
	yellow = "1;33"
	blue   = "1;34"
	cyan   = "36"
)

// paint writes text with SGR parameters. Text is not escaped here.
func (s Style) paint(sgr, text string) string {
	if !s.Color || sgr == "" || text == "" {
		return text
	}
	return "\x1b[" + sgr + "m" + text + "\x1b[0m"
}
