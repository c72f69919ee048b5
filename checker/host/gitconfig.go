package host

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

const gitConfigLimit = 1 << 20

// gitConfig maps "section.key" or "section.subsection.key", section and key in
// lower case, to the last value; a key without a value is "true".
type gitConfig map[string]string

// readGitConfig reads one file in the syntax of git-config(1). Includes are not
// followed. Absence is [fs.ErrNotExist]; a syntax error, on which git stops as
// well, wraps [sandbox.ErrUnknown].
func (f *FS) readGitConfig(path string) (gitConfig, error) {
	data, err := f.read(path, gitConfigLimit)
	if err != nil {
		return nil, err
	}
	config, err := parseGitConfig(string(data))
	if err != nil {
		return nil, fmt.Errorf("%s:%w", path, err)
	}
	return config, nil
}

// Identity is what a person signs commits with; empty where not configured.
type Identity struct {
	Name, Email string
}

// GitIdentity reads user.name and user.email from the person's own
// configuration: $XDG_CONFIG_HOME/git/config, then ~/.gitconfig, which prevails.
// Included files, /etc/gitconfig and the project's configuration are not read.
func (f *FS) GitIdentity(facts Facts) (Identity, error) {
	var id Identity
	for _, path := range userGitConfigs(facts) {
		config, err := f.readGitConfig(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Identity{}, fmt.Errorf("git identity: %w", err)
		}
		if v, ok := config["user.name"]; ok {
			id.Name = v
		}
		if v, ok := config["user.email"]; ok {
			id.Email = v
		}
	}
	return id, nil
}

// GitSetting returns the last value of key, as in [ParseGitConfig], in the
// machine's configuration and the person's own; "" where it is not set. Included
// files and the project's configuration are not read, and git is not asked: in a
// project it would run what the project says.
func (f *FS) GitSetting(facts Facts, key string) (string, error) {
	value := ""
	for _, path := range append([]string{"/etc/gitconfig"}, userGitConfigs(facts)...) {
		config, err := f.readGitConfig(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("git configuration: %w", err)
		}
		if v, ok := config[key]; ok {
			value = v
		}
	}
	return value, nil
}

// configReader reads git's configuration syntax byte by byte, as config.c does.
type configReader struct {
	text string
	pos  int
	line int
}

// ParseGitConfig returns the last value of each "section.key" or
// "section.subsection.key", section and key in lower case, in text of
// git-config(1)'s syntax; a key without a value is "true". A syntax error, on
// which git stops as well, wraps [sandbox.ErrUnknown].
func ParseGitConfig(text string) (map[string]string, error) { return parseGitConfig(text) }

func parseGitConfig(text string) (gitConfig, error) {
	r := &configReader{text: strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n"), line: 1}
	config := gitConfig{}
	section := ""
	for {
		c := r.skipBlank()
		var err error
		switch {
		case c == 0 && r.pos >= len(r.text):
			return config, nil
		case c == '#' || c == ';':
			r.skipLine()
		case c == '[':
			section, err = r.section()
		case isAlpha(c) && section != "":
			var key, value string
			key, value, err = r.variable()
			config[section+"."+key] = value
		default:
			err = errors.New("expected [section] or a name")
		}
		if err != nil {
			return nil, fmt.Errorf("%d: %w: %w", r.line, sandbox.ErrUnknown, err)
		}
	}
}

// peek returns the next byte, 0 at the end.
func (r *configReader) peek() byte {
	if r.pos < len(r.text) {
		return r.text[r.pos]
	}
	return 0
}

func (r *configReader) next() byte {
	c := r.peek()
	r.pos++
	if c == '\n' {
		r.line++
	}
	return c
}

func (r *configReader) skipBlank() byte {
	for isBlank(r.peek()) || r.peek() == '\n' {
		r.next()
	}
	return r.peek()
}

func (r *configReader) skipLine() {
	for c := r.peek(); c != '\n' && r.pos < len(r.text); c = r.peek() {
		r.next()
	}
}

func (r *configReader) word(ok func(byte) bool) string {
	start := r.pos
	for ok(r.peek()) {
		r.next()
	}
	return strings.ToLower(r.text[start:r.pos])
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f' }

func isAlpha(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isKey(c byte) bool { return isAlpha(c) || c >= '0' && c <= '9' || c == '-' }

func isSection(c byte) bool { return isKey(c) || c == '.' }
