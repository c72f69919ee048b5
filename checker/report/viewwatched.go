package report

import (
	"cmp"
	"path"
	"slices"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// addWatched adds the watched paths that the jail reaches, and those that are
// sockets once more as such.
func (v *View) addWatched(j *checker.Jail) {
	for _, w := range j.Watched {
		way := j.Tree.Widest(w.Path)
		if way.Mount == nil {
			continue
		}
		c := cause(j, way.Mount.Option)
		v.Watched = append(v.Watched, Watched{
			Path: w.Path, Class: w.Class, Access: string(way.Access), How: string(way.How), Inside: way.Inside, Reason: w.Reason, Cause: c,
		})
		known := slices.ContainsFunc(v.Sockets, func(s Socket) bool { return s.Path == w.Path })
		if w.Type == sandbox.Socket && way.How != sandbox.ByBelow && !known {
			v.Sockets = append(v.Sockets, Socket{w.Path, way.Inside, c})
		}
	}
	slices.SortStableFunc(v.Watched, func(a, b Watched) int {
		x, y := sandbox.Access(a.Access), sandbox.Access(b.Access)
		switch {
		case x.WiderThan(y):
			return -1
		case y.WiderThan(x):
			return 1
		}
		return cmp.Or(cmp.Compare(a.Class, b.Class), cmp.Compare(a.Path, b.Path))
	})
}

// clean makes a destination absolute: bwrap takes all of them from the jail's root.
func clean(dest string) string { return path.Clean("/" + dest) }
