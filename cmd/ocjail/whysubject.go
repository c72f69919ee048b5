package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

// subjectKinds are what `ocjail why` can be asked about, as --as names them.
var subjectKinds = []string{"path", "env", "host"}

// The forms of a word, compiled where they are needed: not at every start.
const (
	variableName = `^[A-Za-z_][A-Za-z0-9_]*$`
	shellCase    = `^[A-Z_][A-Z0-9_]*$`
	endsInPort   = `^[^/]*:[0-9]+$`
)

// subjectKind tells what a word means. A word that means two things is an error,
// for a wrong guess would be a wrong answer.
func subjectKind(word string, knows func(variable string) bool) (string, error) {
	_, err := os.Lstat(word)
	exists := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid) {
		exists = true // it has the form of a path, and looking it up says what is wrong
	}
	kind := "path"
	has := func(form string) bool { return regexp.MustCompile(form).MatchString(word) }
	switch {
	case has(endsInPort):
		kind = "host"
	case has(variableName) && (has(shellCase) || knows(word)):
		kind = "env"
	}
	if kind == "path" || !exists {
		return kind, nil
	}
	other := map[string]string{"env": "a variable", "host": "a port of a host"}[kind]
	return "", fmt.Errorf("%s names a file here, and %s: write ./%s or --as path for the file, --as %s for the other", word, other, word, kind)
}

// answer is what every kind of answer has.
type answer interface {
	document
	Reached() bool
}

// ask answers from the model of a jail.
func ask(word, kind string, j *checker.Jail) (answer, error) {
	if kind == "" {
		var err error
		knows := func(name string) bool { return report.NewWhyEnv(j, name).State != "absent" }
		if kind, err = subjectKind(word, knows); err != nil {
			return nil, err
		}
	}
	switch kind {
	case "env":
		if strings.ContainsAny(word, "=\x00") {
			return nil, fmt.Errorf("%q is no variable's name: it holds no \"=\"", word)
		}
		return report.NewWhyEnv(j, word), nil
	case "host":
		host, port, err := splitAddress(word)
		if err != nil {
			return nil, err
		}
		return report.NewWhyHost(j, host, port), nil
	}
	p, err := hostPath(word, j.Facts.HomeReal, j.Cwd)
	if err != nil {
		return nil, err
	}
	return report.NewWhy(j, p)
}

// splitAddress reads HOST:PORT, where HOST may be empty, and an IPv6 address
// stands in brackets (RFC 3986).
func splitAddress(word string) (host string, port int, err error) {
	i := strings.LastIndexByte(word, ':')
	if i < 0 {
		return "", 0, fmt.Errorf("%s names no port: write HOST:PORT, as in 127.0.0.1:5432", word)
	}
	n, err := strconv.ParseUint(word[i+1:], 10, 16)
	if err != nil || n == 0 {
		return "", 0, fmt.Errorf("%q is no port: write a number from 1 to 65535", word[i+1:])
	}
	host = word[:i]
	switch inner, bracketed := strings.CutPrefix(host, "["); {
	case bracketed && strings.HasSuffix(inner, "]"):
		host = strings.TrimSuffix(inner, "]")
	case strings.ContainsAny(host, "/ "):
		return "", 0, fmt.Errorf("%q is no host's name: leave out a scheme such as http://", host)
	case strings.ContainsAny(host, ":[]"):
		return "", 0, fmt.Errorf("%s: an IPv6 address with a port is written in brackets, as in [::1]:8080", word)
	}
	return host, int(n), nil
}

// hostPath makes a path as a person types it absolute. It does not clean it:
// ".." after a symbolic link leads elsewhere than its text says.
func hostPath(p, home, cwd string) (string, error) {
	switch {
	case p == "~" || strings.HasPrefix(p, "~/"):
		return home + p[1:], nil
	case strings.HasPrefix(p, "~"):
		return "", fmt.Errorf("%s: other users' homes are not looked up: write the path out", p)
	case filepath.IsAbs(p):
		return p, nil
	}
	return cwd + string(os.PathSeparator) + p, nil
}
