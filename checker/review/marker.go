package review

import (
	"path/filepath"
	"slices"
	"strings"
)

// markers are the files that make a folder a project of its own, as a .git does, or
// configure its jails, and why that matters. Those of the project itself are watched
// paths.
var markers = map[string]string{
	"devenv.nix":  "devenv runs it in this folder, which it makes a project of its own",
	"ocjail.lock": "it says which bundles of rules the ocjail.hcl beside it goes by",
	"ocjail.hcl":  "it makes this folder a project of its own, and configures the jails that are started there",
}

func isMarker(path string) bool { return markers[filepath.Base(path)] != "" }

// inGit tells what lies in a git directory by its name. Nobody starts anything there.
func inGit(rel string) bool {
	return slices.ContainsFunc(strings.Split(rel, "/"), isDotGit)
}
