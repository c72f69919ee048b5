//go:build linux && !nojail

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/gate"
	"github.com/refnil/opencode-jail-devenv/checker/grants"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

// ask shows what a jail may do that was not approved, and asks at the terminal.
// Without one it shows that on standard error, for whoever reads it there.
func (l *launcher) ask(q gate.Question) (gate.Answer, error) {
	t, err := openTerminal()
	if errors.Is(err, gate.ErrNobody) {
		return gate.Refuse, errors.Join(err, question(l.w, report.StyleOf(l.w), q))
	}
	if err != nil {
		return gate.Refuse, err
	}
	defer t.close()
	if err := question(t.file, report.StyleOf(t.file), q); err != nil {
		return gate.Refuse, fmt.Errorf("ask at the terminal: %w", err)
	}
	return t.answer(q, []choice{
		{'y', "yes, and remember it", gate.Remember}, {'o', "yes, this once", gate.Once}, {'d', "details", details}, {'n', "no", gate.Refuse},
	})
}

// question says what is asked.
func question(w io.Writer, s report.Style, q gate.Question) error {
	head := fmt.Sprintf("ocjail: jail %s was not approved in this project yet. It may do this to the host:", q.Jail)
	if !q.Last.IsZero() {
		head = fmt.Sprintf("ocjail: jail %s may do more than was approved on %s:", q.Jail, q.Last.Local().Format(time.DateTime))
	}
	if err := report.Paragraph(w, s, head); err != nil {
		return err
	}
	return report.Grants(w, s, q.Beyond)
}

// choice is one of the keys at a question.
type choice struct {
	key    byte
	text   string
	answer gate.Answer
}

// details is the choice that is no answer.
const details gate.Answer = -1

// terminal is the one that controls this process.
type terminal struct {
	file  *os.File
	saved *unix.Termios
}

// openTerminal opens the controlling terminal, if this process is in its foreground
// and was given it as one of descriptors 0 to 2: a program that another started
// without, such as an editor's helper, would take keys that are meant for that
// other. It is gate.ErrNobody where there is none.
func openTerminal() (*terminal, error) {
	given := false
	for fd := range 3 {
		group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP) // ENOTTY unless it is the controlling terminal (ioctl_tty(2))
		given = given || err == nil && group == unix.Getpgrp()
	}
	if !given {
		return nil, gate.ErrNobody
	}
	f, err := os.OpenFile("/dev/tty", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, gate.ErrNobody
	}
	saved, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("terminal: %w", err), f.Close())
	}
	lines := *saved // whatever state a program left it in: lines, echoed, with signals
	lines.Iflag |= unix.ICRNL
	lines.Oflag |= unix.OPOST | unix.ONLCR
	lines.Lflag |= unix.ICANON | unix.ECHO | unix.ISIG
	if err := unix.IoctlSetTermios(int(f.Fd()), unix.TCSETSF, &lines); err != nil {
		return nil, errors.Join(fmt.Errorf("terminal: %w", err), f.Close())
	}
	return &terminal{f, saved}, nil
}

func (t *terminal) close() {
	_ = unix.IoctlSetTermios(int(t.file.Fd()), unix.TCSETS, t.saved) // what else could be done
	_ = t.file.Close()
}

// settle is how long after a question keys are still taken for ones that were meant
// for something else.
const settle = 300 * time.Millisecond

// mostTries bounds how often a question is put; then the answer is no.
const mostTries = 5

// answer puts the choices until one is made. What was typed before a question could
// be read is thrown away. The end of input is a no.
func (t *terminal) answer(q gate.Question, choices []choice) (gate.Answer, error) {
	for range mostTries {
		for _, c := range choices {
			if _, err := fmt.Fprintf(t.file, "  %c  %s\n", c.key, c.text); err != nil {
				return gate.Refuse, fmt.Errorf("ask at the terminal: %w", err)
			}
		}
		line, err := t.line()
		if errors.Is(err, io.EOF) {
			return gate.Refuse, nil
		}
		if err != nil {
			return gate.Refuse, fmt.Errorf("ask at the terminal: %w", err)
		}
		switch a, ok := understood(line, choices); {
		case ok && a == details:
			if err := everything(t.file, q); err != nil {
				return gate.Refuse, err
			}
		case ok:
			return a, nil
		default:
			if _, err := fmt.Fprintf(t.file, "That is none of the keys: %s.\n", letters(choices)); err != nil {
				return gate.Refuse, fmt.Errorf("ask at the terminal: %w", err)
			}
		}
	}
	_, err := fmt.Fprintln(t.file, "Taken for a no.")
	return gate.Refuse, err
}

// letters lists those of the choices.
func letters(choices []choice) string {
	var all []string
	for _, c := range choices {
		all = append(all, string(c.key))
	}
	return strings.Join(all, ", ")
}

func (t *terminal) line() (string, error) {
	time.Sleep(settle)
	if err := unix.IoctlSetInt(int(t.file.Fd()), unix.TCFLSH, unix.TCIFLUSH); err != nil {
		return "", err
	}
	if _, err := t.file.WriteString("? "); err != nil {
		return "", err
	}
	return bufio.NewReader(t.file).ReadString('\n')
}

// understood reads a key, or the first word of its text.
func understood(line string, choices []choice) (gate.Answer, bool) {
	line = strings.ToLower(strings.TrimSpace(line))
	for _, c := range choices {
		word, _, _ := strings.Cut(c.text, ",")
		if line == string(c.key) || line == word && c.key == word[0] {
			return c.answer, true
		}
	}
	return gate.Refuse, false
}

// everything shows all that the jail may do, and what that is compared with.
func everything(w io.Writer, q gate.Question) error {
	s := report.StyleOf(w)
	if err := report.Paragraph(w, s, fmt.Sprintf("In the project %s, jail %s may do this to the host, what was approved before included:", q.Project, q.Jail)); err != nil {
		return err
	}
	if err := report.Grants(w, s, grants.Compare(nil, q.Grants)); err != nil {
		return err
	}
	if q.Last.IsZero() {
		return nil
	}
	if err := report.Paragraph(w, s, "Compared with what was approved:"); err != nil {
		return err
	}
	return report.Grants(w, s, q.Beyond)
}
