package report

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Why says whether and how a jail reaches one host path: the JSON form of
// `ocjail why`.
type Why struct {
	Version   int    `json:"version"` // 1
	Kind      string `json:"kind"`    // "path"
	Target    string `json:"target"`
	Path      string `json:"path"`   // as asked, absolute
	Real      string `json:"real"`   // where it leads on the host
	Exists    bool   `json:"exists"` // on the host
	Type      string `json:"type"`   // as in Mount; "" when it does not exist
	Reachable bool   `json:"reachable"`
	Certain   bool   `json:"certain"` // false when this host lacks what the jail names
	Ways      []Way  `json:"ways"`    // widest access first
	Inside    Inside `json:"inside"`  // what the jail finds under the path as asked
}

// Way is one way in which the jail reaches the path.
type Way struct {
	Access string `json:"access"` // "rw", "ro" or "dev"
	How    string `json:"how"`    // "mount", "create", "rename", "alias", "below", or "link": the jail can replace a symbolic link on the way
	Path   string `json:"path"`   // on the host: Real, or the link
	Inside string `json:"inside"` // in the jail
	Mount  string `json:"mount"`  // what the mount shows: its source on the host
	Cause  Cause  `json:"cause"`
	Close  string `json:"close"` // what would close it
}

// Inside is what a path means in the jail.
type Inside struct {
	Access string `json:"access"` // as in Mount, or "none"
	Exists bool   `json:"exists"`
	Host   string `json:"host"` // the host's file behind it; "" for none
}

// NewWhy asks j about the absolute host path p, which is not cleaned: ".." after
// a symbolic link leads elsewhere than its text says. An error means that the answer
// could not be had.
func NewWhy(j *checker.Jail, p string) (*Why, error) {
	real, err := j.FS.RealPath(p)
	exists := err == nil
	if !exists && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s can not be looked up: %w", p, err)
	}
	w := &Why{Version: 1, Kind: "path", Target: j.Name, Path: p, Real: real.Path, Exists: exists, Certain: !j.Tree.Guessed(), Ways: []Way{}}
	if exists {
		w.Type = string(real.Stat.Type)
	}
	for _, r := range j.Tree.HostAccess(real.Path) {
		w.add(j, r)
	}
	for _, l := range real.Links {
		if r := j.Tree.Widest(l.Path); r.Access.Writes() && r.How != sandbox.ByBelow {
			r.How = byLink
			r.Host = l.Path
			w.add(j, r)
		}
	}
	w.Reachable = len(w.Ways) > 0
	inside, err := j.Tree.Access(path.Clean(p))
	if err != nil {
		return nil, fmt.Errorf("%s in the jail: %w", p, err)
	}
	w.Inside = Inside{string(inside.Access), inside.Exists, inside.Host}
	return w, nil
}

// byLink: the name can be made to lead elsewhere.
const byLink sandbox.How = "link"

func (w *Why) add(j *checker.Jail, r sandbox.Reach) {
	if r.Mount == nil || r.Access == sandbox.None {
		return
	}
	source := r.Mount.Source
	if r.Mount.Upper != "" {
		source = r.Mount.Upper
	}
	way := Way{Access: string(r.Access), How: string(r.How), Path: r.Host, Inside: r.Inside, Mount: source, Cause: cause(j, r.Mount.Option)}
	way.Close = remedy(j, r)
	if !slices.Contains(w.Ways, way) {
		w.Ways = append(w.Ways, way)
	}
}

// remedy says what would close r: at the place that opened it, or by a mount
// laid over it.
func remedy(j *checker.Jail, r sandbox.Reach) string {
	option := j.Sandbox.Options[r.Mount.Option]
	base := dropped(j, option, escapeAll(append([]string{option.Name}, option.Args...)))
	if r.How == sandbox.ByBelow || r.Inside == j.Tree.Point(r.Mount) {
		return base
	}
	return base + ", or " + cover(j, r)
}

// dropped says how to do without an option, which words name.
func dropped(j *checker.Jail, option sandbox.Option, words string) string {
	switch from := j.Written(option.Origin); {
	case strings.HasPrefix(option.Origin, "--add["):
		return "leave out that --add"
	case from == "" && option.Added != "":
		return "narrow the mount around it"
	case from != "":
		return "remove or narrow what " + Escape(from) + " asks for"
	}
	return "leave out " + words
}

// cover names the mount to lay over a path that a wider mount shows.
func cover(j *checker.Jail, r sandbox.Reach) string {
	rel, inProject := sandbox.Below(j.Facts.ProjectRoot, r.Host)
	inProject = inProject && rel != ""
	switch {
	case r.How == byLink:
		return "name the file itself where the link is used"
	case inProject && r.Access.Writes() && r.Exists:
		return fmt.Sprintf("keep it read-only with protect = [%q] in the configuration", Escape(rel[1:]))
	case r.Access.Writes() && !r.Exists:
		return "create it beforehand and bind it read-only behind that mount"
	case r.Type == sandbox.Dir:
		return "lay a tmpfs over " + Escape(r.Inside) + " behind it"
	}
	return "bind only the files that are needed"
}

// Reached tells whether the jail reaches what was asked about.
func (w *Why) Reached() bool { return w.Reachable }
