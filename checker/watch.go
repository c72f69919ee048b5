package checker

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
	"github.com/refnil/opencode-jail-devenv/policy"
)

// Watched is a path that matters, with what git says of it.
type Watched struct {
	host.WatchedPath
	Tracked *bool // nil outside the project and where the index is unreadable
}

// Lookout looks for the watched paths beside other work. It is of use for
// jails of the same file system and profile.
type Lookout struct {
	fs      *host.FS
	profile string
	found   func() ([]host.WatchedPath, error)
}

// LookOut begins to look for what the pack and c have watched.
func LookOut(fs *host.FS, facts host.Facts, c *config.Config, profile string) *Lookout {
	l := &Lookout{fs: fs, profile: profile, found: sync.OnceValues(func() ([]host.WatchedPath, error) {
		return fs.Expand(watchList(c, profile), facts)
	})}
	go func() {
		fs.Help()        // whoever needed them before
		_, _ = l.found() // whoever needs the paths gets the error
	}()
	return l
}

// look returns the lookout for r, which has begun.
func (r Request) look() *Lookout {
	if l := r.Lookout; l != nil && l.fs == r.FS && l.profile == r.Profile {
		return l
	}
	return LookOut(r.FS, r.Facts, r.Config, r.Profile)
}

// watch waits for what the pack's list and the configuration's stand for, and asks git
// which paths it tracks.
func watch(r Request, look *Lookout) ([]Watched, error) {
	r.FS.Help()
	found, err := look.found()
	if err != nil {
		return nil, err
	}
	watched := make([]Watched, len(found))
	paths := make([]string, len(found))
	for i, w := range found {
		watched[i].WatchedPath, paths[i] = w, w.Path
		watched[i].Protect = w.Protect || r.Config.Protect.Pack && namesRepository(r.Facts, w)
	}
	for i, tracked := range r.tracked(paths) {
		if !inRepository(r.Facts, watched[i].Written) {
			watched[i].Tracked = tracked
		}
	}
	return partlyTracked(r, watched)
}

// namesRepository tells whether w is a worktree's .git, a file that says where git finds
// its configuration.
func namesRepository(f host.Facts, w host.WatchedPath) bool {
	dir, name := path.Split(w.Path)
	dir = path.Clean(dir)
	return name == ".git" && w.Type == sandbox.Regular && (dir == f.ProjectRoot || slices.Contains(f.Nested, dir))
}

// tracked is what the index says of paths, unless an agent had git track them. What
// it says of none leaves them unknown, which protects more.
func (r Request) tracked(paths []string) []*bool {
	answers := r.FS.Tracked(r.Facts.Git, paths)
	for i, tracked := range answers {
		if tracked != nil && *tracked && r.Distrusts != nil && r.Distrusts(paths[i]) {
			answers[i] = new(bool)
		}
	}
	return answers
}

// inRepository tells whether what is written lies in a git directory of the project by
// its name, wherever that leads: git tracks nothing in one, whatever an index says.
func inRepository(f host.Facts, written string) bool {
	rel, _ := strings.CutPrefix(written, f.ProjectRoot)
	return host.HasDotGit(rel)
}

// above are the files of the projects above, and their locks.
func above(c *config.Config) (files []string) {
	for _, f := range c.Files {
		if f.Layer.Untrusted() && f.Layer != config.Project && f.Path != "" {
			files = append(append(files, f.Path), f.LockFiles()...)
		}
	}
	return files
}

// watchList is the pack's list with what the configuration adds and replaces, and
// the profile.
func watchList(c *config.Config, profile string) []host.Watch {
	entries := make([]host.Watch, len(policy.Watched), len(policy.Watched)+8)
	for i, w := range policy.Watched {
		entries[i] = host.Watch(w)
		entries[i].Protect = w.Protect && c.Protect.Pack
	}
	protect := func(root, p, reason string) {
		if !path.IsAbs(p) {
			p = path.Join(cmp.Or(root, "{project}"), p)
		}
		entries = append(entries, host.Watch{Path: p, Class: "host-executed", Reason: reason, Protect: true})
	}
	for _, p := range c.Protect.Paths {
		protect("", p.Value, "named in protect, "+p.Pos.String())
	}
	for _, p := range c.Policies {
		if p.Layer.Untrusted() && !path.IsAbs(p.Path) {
			protect(p.Root, p.Path, "ocjail takes rules from it")
		}
	}
	for _, file := range above(c) {
		protect("", file, "it configures the jails below it")
	}
	for _, w := range c.Watches {
		entries = append(entries, host.Watch{Path: w.Path, Class: w.Class, Reason: w.Reason})
	}
	if profile != "" {
		entries = append(entries, host.Watch{Path: profile, Class: "host-executed", Reason: "the next jail is made from it", Protect: true})
	}
	return entries
}
