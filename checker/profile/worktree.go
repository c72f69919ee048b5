package profile

import (
	"fmt"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// worktree binds the repository that the project is a worktree or submodule of.
func (b *build) worktree() error {
	body, h := &b.profile.body, b.host
	common := h.GitCommonDir
	if common == "" || below(common, h.Project) || body.GitWorktree != nil && !*body.GitWorktree || b.added.mounts.shows(common) {
		return nil
	}
	if !clean(common) || below(h.Home, common) {
		return fmt.Errorf("the project's repository %s is or contains your home directory: "+
			"leave it out with git_worktree = false, or move it", hclfile.Escape(common))
	}
	b.add(mount{origin: b.origin(body.GitWorktreeAt), option: bindOption[body.Project.Access], source: common, dest: common})
	return nil
}
