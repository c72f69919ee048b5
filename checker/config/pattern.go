package config

import (
	"path"
	"strings"
)

// maxStars bounds how often a pattern may hold "**": matching takes a power of it.
const maxStars = 4

// Match tells whether a name matches a pattern: "*" is any part of one path
// component, "?" one character of it, "[a-z]" one of a class, "**" any number of
// components. A pattern that is malformed matches nothing; see validPattern.
func Match(pattern, name string) bool {
	return matchParts(strings.Split(pattern, "/"), strings.Split(name, "/"))
}

func matchParts(pattern, name []string) bool {
	for i, p := range pattern {
		if p == "**" {
			for j := i; j <= len(name); j++ {
				if matchParts(pattern[i+1:], name[j:]) {
					return true
				}
			}
			return false
		}
		if i >= len(name) {
			return false
		}
		if ok, err := path.Match(p, name[i]); err != nil || !ok {
			return false
		}
	}
	return len(name) == len(pattern)
}

// validPattern tells whether Match understands p.
func validPattern(p string) bool {
	stars := 0
	for part := range strings.SplitSeq(p, "/") {
		if part == "**" {
			stars++
		} else if strings.Contains(part, "**") {
			return false
		}
		if _, err := path.Match(part, ""); err != nil {
			return false
		}
	}
	return stars <= maxStars
}

// escapePattern makes a path match only itself.
func escapePattern(p string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(p)
}
