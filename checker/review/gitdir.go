package review

import (
	"bytes"
	"encoding/hex"
	"path/filepath"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// control is a file of a git directory that decides what git runs
// (gitrepository-layout(5)).
type control struct{ name, reason string }

var controls = []control{
	{"config", "core.hooksPath, core.fsmonitor and aliases in it run commands at the next git status"},
	{"config.worktree", "git reads it as configuration where extensions.worktreeConfig is set"},
	{"commondir", "it points git at another repository, whose configuration runs commands"},
	{"gitdir", "it says which work tree belongs to the configuration here"},
	{"info/attributes", "filters and merge drivers that git runs are chosen there"},
	{todo, "git rebase --continue runs the commands in it"},
	{head, "without it git takes the folders above for the repository"},
	{"hooks", "git runs what lies there at the next commit, checkout or push"},
}

const (
	head = "HEAD"
	todo = "rebase-merge/git-rebase-todo"
)

// controlOf returns the reason why path, in one of the git directories, matters.
func controlOf(path string, dirs []string) (dir string, c control, ok bool) {
	for _, d := range dirs {
		rel, in := sandbox.Below(d, path)
		if !in {
			continue
		}
		for _, c := range controls {
			if rel == "/"+c.name || c.name == "hooks" && strings.HasPrefix(rel, "/hooks/") {
				return d, c, true
			}
		}
	}
	return "", control{}, false
}

// repository keeps what decides over a repository: its .git, if it is no folder,
// and the control files of its git directories, which it returns.
func (l *looker) repository(path string) ([]string, error) {
	e, err := l.add(path)
	if err != nil || e.Type != sandbox.Dir {
		return nil, err
	}
	dirs, err := l.gitDirs(path)
	if err != nil {
		return nil, err
	}
	for _, d := range dirs {
		if err := l.controls(d); err != nil {
			return nil, err
		}
	}
	return dirs, nil
}

func (l *looker) controls(dir string) error {
	for _, c := range controls {
		var err error
		switch at := filepath.Join(dir, c.name); c.name {
		case head:
			err = l.head(at)
		case "hooks":
			err = l.folder(at, maxFolder, notSample)
		default:
			_, err = l.add(at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// notSample leaves out git's templates, which it does not run.
func notSample(path string) bool { return !strings.HasSuffix(path, ".sample") }

// head keeps a HEAD, which every commit and switch may change: what counts is
// that git takes it for one (refs.c, validate_headref).
func (l *looker) head(path string) error {
	e, err := l.add(path)
	if err != nil || e.Type != sandbox.Regular {
		return err
	}
	e.Digest = "invalid"
	line := bytes.TrimRight(e.Content, "\r\n \t")
	target, isRef := bytes.CutPrefix(line, []byte("ref:"))
	_, err = hex.DecodeString(string(line))
	if isRef && bytes.HasPrefix(bytes.TrimLeft(target, " \t"), []byte("refs/")) || !isRef && err == nil && (len(line) == 40 || len(line) == 64) {
		e.Digest = "valid"
	}
	l.found[path] = e
	return nil
}

// Bounds of the search for git directories within one.
const (
	maxGitDirs  = 4096
	maxGitDepth = 12
)

// gitDirs returns a git directory and those of its worktrees and submodules,
// which may have some in turn.
func (l *looker) gitDirs(dir string) ([]string, error) {
	found := []string{dir}
	for i := 0; i < len(found); i++ {
		if len(found) > maxGitDirs {
			l.crowded = append(l.crowded, dir)
			break
		}
		trees, err := l.names(filepath.Join(found[i], "worktrees"))
		if err != nil {
			return nil, err
		}
		for _, d := range trees {
			found = append(found, filepath.Join(found[i], "worktrees", d.name))
		}
		modules, err := l.modules(filepath.Join(found[i], "modules"), 0)
		if err != nil {
			return nil, err
		}
		found = append(found, modules...)
	}
	return found, nil
}

// modules returns the git directories below modules: a submodule's name may hold
// slashes.
func (l *looker) modules(path string, depth int) ([]string, error) {
	list, err := l.names(path)
	if err != nil {
		return nil, err
	}
	if depth > maxGitDepth || len(list) > maxGitDirs {
		l.crowded = append(l.crowded, path)
		return nil, nil
	}
	var found []string
	for _, d := range list {
		at := filepath.Join(path, d.name)
		is, err := l.isGitDir(at)
		if err != nil {
			return nil, err
		}
		if is {
			found = append(found, at)
			continue
		}
		below, err := l.modules(at, depth+1)
		if err != nil {
			return nil, err
		}
		found = append(found, below...)
		if len(found) > maxGitDirs {
			break // gitDirs tells
		}
	}
	return found, nil
}
