package profile

import (
	"errors"
	"path"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// A path of a profile or an addition is absolute, or begins with one of these:
// the home directory and the project's root.
const (
	homePrefix    = "~"
	projectPrefix = "{project}"
)

var errPath = errors.New("a path begins with /, ~/ or {project}/, and has no \".\", \"..\", empty or trailing component")

// checkPath refuses what would need guessing: relative and unclean paths, other
// people's homes (~bob), and characters that can't be seen.
func checkPath(p string) error {
	if hclfile.Escape(p) != p {
		return errors.New("a path has no control or invisible characters")
	}
	for _, prefix := range []string{homePrefix, projectPrefix} {
		if rest, ok := strings.CutPrefix(p, prefix); ok && rest == "" {
			return nil
		} else if ok && !clean(rest) || ok && rest == "/" {
			return errPath
		} else if ok {
			return nil
		}
	}
	if !clean(p) {
		return errPath
	}
	return nil
}

// inHome tells whether p, which checkPath accepts, lies below the home.
func inHome(p string) bool { return strings.HasPrefix(p, homePrefix+"/") }

// expand makes a path that checkPath accepts absolute.
func (h Host) expand(p string) string {
	if rest, ok := strings.CutPrefix(p, homePrefix); ok {
		return path.Join(h.Home, rest)
	}
	if rest, ok := strings.CutPrefix(p, projectPrefix); ok {
		return path.Join(h.Project, rest)
	}
	return p
}
