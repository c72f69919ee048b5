package host

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// gitFileLimit bounds .git files and commondir, which hold one path.
const gitFileLimit = 16 << 10

// Git is where a work tree's repository is. Git itself is never asked: it
// would run programs that the repository's configuration names.
type Git struct {
	Root      string // of the work tree, resolved
	Dir       string // the work tree's own: HEAD, index; empty when that is stray
	CommonDir string // what all work trees share: config, hooks, objects; Dir for the main one; empty when stray
	Stray     []Stray
	// Nested are the repositories of the projects in [Facts.Nested] that have one of their
	// own. One that cannot be read, or is stray, has a Root alone.
	Nested []Git `json:",omitempty"`
}

// Stray is a folder that git would take for the project's repository, or a part
// of it, though nothing but a file of the project says so. The agent writes that
// file; git on the host obeys the configuration of the folder.
type Stray struct {
	File   string // that names the folder: a .git or commondir
	Target string // the folder, resolved; perhaps not there
}

// FindGit locates the repository of a work tree (gitrepository-layout(5)): a
// .git directory, or a .git file that names one, and its commondir file.
// It returns nil when root has no .git, and does not look above root. A .git
// or commondir that cannot be read is an error that wraps [sandbox.ErrUnknown].
//
// A git directory outside root counts only when it names root in return, as
// those of worktrees (in gitdir) and submodules (in core.worktree) do, and a
// common directory only where git puts it: two folders up from a worktree's.
func (f *FS) FindGit(root string) (*Git, error) {
	top, err := f.directory(root)
	if err != nil {
		return nil, err
	}
	dotGit := join(top.Path, ".git")
	dir, err := f.gitDir(dotGit)
	if dir == "" || err != nil {
		return nil, err
	}
	g := &Git{Root: top.Path}
	inside := within(dir, g.Root)
	named := inside
	if !inside {
		named, err = f.namesTree(dir, g.Root)
	}
	switch {
	case err != nil:
		return nil, err
	case !named:
		g.Stray = []Stray{{dotGit, dir}}
		return g, nil
	}
	g.Dir = dir
	common, err := f.commonDir(dir)
	if err != nil {
		return nil, err
	}
	worktree := filepath.Base(parentOf(dir)) == "worktrees" && parentOf(parentOf(dir)) == common
	if common != dir && (!worktree || inside && !within(common, g.Root)) {
		g.Stray = []Stray{{join(dir, "commondir"), common}}
		return g, nil
	}
	g.CommonDir = common
	return g, nil
}

// gitDir follows .git, which is a directory, a file that names one, or a link to
// either; "" when there is none. Where it leads, nothing need be.
func (f *FS) gitDir(dotGit string) (string, error) {
	real, err := f.RealPath(dotGit)
	if errors.Is(err, fs.ErrNotExist) && len(real.Links) == 0 {
		return "", nil
	}
	if err == nil && real.Stat.Type == sandbox.Regular {
		real, err = f.gitFile(real.Path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return real.Path, err
}

func within(path, dir string) bool {
	_, ok := sandbox.Below(dir, path)
	return ok
}

// namesTree tells whether the git directory dir names root as its work tree: a
// worktree's in its file gitdir, any other in core.worktree.
func (f *FS) namesTree(dir, root string) (bool, error) {
	file, err := f.gitLine(join(dir, "gitdir"))
	if err == nil {
		tree, ok := strings.CutSuffix(file, "/.git")
		return ok && f.isTree(from(dir, tree), root), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	tree, err := f.coreWorktree(dir)
	return err == nil && tree != "" && f.isTree(from(dir, tree), root), err
}

// isTree tells whether path leads to root. One that leads nowhere, or where
// nobody can tell, does not.
func (f *FS) isTree(path, root string) bool {
	real, err := f.RealPath(path)
	return err == nil && real.Path == root
}

// coreWorktree returns core.worktree of the git directory dir, "" for none. With
// extensions.worktreeConfig git keeps it in config.worktree (git-worktree(1)).
func (f *FS) coreWorktree(dir string) (string, error) {
	config, err := f.readGitConfig(join(dir, "config"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if config["extensions.worktreeconfig"] == "true" {
		own, err := f.readGitConfig(join(dir, "config.worktree"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if tree, ok := own["core.worktree"]; ok {
			return tree, nil
		}
	}
	return config["core.worktree"], nil
}

// gitFile follows "gitdir: PATH"; a relative path starts at the file.
func (f *FS) gitFile(path string) (Real, error) {
	line, err := f.gitLine(path)
	if err != nil {
		return Real{}, err
	}
	target, ok := strings.CutPrefix(line, "gitdir: ")
	if !ok || target == "" {
		return Real{}, fmt.Errorf("%s: %w: it does not say `gitdir: PATH`: mend or remove it", path, sandbox.ErrUnknown)
	}
	return f.RealPath(from(parentOf(path), target))
}

// commonDir follows the commondir file; without one it is dir itself.
func (f *FS) commonDir(dir string) (string, error) {
	path := join(dir, "commondir")
	line, err := f.gitLine(path)
	if errors.Is(err, fs.ErrNotExist) {
		return dir, nil
	}
	if err == nil && line == "" {
		err = fmt.Errorf("%s: %w: it is empty: git refuses the repository: write the path, or remove it", path, sandbox.ErrUnknown)
	}
	if err != nil {
		return "", err
	}
	real, err := f.RealPath(from(dir, line))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return real.Path, nil
}

// gitLine reads a file of one line, as git does: line ends at its end are cut.
func (f *FS) gitLine(path string) (string, error) {
	data, err := f.read(path, gitFileLimit)
	if err != nil {
		return "", err
	}
	data = bytes.TrimRight(data, "\r\n")
	if bytes.ContainsAny(data, "\n\x00") {
		return "", fmt.Errorf("%s: %w: it has more than one line: mend or remove it", path, sandbox.ErrUnknown)
	}
	return string(data), nil
}

// from takes a path as seen from dir. It is not cleaned: a ".." after a link
// leads above what the link names.
func from(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return join(dir, path)
}
