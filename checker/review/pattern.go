package review

import (
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Bounds of what one pattern may match, and of the entries looked at for it.
const (
	maxMatches = 1000
	maxWalked  = 200_000
)

// pattern keeps the files of the project that a glob matches. It looks from the
// last folder that the glob names in full.
func (l *looker) pattern(project, glob string) error {
	parts := strings.Split(glob, "/")
	at := project
	for len(parts) > 0 && !strings.ContainsAny(parts[0], `*?[\`) {
		at, parts = filepath.Join(at, parts[0]), parts[1:]
	}
	if len(parts) == 0 {
		err := l.folder(at, maxFolder, nil)
		if l.found[at].Large {
			l.crowded = append(l.crowded, at)
		}
		return err
	}
	w := &walkPattern{looker: l, project: project, glob: glob, walked: maxWalked, matches: maxMatches}
	return w.visit(at, 0)
}

type walkPattern struct {
	*looker
	project, glob   string
	walked, matches int
}

func (w *walkPattern) visit(dir string, depth int) error {
	list, err := w.names(dir)
	if err != nil {
		return err
	}
	if w.walked -= len(list); w.walked < 0 || depth > maxDepth {
		w.crowded = append(w.crowded, dir)
		return nil
	}
	for _, d := range list {
		at := filepath.Join(dir, d.name)
		switch {
		case isDotGit(d.name):
		case d.kind == unix.DT_DIR:
			err = w.visit(at, depth+1)
		case matches(w.glob, w.project, at):
			if w.matches--; w.matches < 0 {
				w.crowded = append(w.crowded, dir)
				return nil
			}
			_, err = w.add(at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func matches(glob, project, path string) bool {
	rel, in := sandbox.Below(project, path)
	return in && rel != "" && config.Match(glob, rel[1:])
}

// wants tells whether somebody named path in a pattern, and who.
func (p *Plan) wants(path string) (reason string, ok bool) {
	for _, want := range p.Patterns {
		_, below := sandbox.Below(filepath.Join(p.Project, want.Glob), path)
		if below || matches(want.Glob, p.Project, path) {
			return want.Reason, true
		}
	}
	return "", false
}
