package review

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// names lists a folder without following links; none when it is no folder.
func (l *looker) names(path string) ([]dirent, error) {
	a, rel, ok := l.areas.find(path)
	if !ok {
		return nil, nil
	}
	fd, err := a.open(rel, unix.O_RDONLY|unix.O_DIRECTORY)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ELOOP), errors.Is(err, unix.EXDEV):
		return nil, nil
	case errors.Is(err, unix.EACCES) && !a.searchable(rel):
		return nil, nil
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.ENAMETOOLONG):
		l.closed = append(l.closed, path)
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("list %s: %w", path, err)
	}
	defer unix.Close(fd)
	list, err := readDir(fd, maxYoung)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", path, err)
	}
	slices.SortFunc(list, func(a, b dirent) int { return strings.Compare(a.name, b.name) })
	return list, nil
}

var errLarge = errors.New("too many entries")

// folder keeps the file at path, or a folder with all below it. A folder of more
// than limit entries is kept as one.
func (l *looker) folder(path string, limit int, keep func(string) bool) error {
	e, err := l.add(path)
	if err != nil || e.Type != sandbox.Dir {
		return err
	}
	below := looker{areas: l.areas, left: l.left, found: map[string]Entry{}}
	defer func() { l.closed = append(l.closed, below.closed...) }()
	err = below.below(path, limit, 0, keep)
	if errors.Is(err, errLarge) {
		e.Large = true
		l.found[path] = e
		return nil
	}
	for p, e := range below.found {
		l.found[p] = e
	}
	l.left = below.left
	return err
}

func (l *looker) below(path string, limit, depth int, keep func(string) bool) error {
	list, err := l.names(path)
	if err != nil {
		return err
	}
	if depth > maxDepth || len(l.found)+len(list) > limit {
		return errLarge
	}
	if isGitDir(list) {
		return nil // looked at as a repository
	}
	for _, d := range list {
		at := filepath.Join(path, d.name)
		if isDotGit(d.name) {
			continue
		}
		if keep != nil && !keep(at) && d.kind == unix.DT_REG {
			continue
		}
		e, err := l.add(at)
		if err != nil {
			return err
		}
		if e.Type == sandbox.Dir {
			if err := l.below(at, limit, depth+1, keep); err != nil {
				return err
			}
		}
	}
	return nil
}

// young counts the files in a large folder that were made, written, moved or
// renamed since a time: nobody but the kernel sets st_ctime (inode(7)).
func (l *looker) young(path string, since int64) (count int, err error) {
	left := maxYoung
	var visit func(path string, depth int) error
	visit = func(path string, depth int) error {
		list, err := l.names(path)
		if left -= len(list); err != nil || left < 0 || depth > maxDepth || isGitDir(list) {
			if left < 0 || depth > maxDepth {
				count++
			}
			return err
		}
		for _, d := range list {
			at := filepath.Join(path, d.name)
			st, ok, err := l.stat(at)
			if err != nil {
				return err
			}
			if ok && st.Ctim.Nano() >= since && (d.kind != unix.DT_DIR) {
				count++
			}
			if d.kind == unix.DT_DIR && !isDotGit(d.name) {
				if err := visit(at, depth+1); err != nil {
					return err
				}
			}
		}
		return nil
	}
	err = visit(path, 0)
	return count, err
}

// maxYoung bounds how many files of a large folder are looked at.
var maxYoung = 200_000

func (l *looker) stat(path string) (st unix.Stat_t, ok bool, err error) {
	a, rel, found := l.areas.find(path)
	if !found {
		return st, false, nil
	}
	fd, err := a.open(rel, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return st, false, nil // gone, or behind a link: no file of this folder
	}
	defer unix.Close(fd)
	err = unix.Fstat(fd, &st)
	return st, err == nil, err
}
