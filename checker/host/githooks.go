package host

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// userGitConfigs are the files of a person's own configuration, the later
// prevailing (git-config(1)).
func userGitConfigs(facts Facts) []string {
	return []string{
		filepath.Join(cmp.Or(facts.ConfigHome, filepath.Dir(facts.ConfigDir)), "git", "config"),
		filepath.Join(facts.Home, ".gitconfig"),
	}
}

// hooksPaths are the folders that core.hooksPath names, in the repository's
// configuration and the person's own. All count: which one prevails the agent
// may change. Included files are not read.
func (x *expansion) hooksPaths() base {
	git := x.facts.Git
	if git == nil || git.CommonDir == "" {
		return base{err: x.facts.Unknown["git"]}
	}
	files := append(userGitConfigs(x.facts), join(git.CommonDir, "config"), join(git.Dir, "config.worktree"))
	var b base
	for _, file := range files {
		config, err := x.fs.readGitConfig(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return base{err: err}
		}
		path, err := hooksPath(config["core.hookspath"], x.facts.Home, *git)
		if err != nil {
			return base{err: fmt.Errorf("%s: core.hooksPath: %w", file, err)}
		}
		b.paths = append(b.paths, present(path)...)
	}
	return b
}

// hooksPath makes a value of core.hooksPath absolute; "" when there are no
// hooks. Relative ones start at the work tree (git-config(1)).
func hooksPath(value, home string, git Git) (string, error) {
	path := value
	switch {
	case value == "" || value == "/dev/null":
		return "", nil
	case strings.HasPrefix(value, "~/"):
		path = home + value[1:]
	case strings.HasPrefix(value, "~") || strings.HasPrefix(value, "%("):
		return "", fmt.Errorf("%q: %w: write the path out", value, sandbox.ErrUnknown)
	case !filepath.IsAbs(value):
		path = join(git.Root, value)
	}
	clean := filepath.Clean(path)
	if within(git.Root, clean) || within(git.Dir, clean) {
		return "", fmt.Errorf("%q: %w: it holds more than hooks: give them a folder of their own", value, sandbox.ErrUnknown)
	}
	return strings.TrimRight(path, "/"), nil
}
