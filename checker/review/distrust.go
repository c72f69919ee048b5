package review

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Distrusts tells whether git's word that it tracks path is not to be taken: an index
// holds it, or its repository is there, only since a session that nobody has looked at,
// or so much changed that nobody can tell.
// The session may have been one of a project around this one, or within it.
func (p *Project) Distrusts(path string) bool {
	if distrusts(p.pending.Changes, path) {
		return true
	}
	state := filepath.Dir(filepath.Dir(p.dir))
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if dir != p.project && storeOf(state, dir).distrusts(path) {
			return true
		}
		if dir == "/" {
			return false
		}
	}
}

func distrusts(changes []Change, path string) bool {
	return slices.ContainsFunc(changes, func(c Change) bool {
		at := c.Path
		switch {
		case isDotGit(filepath.Base(at)):
			at = filepath.Dir(at) // which index answers there is the change's doing
		case !c.Tracked && c.What != Many:
			return false
		}
		_, below := sandbox.Below(at, path)
		return below
	})
}

// distrusts is that of another project's store. What can not be read, and a session that
// was killed, may have had git track anything.
func (s store) distrusts(path string) bool {
	if _, err := os.Lstat(s.dir); missing(err) {
		return false // as for most folders: a launch asks for each tracked path's
	}
	if err := s.private(); err != nil {
		return true
	}
	kept, err := s.pending()
	return err != nil || distrusts(kept.Changes, path) || s.killed()
}

// killed tells whether a session's jail has ended and nobody has compared yet what it
// left. The record's lock is not asked: to try it is to hold it for a moment, in which
// who has to compare would take the session for a running one.
func (s store) killed() bool {
	dir := filepath.Join(s.dir, sessionsDir)
	list, err := os.ReadDir(dir)
	if err != nil {
		return !missing(err)
	}
	for _, d := range list {
		if name := d.Name(); strings.HasSuffix(name, ".pid") || strings.HasPrefix(name, ".") {
			continue // no record, or of a command that never ran
		}
		if !goesOn(filepath.Join(dir, d.Name())) {
			return true
		}
	}
	return false
}

// goesOn tells whether the jail of a session is known to run.
func goesOn(file string) bool {
	data, err := os.ReadFile(processFile(file))
	var pid int
	var start string
	if err == nil {
		_, err = fmt.Sscan(string(data), &pid, &start)
	}
	if err != nil {
		return false
	}
	at, err := startTime(pid)
	return err == nil && at == start
}
