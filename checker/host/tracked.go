package host

import (
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Tracked tells of each of paths, absolute and clean, what the index of the work tree
// that it lies in says, as [FS.TrackedOf] does: of g's, or of the closest in g.Nested.
// It is nil where that says nothing, outside, and in git directories: git refuses
// entries with a .git in their name (verify_path in its read-cache.c), and an agent
// can write any.
func (f *FS) Tracked(g *Git, paths []string) []*bool {
	answers := make([]*bool, len(paths))
	if g == nil || g.Dir == "" || g.CommonDir == "" {
		return answers // and nobody reviews what becomes of the others' indexes
	}
	trees := append([]Git{*g}, g.Nested...)
	in := make([]int, len(paths)) // one more than the index in trees
	rels := make([]string, len(paths))
	for i, p := range paths {
		for t := range trees {
			rel, ok := sandbox.Below(trees[t].Root, p)
			if ok && (in[i] == 0 || len(trees[t].Root) > len(trees[in[i]-1].Root)) {
				in[i], rels[i] = t+1, strings.TrimPrefix(rel, "/")
			}
		}
		if in[i] > 0 && (rels[i] == "" || HasDotGit(rels[i]) || inGitDir(trees, p)) {
			in[i] = 0
		}
	}
	for t, tree := range trees {
		f.trackedIn(tree, t+1, in, rels, answers)
	}
	return answers
}

// trackedIn answers for the paths whose place in in is t.
func (f *FS) trackedIn(tree Git, t int, in []int, rels []string, answers []*bool) {
	var wanted []string
	for i := range in {
		if in[i] == t {
			wanted = append(wanted, rels[i])
		}
	}
	if wanted == nil {
		return
	}
	index, err := f.TrackedOf(tree, wanted)
	if err != nil {
		return // unknown, which protects more
	}
	for i := range in {
		if in[i] == t {
			answers[i] = index.Of(rels[i])
		}
	}
}

func inGitDir(trees []Git, p string) bool {
	for _, g := range trees {
		if g.Dir != "" && within(p, g.Dir) || g.CommonDir != "" && within(p, g.CommonDir) {
			return true
		}
	}
	return false
}

// HasDotGit tells whether a component of path is .git, in whatever case: git takes none
// of these for a file's name.
func HasDotGit(path string) bool {
	const size = len(".git")
	for i := 0; i+size <= len(path); i++ {
		dot := strings.IndexByte(path[i:], '.')
		if dot < 0 {
			return false
		}
		i += dot
		begins, end := i == 0 || path[i-1] == '/', i+size
		if begins && end <= len(path) && (end == len(path) || path[end] == '/') && strings.EqualFold(path[i:end], ".git") {
			return true
		}
	}
	return false
}

// Nest adds projects within the project, of which roots are the folders, resolved.
func (facts *Facts) Nest(f *FS, roots []string) {
	facts.Nested = roots
	if facts.Git == nil {
		return // without one that is reviewed, none answers
	}
	for _, root := range roots {
		g, err := f.FindGit(root)
		switch {
		case err != nil:
			facts.Git.Nested = append(facts.Git.Nested, Git{Root: root})
		case g != nil:
			facts.Git.Nested = append(facts.Git.Nested, *g)
		}
	}
}
