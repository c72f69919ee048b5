package host

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Bounds of the search for submodules, whose folders the agent may fill.
const (
	maxModuleDirs  = 4096
	maxModuleDepth = 12
	maxGitlinks    = 4096
)

// moduleWalk finds the git directories of submodules. A submodule's name may
// hold slashes, so they lie at any depth below modules (gitrepository-layout(5)).
type moduleWalk struct {
	x     *expansion
	found []string
	seen  map[string]bool // by real path, for links may lead back
	dirs  int
}

// modules are the git directories of all submodules and of repositories nested
// in the work tree that the index knows.
func (x *expansion) modules() base {
	git := x.facts.Git
	if git == nil || git.CommonDir == "" {
		return base{err: x.facts.Unknown["git"]}
	}
	w := &moduleWalk{x: x, seen: map[string]bool{}}
	links, err := x.gitlinks()
	if err == nil {
		err = w.repository(git.CommonDir, 0)
	}
	if err == nil && git.Dir != git.CommonDir {
		err = w.repository(git.Dir, 0)
	}
	for _, link := range links {
		dir := join(join(git.Root, link), ".git")
		if real, e := x.fs.RealPath(dir); err == nil && e == nil && real.Stat.Type == sandbox.Dir {
			w.found = append(w.found, dir)
			err = w.repository(dir, 0)
		}
	}
	return base{paths: w.found, err: err}
}

// repository looks for submodules where the git directory dir keeps them: its
// own, and each worktree's.
func (w *moduleWalk) repository(dir string, depth int) error {
	if err := w.below(join(dir, "modules"), depth+1); err != nil {
		return err
	}
	worktrees := join(dir, "worktrees")
	names, err := w.x.names(worktrees)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, name := range names {
		if err := w.below(join(join(worktrees, name), "modules"), depth+3); err != nil {
			return err
		}
	}
	return nil
}

func (w *moduleWalk) below(dir string, depth int) error {
	names, err := w.x.names(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, name := range names {
		if err := w.candidate(join(dir, name), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// candidate takes path for a git directory if it has a HEAD, and else looks
// below it.
func (w *moduleWalk) candidate(path string, depth int) error {
	real, err := w.x.fs.RealPath(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && real.Stat.Type != sandbox.Dir {
		return nil
	}
	if err != nil {
		return err
	}
	if w.dirs++; w.dirs > maxModuleDirs || depth > maxModuleDepth {
		return fmt.Errorf("%s: %w: more than %d folders, or %d levels, where git keeps submodules: remove what is none",
			path, sandbox.ErrUnknown, maxModuleDirs, maxModuleDepth)
	}
	_, err = w.x.fs.Lstat(join(real.Path, "HEAD"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	isRepository := err == nil
	if isRepository {
		w.found = append(w.found, path)
	}
	if w.seen[real.Path] {
		return nil
	}
	w.seen[real.Path] = true
	if isRepository {
		return w.repository(path, depth)
	}
	return w.below(path, depth)
}

// submodules are the folders of the work tree that hold submodules, or will.
// An index that says nothing leaves those whose repository names its folder.
func (x *expansion) submodules() base {
	git := x.facts.Git
	if git == nil || git.Dir == "" {
		return base{err: x.facts.Unknown["git"]}
	}
	links, err := x.gitlinks()
	b := base{err: err}
	for _, link := range links {
		b.paths = append(b.paths, join(git.Root, link))
	}
	if err != nil || x.indexErr == nil {
		return b
	}
	modules, _ := x.base("{git-modules}")
	for _, dir := range modules.paths {
		tree, err := x.fs.coreWorktree(dir)
		if err != nil {
			return base{err: err}
		}
		real, err := x.fs.RealPath(from(dir, tree))
		if tree != "" && (err == nil || errors.Is(err, fs.ErrNotExist)) && within(real.Path, git.Root) && real.Path != git.Root {
			b.paths = append(b.paths, real.Path)
		}
	}
	return base{paths: b.paths, err: modules.err}
}

// gitlinks returns what the index says are repositories of their own, relative
// to the root. Where it says nothing, indexErr tells why.
func (x *expansion) gitlinks() ([]string, error) {
	if x.links == nil {
		index, err := x.fs.TrackedOf(*x.facts.Git, nil)
		x.links, x.indexErr = append([]string{}, index.Gitlinks...), err
	}
	if len(x.links) > maxGitlinks {
		return nil, fmt.Errorf("git index: %w: more than %d submodules", sandbox.ErrUnknown, maxGitlinks)
	}
	for _, link := range x.links {
		if !filepath.IsLocal(link) || filepath.Clean(link) != link || link == "." || strings.HasPrefix(link+"/", ".git/") {
			return nil, fmt.Errorf("git index: %w: %q is no place for a submodule: `git rm --cached` it", sandbox.ErrUnknown, link)
		}
	}
	return x.links, nil
}
