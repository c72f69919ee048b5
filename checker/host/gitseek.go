package host

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// seeker finds wanted paths among sorted entries in one pass: the first entry
// that is not less than a path decides whether it is there, and the first not
// less than path + "/" whether anything lies below it.
type seeker struct {
	probes []probe // sorted by key
	next   int
	sparse []string // directories that stand for all below them, sorted
	kept   int      // bytes of names in sparse and index
	effort effort
	index  Index
}

// maxKept bounds what a crafted index makes one remember.
const maxKept = 4 << 20

type probe struct {
	key  []byte
	path string
}

func newSeeker(wanted []string) *seeker {
	s := &seeker{index: Index{Tracked: make(map[string]bool, len(wanted))}}
	for _, path := range wanted {
		s.index.Tracked[path] = false
		s.probes = append(s.probes, probe{[]byte(path), path}, probe{[]byte(path + "/"), path})
	}
	slices.SortFunc(s.probes, func(a, b probe) int { return bytes.Compare(a.key, b.key) })
	return s
}

func (s *seeker) see(e entry) error {
	switch e.mode {
	case modeGitlink:
		if n := len(s.index.Gitlinks); n > 0 && s.index.Gitlinks[n-1] == string(e.name) {
			return nil // another stage
		}
		s.index.Gitlinks = append(s.index.Gitlinks, string(e.name))
	case modeTree:
		s.sparse = append(s.sparse, string(e.name))
	default:
		s.track(e)
		return nil
	}
	if s.kept += len(e.name); s.kept > maxKept {
		return fmt.Errorf("its submodules and sparse directories have names of more than %d bytes together", maxKept)
	}
	return nil
}

func (s *seeker) track(e entry) {
	if e.hidden {
		return
	}
	for ; s.next < len(s.probes); s.next++ {
		p := s.probes[s.next]
		if s.effort.compare(p.key, e.name) > 0 {
			return
		}
		if isDir := len(p.key) > len(p.path); bytes.Equal(p.key, e.name) || isDir && bytes.HasPrefix(e.name, p.key) {
			s.index.Tracked[p.path] = true
		}
	}
}

// finish leaves out what only the commit could tell: paths in directories of
// which a sparse index has but the name, and those directories themselves.
func (s *seeker) finish() Index {
	for path, tracked := range s.index.Tracked {
		if !tracked && (s.isSparse(path) || s.holdsSparse(path)) {
			delete(s.index.Tracked, path)
		}
	}
	return s.index
}

// isSparse tells whether path is one of the sparse directories, whose names end
// in a slash, or lies in one.
func (s *seeker) isSparse(path string) bool {
	whole := path + "/"
	for i, c := range whole {
		if c != '/' {
			continue
		}
		if _, found := slices.BinarySearch(s.sparse, whole[:i+1]); found {
			return true
		}
	}
	return false
}

func (s *seeker) holdsSparse(path string) bool {
	i, _ := slices.BinarySearch(s.sparse, path+"/")
	return i < len(s.sparse) && strings.HasPrefix(s.sparse[i], path+"/")
}
