package manifest

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// shell is bash text of which each part is some element's.
type shell struct {
	text   string
	starts []int // where each part begins
	ids    []string
}

func (s *shell) add(id, text string) {
	s.starts, s.ids = append(s.starts, len(s.text)), append(s.ids, id)
	s.text += text
}

// at returns the ID of the element that wrote what is at pos.
func (s *shell) at(pos syntax.Pos) string {
	i := sort.SearchInts(s.starts, int(pos.Offset())+1)
	return s.ids[max(i-1, 0)]
}

// source returns a node's text as it is written.
func (s *shell) source(n syntax.Node) string {
	return s.text[n.Pos().Offset():n.End().Offset()]
}

// textError says which element's shell text can not be read.
type textError struct{ id, reason string }

func (e *textError) Error() string { return e.id + ": " + e.reason }

func (s *shell) parse() (*syntax.File, error) {
	p := syntax.NewParser(syntax.Variant(syntax.LangBash), syntax.KeepComments(true))
	f, err := p.Parse(strings.NewReader(s.text), "")
	var bad syntax.ParseError
	var other syntax.LangError
	switch {
	case errors.As(err, &bad):
		return nil, &textError{s.at(bad.Pos), "its shell text can not be read: " + bad.Text}
	case errors.As(err, &other):
		return nil, &textError{s.at(other.Pos), "its shell text can not be read: " + other.Error()}
	}
	return f, err
}

// call returns the words of the one simple command that the text must be.
func (s *shell) call() ([]*syntax.Word, error) {
	f, err := s.parse()
	if err != nil {
		return nil, err
	}
	if len(f.Stmts) == 0 {
		return nil, errors.New("its script has no command")
	}
	stmt := f.Stmts[0]
	call, simple := stmt.Cmd.(*syntax.CallExpr)
	comments := slices.Concat(f.Last, stmt.Comments)
	switch {
	case len(f.Stmts) > 1:
		err = s.beyond(f.Stmts[1].Pos())
	case !simple:
		err = s.beyond(operator(stmt))
	case len(call.Assigns) > 0:
		err = s.beyond(call.Assigns[0].Pos())
	case len(stmt.Redirs) > 0:
		err = s.beyond(stmt.Redirs[0].Pos())
	case len(comments) > 0:
		err = s.beyond(comments[0].Pos())
	case stmt.Negated || stmt.Background || stmt.Coprocess || stmt.Disown:
		err = s.beyond(stmt.Semicolon)
	default:
		return call.Args, nil
	}
	return nil, err
}

// operator is where a statement stops being a simple command.
func operator(stmt *syntax.Stmt) syntax.Pos {
	if b, ok := stmt.Cmd.(*syntax.BinaryCmd); ok {
		return b.OpPos
	}
	return stmt.Pos()
}

func (s *shell) beyond(pos syntax.Pos) error {
	return &textError{s.at(pos), "its shell text is more than options of bwrap: another command, a redirection, an assignment or a comment"}
}

// command writes what the wrapper runs, as annotateCmd in nix/pieces.nix does:
// with an OriginOption before each run of options that one element wrote. What
// does not begin with an option goes on with the element before.
func (w script) command() (*shell, error) {
	s := &shell{}
	last := ""
	for i, p := range w.Cmd {
		if i > 0 && p.ID != last && beginsOption(p.Text) {
			id, err := syntax.Quote(p.ID, syntax.LangBash)
			if err != nil {
				return nil, fmt.Errorf("the ID %q of an element: %w", p.ID, err)
			}
			s.add(p.ID, " "+sandbox.OriginOption+" "+id)
			last = p.ID
		} else if i == 0 {
			last = p.ID
		}
		s.add(p.ID, p.Text)
	}
	s.add(wrapperID, " -- "+w.Entry)
	if w.Argv != callersArgv {
		s.add(wrapperID, " "+w.Argv)
	}
	return s, nil
}

const (
	// wrapperID is the element that stands for what jail.nix does by itself.
	wrapperID = "jail.nix"
	// callersArgv are the arguments of whoever starts the wrapper: no part of
	// the jail.
	callersArgv = `"$@"`
)

func beginsOption(text string) bool {
	return strings.HasPrefix(text, " --") || strings.HasPrefix(text, " $") || strings.HasPrefix(text, ` "$`)
}
