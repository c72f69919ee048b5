package host

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Watch is one entry of the data about host paths that matter.
type Watch struct {
	// Path begins with {home}, {project}, {git}, {git-common}, {git-modules}
	// (the git directories of submodules), {git-hooks-path} (what core.hooksPath
	// says), {submodule} (their folders in the work tree), {runtime}, {state},
	// {cache}, {config} or {ssh-agent}, or is absolute. One component may hold
	// one *, which stands for any part of a name, dots included; in a folder
	// named hooks not for git's *.sample.
	Path    string `json:"path"`
	Class   string `json:"class"`
	Reason  string `json:"reason"`  // why it matters, one clause
	Protect bool   `json:"protect"` // the gate makes it read-only where it can
}

// WatchedPath is a watched path as it is on this host.
type WatchedPath struct {
	Watch // Path is absolute and clean, without a symbolic link among its parents

	Written string // the path as the entry says, before links were followed
	Exists  *bool  // nil: unknown, Err says why
	Type    sandbox.FileType
	Target  string // of a symbolic link
	Nlink   int    // of a regular file, else 0
	ID      sandbox.ID
	Err     error
}

// throughOnly are the classes for which only where a path leads matters.
// For all others so does each link on the way: who can replace the link
// decides what the host finds behind it.
var throughOnly = map[string]bool{"secret": true, "socket": true, "device": true}

// Expand turns entries into paths of this host, in order, and looks each up.
//
// A path that goes through symbolic links yields one WatchedPath for where it
// leads and, but for the classes secret, socket and device, one of type
// symlink for each link. Paths that come up twice in one class are merged. An
// entry below a base that is known to be absent (no repository, no agent) is
// left out; below one that is unknown, or with a path that is no template, it
// is an error.
func (f *FS) Expand(entries []Watch, facts Facts) ([]WatchedPath, error) {
	x := &expansion{fs: f, facts: facts, bases: bases(facts), at: make(map[placeClass]int, len(entries)), help: &help{listed: make(chan struct{})}}
	f.expanding.Store(x)
	defer x.help.begin(func() {})
	if err := x.expand(entries); err != nil {
		return nil, err
	}
	for _, root := range facts.Nested {
		if err := x.nested(entries, root); err != nil {
			return nil, err
		}
	}
	return x.found, nil
}

// nested expands the entries once more, for a project within the project.
func (x *expansion) nested(entries []Watch, root string) error {
	n := *x
	n.facts.ProjectRoot = root
	n.facts.Unknown = maps.Clone(x.facts.Unknown)
	delete(n.facts.Unknown, "git")
	var err error
	n.facts.Git, err = x.fs.FindGit(root)
	n.facts.unknown("git", err)
	n.bases, n.links, n.indexErr = bases(n.facts), nil, nil
	err = n.expand(entries)
	x.found = n.found
	return err
}

func (x *expansion) expand(entries []Watch) error {
	places := make([]place, 0, len(entries))
	for _, w := range entries {
		paths, err := x.paths(w.Path)
		if err != nil {
			return fmt.Errorf("watched path %q: %w", w.Path, err)
		}
		for _, path := range paths {
			places = append(places, place{w, path})
		}
	}
	x.addAll(places)
	return nil
}

// place is an entry with one of the paths that it stands for.
type place struct {
	Watch
	path string
}

// addAll looks the paths up. Who has nothing else to do may ask for the last ones before
// their turn comes, which is half of the time that all takes.
func (x *expansion) addAll(places []place) {
	var turn atomic.Int64
	var once sync.Once
	x.help.begin(func() {
		once.Do(func() {
			for i := len(places) - 1; int64(i) > turn.Load(); i-- {
				_, _ = x.fs.RealPath(places[i].path) // remembered, as are errors
			}
		})
	})
	for i, p := range places {
		turn.Store(int64(i))
		x.add(p.Watch, p.path)
	}
	once.Do(func() {}) // waits for the other one, or has it not begin
}

// help is what another goroutine can do of an expansion.
type help struct {
	once   sync.Once
	listed chan struct{} // closed when look is set
	look   func()
}

// begin is for the first list of places, the longest.
func (h *help) begin(look func()) {
	h.once.Do(func() {
		h.look = look
		close(h.listed)
	})
}

// Help looks up what [FS.Expand] is about to on another goroutine, if it does.
func (f *FS) Help() {
	if x := f.expanding.Load(); x != nil {
		<-x.help.listed
		x.help.look()
	}
}

type placeClass struct{ path, class string }

type expansion struct {
	fs       *FS
	facts    Facts
	bases    map[string]base
	found    []WatchedPath
	at       map[placeClass]int // index in found
	links    []string           // of the index; nil before it was read
	indexErr error
	help     *help
}

// add looks a path up and appends it with the links on its way.
func (x *expansion) add(w Watch, path string) {
	real, err := x.fs.RealPath(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		x.put(x.unresolved(w, path, err))
		return
	}
	if !throughOnly[w.Class] {
		for _, link := range real.Links {
			x.put(x.describe(w, path, link.Path))
		}
	}
	x.put(x.describe(w, path, real.Path))
}

func (x *expansion) describe(w Watch, written, path string) WatchedPath {
	p := WatchedPath{Watch: w, Written: written, Type: sandbox.Unknown}
	p.Path = path
	st, err := x.fs.Lstat(path)
	exists := err == nil
	if !exists && !errors.Is(err, fs.ErrNotExist) {
		p.Err = err
		return p
	}
	p.Exists = &exists
	if exists {
		p.Type, p.Target, p.ID = st.Type, st.Target, st.ID()
	}
	if p.Type == sandbox.Regular {
		p.Nlink = int(st.Nlink)
	}
	if p.Type == sandbox.Dir && filepath.Base(path) == ".git" {
		p.Protect = false // git writes it; a .git file only names the one that git writes
	}
	return p
}

// unresolved describes a path that cannot be followed to its end, as far as
// its parents can be.
func (x *expansion) unresolved(w Watch, path string, reason error) WatchedPath {
	place := path
	parent, err := x.fs.RealPath(parentOf(path))
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		place = join(parent.Path, filepath.Base(path))
	}
	p := x.describe(w, path, place)
	p.Err = reason
	return p
}

func (x *expansion) put(p WatchedPath) {
	key := placeClass{p.Path, p.Class}
	if i, ok := x.at[key]; ok {
		x.found[i].Protect = x.found[i].Protect || p.Protect
		return
	}
	x.at[key] = len(x.found)
	x.found = append(x.found, p)
}
