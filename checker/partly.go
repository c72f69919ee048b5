package checker

import (
	"errors"
	"path"

	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Bounds of the search below partly tracked directories. Beyond, the directory
// counts as not tracked as a whole.
const (
	maxEntries = 1000
	maxDepth   = 4
)

// partlyTracked adds what git does not track in directories of which it tracks
// something: one tracked file must not open the rest, which nobody's diff shows
// (.husky/_ beside .husky/pre-commit).
func partlyTracked(r Request, watched []Watched) ([]Watched, error) {
	var found []Watched
	for i := range watched {
		w := &watched[i]
		if !w.Protect || w.Type != sandbox.Dir || w.Tracked == nil || !*w.Tracked {
			continue
		}
		below, err := untracked(r, w.WatchedPath, maxDepth)
		if errors.Is(err, errTooMany) {
			w.Tracked = new(bool)
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, below...)
	}
	return append(watched, found...), nil
}

var errTooMany = errors.New("too many entries")

// untracked returns the entries below dir that git does not track.
func untracked(r Request, dir host.WatchedPath, depth int) ([]Watched, error) {
	if depth == 0 {
		return nil, errTooMany
	}
	names, err := entries(r.FS, dir.Path)
	if err != nil {
		return nil, err
	}
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = path.Join(dir.Path, name)
	}
	answers := r.tracked(paths)
	var found []Watched
	for i, name := range names {
		w, err := entry(r.FS, dir, name)
		if err != nil {
			return nil, err
		}
		tracked := answers[i]
		switch {
		case tracked == nil || !*tracked:
			found = append(found, Watched{WatchedPath: w, Tracked: tracked})
		case w.Type == sandbox.Dir:
			below, err := untracked(r, w, depth-1)
			if err != nil {
				return nil, err
			}
			found = append(found, below...)
		}
	}
	return found, nil
}

// entry describes name in a watched directory, which it inherits from.
func entry(fs *host.FS, dir host.WatchedPath, name string) (host.WatchedPath, error) {
	w := dir
	w.Path, w.Written = path.Join(dir.Path, name), path.Join(dir.Written, name)
	st, err := fs.Lstat(w.Path)
	if err != nil {
		return w, err
	}
	w.Type, w.Target, w.ID, w.Nlink = st.Type, st.Target, st.ID(), 0
	if st.Type == sandbox.Regular {
		w.Nlink = int(st.Nlink)
	}
	return w, nil
}

func entries(fs *host.FS, dir string) ([]string, error) {
	names, err := fs.Names(dir, maxEntries+1)
	if err != nil {
		return nil, err
	}
	if len(names) > maxEntries {
		return nil, errTooMany
	}
	return names, nil
}
