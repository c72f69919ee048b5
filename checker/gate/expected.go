package gate

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// expectation is what bwrap makes of a jail, as the model has it. It is worked out
// while bwrap makes it.
type expectation struct {
	mounts map[line]int   // how many of each
	unseen map[string]int // how many at each point, whose flags bwrap leaves as they are
	procs  []string       // where a new procfs is
	shown  []shown
}

// line is a mount as both sides can tell it.
type line struct {
	point    string
	readOnly bool
}

func (l line) String() string {
	if l.readOnly {
		return strconv.Quote(l.point) + " (read-only)"
	}
	return strconv.Quote(l.point) + " (writable)"
}

// shown is a file or directory of the host's that a visible mount shows.
type shown struct {
	point, source string
	is            sandbox.ID // as it was judged
}

// expect works out what fs, whose answers were judged, and the tree that was made from
// them come to.
func expect(tree *sandbox.Tree, fs sandbox.HostFS) (*expectation, error) {
	e := &expectation{mounts: map[line]int{}, unseen: map[string]int{}}
	for _, l := range tree.InJail() {
		if l.Kind == sandbox.MountProc {
			e.procs = append(e.procs, l.Point)
		}
		if unseen(fs, l) {
			e.unseen[l.Point]++
			continue
		}
		e.mounts[line{l.Point, l.Flag}]++
		if l.HiddenBy != nil || l.Kind != sandbox.MountHost {
			continue
		}
		st, err := fs.Lstat(l.Source)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.Source, err)
		}
		e.shown = append(e.shown, shown{l.Point, l.Source, st.ID()})
	}
	return e, nil
}

// unseen tells whether l came with a bind from a directory that the user may not
// search. bwrap leaves its flags as they are then (bind-mount.c), and nobody in
// the jail can reach it.
func unseen(fs sandbox.HostFS, l sandbox.Located) bool {
	if !l.Implied || l.Kind != sandbox.MountHost {
		return false
	}
	_, err := fs.Lstat(l.Source)
	return errors.Is(err, unix.EACCES)
}

// compare matches mount points and read-only flags one to one.
func (e *expectation) compare(table []sandbox.HostMount) error {
	left, unseen := maps.Clone(e.mounts), maps.Clone(e.unseen)
	var extra []line
	for _, m := range table {
		l := line{m.Point, m.ReadOnly}
		switch {
		case left[l] > 0:
			left[l]--
		case unseen[m.Point] > 0:
			unseen[m.Point]--
		case !e.coversProc(m):
			extra = append(extra, l)
		}
	}
	var missing []line
	for l, n := range left {
		if n > 0 {
			missing = append(missing, l)
		}
	}
	if len(missing) > 0 { // in order, for wait takes another text for a change
		slices.SortFunc(missing, func(a, b line) int { return strings.Compare(a.String(), b.String()) })
		return &mismatch{fmt.Sprintf("%v is missing among its mounts (beside it: %v)", missing[0], extra)}
	}
	if len(extra) > 0 {
		return &mismatch{fmt.Sprintf("unexpected mount %v", extra[0])}
	}
	return nil
}

// coversProc tells whether m is one of the entries of a new procfs that bwrap
// binds onto themselves read-only, which it does for those that are writable.
func (e *expectation) coversProc(m sandbox.HostMount) bool {
	return m.FSType == "proc" && m.ReadOnly && slices.ContainsFunc(e.procs, func(p string) bool {
		rest, ok := sandbox.Below(p, m.Point)
		return ok && slices.Contains([]string{"/sys", "/sysrq-trigger", "/irq", "/bus"}, rest)
	})
}
