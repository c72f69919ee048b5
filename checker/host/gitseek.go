package host

import (
	"bytes"
	"slices"
	"strings"
)

// seeker finds wanted paths among sorted entries in one pass: the first entry
// that is not less than a path decides whether it is there, and the first not
// less than path + "/" whether anything lies below it.
type seeker struct {
	probes []probe // sorted by key
	next   int
	sparse []string // directories that stand for all below them
	index  Index
}

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

func (s *seeker) see(e entry) {
	if e.mode == modeGitlink && (len(s.index.Gitlinks) == 0 || s.index.Gitlinks[len(s.index.Gitlinks)-1] != string(e.name)) {
		s.index.Gitlinks = append(s.index.Gitlinks, string(e.name))
	}
	if e.mode == modeTree {
		s.sparse = append(s.sparse, string(e.name))
	}
	if e.hidden || e.mode == modeGitlink || e.mode == modeTree {
		return
	}
	for ; s.next < len(s.probes); s.next++ {
		p := s.probes[s.next]
		if bytes.Compare(p.key, e.name) > 0 {
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
		near := func(dir string) bool {
			return strings.HasPrefix(path+"/", dir) || strings.HasPrefix(dir, path+"/")
		}
		if !tracked && slices.ContainsFunc(s.sparse, near) {
			delete(s.index.Tracked, path)
		}
	}
	return s.index
}
