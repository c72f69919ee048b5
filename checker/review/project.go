package review

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Project is the review of one project: its running sessions, and the changes
// that nobody has looked at yet.
type Project struct {
	store
	pending *pending
}

// Open reads what is kept of a project below the state folder, and first finishes
// the review of sessions that were killed. Nothing is made there. An error that
// is a [BrokenError] says that what changed can not be told; nothing to review is
// none.
func Open(state, project string) (*Project, error) {
	p := &Project{store: storeOf(state, project)}
	if err := p.private(); err != nil {
		return nil, err
	}
	if err := p.recover(); err != nil {
		return nil, err
	}
	return p, p.load()
}

// load reads what is pending, less what is as it was by now.
func (p *Project) load() error {
	var err error
	if p.pending, err = p.store.pending(); err != nil {
		return err
	}
	_, err = p.pending.settle()
	return err
}

// Changes are what nobody has looked at, in the order in which to show them.
func (p *Project) Changes() []Change { return p.pending.Changes }

// mostFindings bounds them; the command shows all.
const mostFindings = 50

// Findings are the changes as findings of a launch.
func (p *Project) Findings() []finding.Finding {
	var found []finding.Finding
	for i, c := range p.pending.Changes {
		if i == mostFindings {
			break
		}
		found = append(found, finding.Finding{
			Rule: finding.Unreviewed, Severity: c.Level,
			Message: fmt.Sprintf("%s was %s while a jail ran, and nobody has looked at it: %s", c.Path, c.What.past(), c.Reason),
			Subject: finding.Subject{Kind: "path", Path: c.Path}, Remedy: "ocjail review: look at it, then keep or revert it",
		})
	}
	return found
}

func (w What) past() string {
	switch w {
	case New:
		return "made"
	case Repository:
		return "made a repository"
	case Many:
		return "changed in many places"
	case Tracked:
		return "added to git's index"
	}
	return string(w)
}

// recover sweeps the sessions whose ocjail has gone without doing so.
func (p *Project) recover() error {
	dir := filepath.Join(p.dir, sessionsDir)
	list, err := os.ReadDir(dir)
	if missing(err) || err == nil && len(list) == 0 {
		return nil
	}
	if err != nil {
		return &BrokenError{dir, err}
	}
	unlock, err := p.lock()
	if err != nil {
		return err
	}
	defer unlock()
	for _, d := range list {
		if strings.HasSuffix(d.Name(), ".pid") {
			continue // goes with its record
		}
		if err := p.finish(filepath.Join(dir, d.Name())); err != nil {
			return err
		}
	}
	return nil
}

// finish sweeps one session, unless it still runs: then its file is locked.
func (p *Project) finish(file string) error {
	f, err := os.OpenFile(file, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &BrokenError{file, err}
	}
	defer f.Close()
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return nil
	case err != nil:
		return &BrokenError{file, err}
	case strings.HasPrefix(filepath.Base(file), "."): // its command was never released
		return remove(file)
	}
	var r record
	if err := decode(f, &r); err != nil {
		return &BrokenError{file, err}
	}
	if r.Version != 1 || r.Plan.Project != p.project {
		return &BrokenError{file, fmt.Errorf("it is that of %q, version %d", r.Plan.Project, r.Version)}
	}
	err = endJail(file, &r)
	var changes []Change
	var found []string
	if err == nil {
		changes, found, err = r.sweep()
	}
	if err != nil {
		return fmt.Errorf("review of the session that was killed: %w", err)
	}
	if err := p.close(r.Plan, changes, found); err != nil {
		return err
	}
	return errors.Join(remove(file), remove(processFile(file)), remove(halfProcessFile(file)))
}

// close stores the outcome of a session. The store must be locked.
func (p *Project) close(plan Plan, changes []Change, found []string) error {
	kept, err := p.store.pending()
	if err != nil {
		return err
	}
	if len(changes) > 0 {
		kept.merge(plan, changes)
		if err := p.put(pendingFile, kept); err != nil {
			return err
		}
	}
	p.forget(time.Now())
	old := p.known(plan.Areas)
	if slices.Equal(old, found) && old != nil {
		return nil
	}
	f, err := p.write(filepath.Join(p.dir, knownFile), known{plan.Areas, append([]string{}, found...)})
	if err != nil {
		return err
	}
	return f.Close() // lost, it is looked for again
}

// known are the repositories and markers that the last session left in areas.
type known struct {
	Areas        []string `json:"areas"`
	Repositories []string `json:"repositories"`
}

// known returns nil where nobody has looked, or what was noted is no good: then
// they are looked for again.
func (s store) known(areas []string) []string {
	var k known
	if err := s.read(filepath.Join(s.dir, knownFile), &k); err != nil || k.Repositories == nil {
		return nil
	}
	for _, a := range areas {
		if !slices.Contains(k.Areas, a) {
			return nil
		}
	}
	slices.Sort(k.Repositories)
	return k.Repositories
}

// Session is the review of one launch.
type Session struct {
	p      *Project
	record *record
	file   string   // "" when it could not be written
	locked *os.File // file, open; nil without it
}

// Begin records what plan says. That is on the disk a moment later: a machine that
// loses its power just then leaves a record that is broken, not one that says
// nothing. A session whose record could not be
// written is returned with the error: it can be reviewed at its end, but not if
// it is killed.
func (p *Project) Begin(plan Plan) (*Session, error) {
	r, err := take(plan, p.known(plan.Areas))
	if err != nil {
		return nil, err
	}
	s := &Session{p: p, record: r}
	if err := p.make(); err != nil {
		return s, err
	}
	file := filepath.Join(p.dir, sessionsDir, rand.Text()+".json")
	if s.locked, err = p.write(file, r); err != nil {
		return s, err
	}
	s.file = file
	go func() { _ = flush(s.locked, filepath.Dir(file)) }() // which may take long, and be in vain
	return s, nil
}

// Cancel forgets a session whose command did not start. A nil one is none.
func (s *Session) Cancel() error {
	if s == nil || s.file == "" {
		return nil
	}
	return errors.Join(remove(s.file), remove(processFile(s.file)), s.locked.Close())
}

// End compares, after the jail has ended, and keeps the changes pending. On an
// error the session stays open, and the next Open reviews it.
func (s *Session) End() ([]Change, error) {
	if s.locked != nil {
		defer s.locked.Close()
	}
	changes, found, err := s.record.sweep()
	if err != nil || s.file == "" {
		return changes, err
	}
	unlock, err := s.p.lock()
	if err != nil {
		return changes, err
	}
	defer unlock()
	if err := s.p.close(s.record.Plan, changes, found); err != nil {
		return changes, err
	}
	if err := errors.Join(remove(s.file), remove(processFile(s.file))); err != nil {
		return changes, err
	}
	return changes, s.p.load()
}
