package checker

import (
	"path"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// maxNeighbours bounds the folders of a mount that are looked at, one by one. A
// folder with more names is a cache or an archive, not where people keep work.
const maxNeighbours = 512

// repositories are the git repositories in a writable mount, at its source or
// directly below, whose hooks or configuration the jail can write. The project's
// own are left out, for these are watched.
func (b *inputBuilder) repositories(in InputMount) []string {
	list := []string{}
	if !sandbox.Access(in.Access).Writes() || in.Type != string(sandbox.Dir) || in.Hardening || b.own(in.SourceReal) {
		return list
	}
	dirs := []string{in.SourceReal}
	if strings.Contains(in.SourceReal, "/.") {
		// A program's data, such as the home that jail.nix keeps for a jail: what the
		// agent clones there, nobody outside works on.
	} else if names, err := b.FS.Names(in.SourceReal, maxNeighbours+1); err == nil && len(names) <= maxNeighbours {
		slices.Sort(names)
		for _, n := range names {
			if n == ".git" { // the source's own, which obeyed looks at
				continue
			}
			dirs = append(dirs, path.Join(in.SourceReal, n))
		}
	}
	for _, dir := range dirs {
		if !b.own(dir) && b.obeyed(dir) {
			list = append(list, strings.TrimSuffix(dir, "/.git"))
		}
	}
	return list
}

// own tells whether a folder belongs to the project, with the git directories of
// a linked worktree.
func (b *inputBuilder) own(dir string) bool {
	own := []string{b.Facts.ProjectRoot}
	if g := b.Facts.Git; g != nil {
		own = append(own, g.Dir, g.CommonDir)
	}
	return slices.ContainsFunc(own, func(o string) bool {
		_, below := sandbox.Below(o, dir)
		return o != "" && below
	})
}

// obeyed tells whether git would run what the jail can write in a folder: one with
// a work tree, or a bare repository.
func (b *inputBuilder) obeyed(dir string) bool {
	git := path.Join(dir, ".git")
	st, err := b.FS.Lstat(git)
	switch {
	case err == nil && st.Type != sandbox.Dir: // it names the repository
		return b.Tree.Widest(git).Access.Writes()
	case err != nil && b.bare(dir):
		git = dir
	case err != nil:
		return false
	}
	return b.Tree.Widest(path.Join(git, "config")).Access.Writes() || b.Tree.Widest(path.Join(git, "hooks")).Access.Writes()
}

// bare is git's own test (gitrepository-layout(5)).
func (b *inputBuilder) bare(dir string) bool {
	for _, name := range []string{"HEAD", "objects", "refs"} {
		if _, err := b.FS.Lstat(path.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}
