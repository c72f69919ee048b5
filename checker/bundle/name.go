package bundle

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// The files of a bundle that have a meaning of their own; the first three are
// OPA's. What they are called deeper down, OPA would take for its own as well.
const (
	manifestFile   = ".manifest"
	signaturesFile = ".signatures.json"
	dataFile       = "data.json"
	configFile     = "ocjail.hcl"
	planFile       = "ocjail.plan"
)

// kind is what a file of a bundle is for.
type kind uint8

const (
	unknown     kind = iota
	special          // one of the above
	rule             // Rego or WASM
	description      // of a WASM module
)

// maxName bounds the length of a path: what a tar header holds without extensions.
const maxName = 100

func kindOf(name string) kind {
	switch name {
	case manifestFile, signaturesFile, dataFile, configFile, planFile:
		return special
	}
	switch base := path.Base(name); {
	case base == dataFile || base == "patch.json" || base == "plan.json": // OPA's
		return unknown
	case strings.HasPrefix(base, "."):
		return unknown
	case path.Ext(base) == ".rego" && !strings.HasSuffix(base, "_test.rego"), path.Ext(base) == ".wasm":
		return rule
	case path.Ext(base) == ".json" && !strings.HasPrefix(name, "data/"):
		return description
	}
	return unknown
}

const nameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/"

// badName says what is wrong with a path in an archive, or "". Few characters are
// allowed: paths are printed, and compared by systems that fold case and accents.
func badName(name string) string {
	switch {
	case strings.HasPrefix(name, "/") || slices.Contains(strings.Split(name, "/"), ".."):
		return "leads out of it"
	case !fs.ValidPath(name) || name == ".":
		return "is no clean path"
	case len(name) > maxName:
		return "is too long"
	case strings.ContainsFunc(name, func(c rune) bool { return !strings.ContainsRune(nameCharacters, c) }):
		return "has characters other than letters, digits, . _ - and /"
	}
	return ""
}
