// Package review finds what a session changed among the files that the host runs
// later. Mounts cannot protect what does not exist yet or what git has to
// replace, so these are recorded before the jail's command starts, compared when
// the jail has ended, and kept or put back by a person.
//
// Who made a change nobody can tell (inotify(7) names no process): a change is
// one that was made while a jail ran. What changes between sessions is the
// user's own, and not reported.
package review

import (
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/host"
)

// Plan says what a session's review looks at.
type Plan struct {
	Project string `json:"project"` // root, resolved
	// Areas are the host directories that the jail can write and that hold watched
	// paths, resolved, none within another. Nothing outside is looked at or changed.
	Areas []string `json:"areas"`
	// Parents are the folders of single files that it can write; only these files
	// count.
	Parents []string `json:"parents,omitempty"`
	Roots   []Root   `json:"roots"`
	// Patterns are of paths in the project that somebody wants to see; see
	// config.Match.
	Patterns []Pattern `json:"patterns,omitempty"`
	Git      *host.Git `json:"git,omitempty"` // of the project; nil without
}

// Root is a watched file, or a folder that is watched with all below it.
type Root struct {
	Path   string `json:"path"` // absolute and clean
	Reason string `json:"reason"`
	// Work is set for what is the agent's own work: a change to it is told, no more.
	Work bool `json:"work,omitempty"`
	// Held is set when the jail has it read-only. Such a mount ends only when
	// somebody outside replaces the file, so the same inode was not written from
	// inside.
	Held bool `json:"held,omitempty"`
	// Tracked tells whether git showed changes to it before the session, and Told whether
	// its index could be asked.
	Tracked bool `json:"tracked,omitempty"`
	Told    bool `json:"told,omitempty"`
}

// Pattern is one of paths relative to the project.
type Pattern struct {
	Glob   string `json:"glob"`
	Reason string `json:"reason"`
}

// What says in which way a path changed.
type What string

// The ways. A repository is a git directory, or what git takes for one, that was
// not there before. Many stands for more changes in a folder than are recorded
// one by one. Tracked is a file that is as it was, but that git's index holds
// now, so that it would no longer be protected.
const (
	New        What = "new"
	Changed    What = "changed"
	Removed    What = "removed"
	Repository What = "repository"
	Many       What = "many"
	Tracked    What = "tracked"
)

// Change is one path that differs from what it was before a session.
type Change struct {
	Path   string           `json:"path"`
	What   What             `json:"what"`
	Level  finding.Severity `json:"level"` // warning; info for what the agent is there to write
	Reason string           `json:"reason"`
	Since  time.Time        `json:"since"` // start of the session
	Before Entry            `json:"before"`
	// Tracked is set when git's index has held the path only since the session.
	Tracked bool `json:"tracked,omitempty"`
	Count   int  `json:"count,omitempty"` // of Many
	// Obeys says what git would take from there, by the time the session ended:
	// "core.fsmonitor = ./x", "hooks/pre-commit".
	Obeys []string `json:"obeys,omitempty"`
}

// Bounds of what one session records. Beyond, a file is told from its inode and
// times alone, and a folder as a whole.
const (
	maxContent   = 256 << 10 // bytes of one file
	maxContents  = 4 << 20   // of all
	maxFolder    = 256       // entries of one folder
	maxHeld      = 64        // of one that is read-only in the jail
	maxDepth     = 32
	maxChanges   = 2000 // that are kept pending, all sessions together
	maxConfigLen = 64 << 10
)
