package checker

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// ReachError says that a jail reaches what its verdict hangs on. It is refused, and no
// rule or waiver has a say in that.
type ReachError struct{ message string }

func (e *ReachError) Error() string { return e.message }

func reaches(format string, args ...any) error { return &ReachError{fmt.Sprintf(format, args...)} }

// untouchable makes sure that the jail can write nothing that the verdict hangs on.
// It is no finding: what the agent may have written could have switched it off.
func (c *Checker) untouchable(j *Jail) error {
	if j.Away && j.Phase == Lint {
		return nil
	}
	for _, f := range c.config.Files {
		if f.Layer.Untrusted() {
			continue
		}
		if f.Path != "" {
			if err := j.outOfReach(f.Path, "the configuration file "+f.Path); err != nil {
				return err
			}
		}
		if err := j.lockOutOfReach(f); err != nil {
			return err
		}
		for _, p := range f.Policies {
			if err := j.policyOutOfReach(p); err != nil {
				return err
			}
		}
	}
	return c.cacheOutOfReach(j)
}

// lockOutOfReach looks at the file's lock, and where it would be if there is none: by
// one that the agent wrote, a bundle with newer rules would never come to be used.
func (j *Jail) lockOutOfReach(f *config.File) error {
	if !slices.ContainsFunc(f.Policies, func(p config.Policy) bool { return p.Bundle }) {
		return nil
	}
	for _, name := range f.LockFiles() {
		real, err := j.FS.RealPath(name)
		what := "the lock " + name
		if errors.Is(err, fs.ErrNotExist) {
			what = "the place of a lock, " + name + ","
		} else if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if err := j.unwritable(real, what); err != nil {
			return err
		}
	}
	return nil
}

// cacheOutOfReach looks at the cache of users' rules, if it is used. Its key vouches
// for what is run from it, and may have been by now, so the jail may not even read that.
func (c *Checker) cacheOutOfReach(j *Jail) error {
	used := c.engine.cache
	if used == nil {
		return nil
	}
	if way := j.Tree.Widest(used.KeyFile); way.Access != sandbox.None {
		return reaches("%s, the key of your rules' cache, can be reached in the jail as %s: drop the mount that holds it, or bind a narrower one", used.KeyFile, way.Inside)
	}
	if way := j.Tree.Widest(used.Dir); way.Access.Writes() {
		return reaches("%s, the cache of your compiled rules, can be written in the jail as %s: drop the mount that holds it, bind a narrower one, or unset XDG_CACHE_HOME if that leads there", used.Dir, way.Inside)
	}
	return nil
}

// policyOutOfReach looks at the policy's file or folder, at its keys, and at the
// links in it, which lead elsewhere. A bundle that is signed is looked at as well: the
// agent could put an older one in its place.
func (j *Jail) policyOutOfReach(p config.Policy) error {
	at := Where{Home: j.Facts.Home, Project: j.Facts.ProjectRoot}
	for _, k := range p.Keys {
		l, err := at.locate(k)
		if err != nil {
			return err
		}
		if err := j.outOfReach(l.file, fmt.Sprintf("the key %s of policy %q of %s", l.file, p.Name, p.Pos)); err != nil {
			return err
		}
	}
	what := fmt.Sprintf("policy %q of %s, ", p.Name, p.Pos)
	if err := j.storesOutOfReach(p, at, what); err != nil {
		return err
	}
	if p.Candidate != nil {
		return nil // it is in memory, and only tried
	}
	_, file, err := open(p, at)
	if err != nil {
		return err
	}
	if err := j.outOfReach(file, what+file); err != nil {
		return err
	}
	real, err := j.FS.RealPath(file)
	if err != nil {
		return err
	}
	return filepath.WalkDir(real.Path, func(at string, d fs.DirEntry, err error) error {
		if err == nil && d.Type() == fs.ModeSymlink {
			err = j.outOfReach(at, what+at)
		}
		return err
	})
}

// storesOutOfReach looks at what is known of a bundle: which revision was seen, and
// when.
func (j *Jail) storesOutOfReach(p config.Policy, at Where, what string) error {
	if !p.Bundle || p.Remote == nil && !keepsCount(&p) {
		return nil
	}
	for _, s := range at.stores() {
		file := s.EntryFile(nameOf(&p, at))
		real, err := j.FS.RealPath(file)
		if errors.Is(err, fs.ErrNotExist) && s.Shared && j.Facts.UID != 0 {
			continue // nobody but root makes one there
		}
		// The place of one that is not there counts: it could tell of a rollback.
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s%s: %w", what, file, err)
		}
		if at, inside := j.writable(real); inside != "" {
			return reaches("%s%s, by which ocjail knows what was fetched and seen, can be written in the jail as %s, and so may be the agent's: drop the mount that holds %s, or bind a narrower one", what, file, inside, at)
		}
	}
	return nil
}

// outOfReach looks at what p leads to, and at each link on the way, which could be
// replaced.
func (j *Jail) outOfReach(p, what string) error {
	real, err := j.FS.RealPath(p)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return j.unwritable(real, what)
}

func (j *Jail) unwritable(real host.Real, what string) error {
	if _, inside := j.writable(real); inside != "" {
		return reaches("%s can be written in the jail as %s, and so may be the agent's: keep it where no jail can write, such as %s",
			what, inside, j.Facts.ConfigDir)
	}
	return nil
}

// writable tells which place of a path the jail can write, and as what; "" for none.
func (j *Jail) writable(real host.Real) (at, inside string) {
	places := []string{real.Path}
	for _, l := range real.Links {
		places = append(places, l.Path)
	}
	for _, at := range places {
		if way := j.Tree.Widest(at); way.Access.Writes() {
			return at, way.Inside
		}
	}
	return "", ""
}
