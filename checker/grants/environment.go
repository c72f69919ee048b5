package grants

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker"
)

// plain are variables that tell of the terminal, the language and the person, and
// steer no program to other files. Their coming and going with the terminal is not
// worth a question. The names of LC_* are locale(7)'s.
var plain = []string{
	"COLORTERM", "COLUMNS", "EDITOR", "FORCE_COLOR", "HOME", "LANG", "LANGUAGE", "LINES", "LOGNAME", "NO_COLOR", "PAGER", "PATH", "PWD", "SHELL",
	"TERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "TZ", "USER", "VISUAL",
	"LC_ADDRESS", "LC_ALL", "LC_COLLATE", "LC_CTYPE", "LC_IDENTIFICATION", "LC_MEASUREMENT", "LC_MESSAGES", "LC_MONETARY", "LC_NAME", "LC_NUMERIC",
	"LC_PAPER", "LC_TELEPHONE", "LC_TIME",
}

// minSecret is the length in bytes below which a value is no secret worth the name.
// Shorter ones, such as "1", are equal by chance.
const minSecret = 8

// environment follows the options as sandbox.Environment does. A value that was
// passed on looks like one that was written, so each name counts; and so does that
// of the caller's variable whose value goes by another name.
func environment(j *checker.Jail) Environment {
	values, except := map[string]string{}, map[string]bool{}
	all := true
	for _, o := range j.Asked.Options {
		switch o.Name {
		case "--clearenv":
			all = false
			clear(values)
			clear(except)
		case "--setenv":
			values[o.Args[0]] = o.Args[1]
			delete(except, o.Args[0])
		case "--unsetenv":
			delete(values, o.Args[0])
			if all {
				except[o.Args[0]] = true
			}
		}
	}
	names := map[string]bool{}
	for name, value := range values {
		if !slices.Contains(plain, name) {
			names[name] = true
		}
		for _, other := range renamed(j, name, value) {
			names[other] = true
		}
	}
	return Environment{All: all, Except: slices.Sorted(maps.Keys(except)), Names: append([]string{}, slices.Sorted(maps.Keys(names))...)}
}

// renamed returns the caller's variables that the jail gets as name, which are not
// plain. The name of a file is no secret, and many variables hold the same one (PWD).
func renamed(j *checker.Jail, name, value string) (others []string) {
	if len(value) < minSecret {
		return nil
	}
	if path.IsAbs(value) {
		if _, err := j.FS.Lstat(value); err == nil {
			return nil
		}
	}
	for _, v := range j.Environ {
		other, has, _ := strings.Cut(v, "=")
		switch {
		case has != value, slices.Contains(plain, other) && other != name:
		case other == name && !slices.Contains(plain, name):
			return nil // it is passed by its own name, which counts
		case other != name:
			others = append(others, other)
		}
	}
	return others
}
