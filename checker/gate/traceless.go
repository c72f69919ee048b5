package gate

import (
	"slices"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// telling are the options by which others learn of a jail before its command runs: bwrap
// writes its process's number to the first, and locks the file of the second (bwrap(1)).
// Of the others it may say that the kernel takes no such label or filter, which would
// stand above the findings of a jail that is refused.
var telling = []string{"--json-status-fd", "--lock-file", "--exec-label", "--file-label", "--seccomp", "--add-seccomp-fd"}

// traceless tells whether a jail that is built, and ended before its command runs, leaves
// the host as it was, and nobody knows of it. It may then be built before the verdict.
func traceless(j *checker.Jail) bool {
	// The kernel makes a directory in the work directory of an overlay (overlayfs.rst).
	overlay := func(m sandbox.Located) bool { return m.Upper != "" }
	tells := func(o sandbox.Option) bool { return slices.Contains(telling, o.Name) }
	return len(j.Tree.Effects) == 0 && !slices.ContainsFunc(j.Tree.InJail(), overlay) && !slices.ContainsFunc(j.Sandbox.Options, tells)
}
