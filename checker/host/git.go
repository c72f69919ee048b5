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
	Dir       string // the work tree's own: HEAD, index
	CommonDir string // what all work trees share: config, hooks, objects; Dir for the main one
}

// FindGit locates the repository of a work tree (gitrepository-layout(5)): a
// .git directory, or a .git file that names one, and its commondir file. The
// directories need not exist, for the file may name one that appears later.
// It returns nil when root has no .git, and does not look above root. A .git
// or commondir that cannot be read is an error that wraps [sandbox.ErrUnknown].
func (f *FS) FindGit(root string) (*Git, error) {
	top, err := f.directory(root)
	if err != nil {
		return nil, err
	}
	dotGit := join(top.Path, ".git")
	real, err := f.RealPath(dotGit)
	if errors.Is(err, fs.ErrNotExist) && len(real.Links) == 0 {
		return nil, nil
	}
	if err == nil && real.Stat.Type == sandbox.Regular {
		real, err = f.gitFile(real.Path)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	common, err := f.commonDir(real.Path)
	if err != nil {
		return nil, err
	}
	return &Git{Root: top.Path, Dir: real.Path, CommonDir: common}, nil
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
