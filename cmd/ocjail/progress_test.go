//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/creack/pty"
)

func TestBar(t *testing.T) {
	for _, tc := range []struct {
		done, total int64
		whole       bool
		width       int
		want        string
	}{
		{0, 0, false, 80, "linting [                                        ] 0 of 0 files and more"},
		{50, 100, true, 80, "linting [====================                    ] 50 of 100 files"},
		{50, 100, true, 40, "linting [======       ] 50 of 100 files"},
		{7, 3, false, 80, "linting [                                        ] 7 of 7 files and more"},
		{100000, 100000, true, 20, "100000 of 100000 fi"},
		{1, 2, true, 1, ""},
	} {
		if got := bar(tc.done, tc.total, tc.whole, tc.width); got != tc.want || utf8.RuneCountInString(got) >= max(tc.width, 1) {
			t.Errorf("%+v: %q", tc, got)
		}
	}
}

// lintOnTerminal runs a lint of a folder of some jails on a terminal and returns
// all that was written there.
func lintOnTerminal(t *testing.T, columns uint16, stdoutToo bool, env ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := range 60 {
		jail := `["--unshare-all", "--unshare-user", "--clearenv", "--die-with-parent", "--ro-bind", "/usr", "/usr", "--proc", "/proc", "--", "/usr/bin/env"]`
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.json", i)), []byte(jail), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ocjail, err := exec.LookPath("ocjail")
	if err != nil {
		t.Fatal(err)
	}
	master, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(terminal, &pty.Winsize{Rows: 24, Cols: columns}); err != nil {
		t.Fatal(err)
	}
	homed(t)
	c := exec.Command(ocjail, "lint", dir)
	c.Dir = dir
	c.Env = append(os.Environ(), append([]string{"TERM=xterm"}, env...)...)
	c.Stderr = terminal
	if stdoutToo {
		c.Stdout = terminal
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	terminal.Close()
	out, err := io.ReadAll(master)
	if err != nil && !errors.Is(err, syscall.EIO) { // the terminal is gone
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

var bars = regexp.MustCompile(`\r[^\r\n]*\x1b\[K`)

// The bar is there before the first jail is judged, fits the terminal, and leaves
// nothing behind.
func TestLintOnATerminal(t *testing.T) {
	for _, columns := range []uint16{40, 100} {
		out := lintOnTerminal(t, columns, true)
		if !strings.HasPrefix(out, "\rlinting [") {
			t.Errorf("%d columns: it begins with %.60q", columns, out)
		}
		for _, b := range bars.FindAllString(out, -1) {
			if n := utf8.RuneCountInString(b) - len("\r\x1b[K"); n >= int(columns) {
				t.Errorf("%d columns: a bar of %d: %q", columns, n, b)
			}
		}
		left := bars.ReplaceAllString(out, "")
		if strings.Contains(left, "linting") || strings.Contains(left, "\x1b[K") {
			t.Errorf("%d columns: a bar stays: %q", columns, left)
		}
		for _, l := range strings.Split(strings.ReplaceAll(left, "\r", ""), "\n") {
			if n := utf8.RuneCountInString(l); n > int(columns) && strings.Contains(strings.TrimSpace(l), " ") {
				t.Errorf("%d columns: a line of %d: %q", columns, n, l)
			}
		}
		if !strings.Contains(strings.Join(strings.Fields(left), " "), "60 jails: 60 allowed, 0 refused") {
			t.Errorf("%d columns: no summary: %q", columns, left)
		}
	}
}

func TestLintOnATerminalWithoutColor(t *testing.T) {
	if out := lintOnTerminal(t, 80, true, "NO_COLOR=1"); regexp.MustCompile(`\x1b\[[0-9;]*m`).MatchString(out) {
		t.Errorf("NO_COLOR has colours: %q", out)
	}
	if out := lintOnTerminal(t, 80, true, "TERM=dumb"); strings.Contains(out, "\x1b") {
		t.Errorf("TERM=dumb is sent controls: %q", out)
	}
	if out := lintOnTerminal(t, 80, false); bars.ReplaceAllString(out, "") != "" {
		t.Errorf("standard error gets more than a bar: %q", out)
	}
}
