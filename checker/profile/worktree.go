package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// worktree binds the repository that the project is a worktree or submodule of.
// The project's .git file, which names it, is the agent's to write, and so
// could name any folder of the home: only one that names the project in return
// is bound.
func (b *build) worktree() error {
	body, h := &b.profile.body, b.host
	common := h.GitCommonDir
	if common == "" || below(common, h.Project) || body.GitWorktree != nil && !*body.GitWorktree || b.added.mounts.shows(common) {
		return nil
	}
	known, err := h.knowsProject(common)
	if err != nil {
		return b.errorf(body.GitWorktreeAt, "git_worktree: %w", err)
	}
	if !known || !clean(common) || below(h.Home, common) {
		return fmt.Errorf("the project's .git points at %[1]s, which does not name the project as a worktree or submodule: "+
			"run git worktree repair there, or, if you trust it, add --add 'readwrite %[1]s'", hclfile.Escape(common))
	}
	b.add(mount{origin: b.origin(body.GitWorktreeAt), option: bindOption[body.Project.Access], source: common, dest: common})
	return nil
}

// knowsProject tells whether the git directory common names the project: in
// worktrees/*/gitdir (gitrepository-layout(5)) or, a submodule's, in core.worktree.
func (h Host) knowsProject(common string) (bool, error) {
	entries, err := fs.ReadDir(h.FS, fsName(path.Join(common, "worktrees")))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("cannot list the worktrees of %s: %w", hclfile.Escape(common), reason(err))
	}
	for _, e := range entries {
		dir := path.Join(common, "worktrees", e.Name())
		text, err := h.readIfAny(path.Join(dir, "gitdir"))
		if err != nil {
			return false, err
		}
		if file := strings.TrimSpace(text); path.Base(file) == ".git" && h.isProject(dir, path.Dir(file)) {
			return true, nil
		}
	}
	text, err := h.readIfAny(path.Join(common, "config"))
	if err != nil {
		return false, err
	}
	tree := coreWorktree(text)
	return tree != "" && h.isProject(common, tree), nil
}

// maxGitFile is in bytes, for gitdir files and configurations.
const maxGitFile = 1 << 20

func (h Host) readIfAny(p string) (string, error) {
	b, err := h.read(p, maxGitFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(b), err
}

// isProject tells whether p, relative to dir when not absolute, is the project.
func (h Host) isProject(dir, p string) bool {
	if !path.IsAbs(p) {
		p = dir + "/" + p
	}
	real, _, err := h.resolve(p)
	return err == nil && real == h.Project
}

// coreWorktree finds core.worktree as `git submodule` writes it; "" otherwise.
func coreWorktree(config string) string {
	section := ""
	for _, line := range strings.Split(config, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = line
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if ok && section == "[core]" && strings.TrimSpace(key) == "worktree" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
