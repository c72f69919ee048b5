package checker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/config"
)

// stores are where bundles are that were fetched: the machine's, and the user's own.
// The newer one counts, but for what root has rolled back.
func (at Where) stores() []store.Store { return []store.Store{systemStore, at.ownStore()} }

// systemStore is the machine's.
var systemStore = store.System()

func (at Where) ownStore() store.Store {
	own := store.User(at.Home)
	own.Root = systemStore.Dir
	return own
}

// howToPull ends the errors of a bundle that has to be fetched.
const howToPull = "run ocjail bundle pull"

// howToPullFirst is for a bundle of a layer that nobody has fetched.
func howToPullFirst(l config.Layer) string {
	if l == config.Organisation {
		return howToPull + ", as root with --system for all users of this machine"
	}
	return howToPull
}

// fetched reads the bundle of a policy that was fetched, and sets the policy's path to
// it. What trust lacks is the revision that was seen. No network is asked.
func fetched(p *config.Policy, at Where, owners *config.Owners, trust *bundle.Trust) (archive []byte, err error) {
	// A newer bundle can take the place of the one that was found before it is read.
	for range 5 {
		var s store.Store
		var e store.Entry
		k, err := recall(p.Remote.String(), at, owners)
		if err != nil {
			return nil, err
		}
		if s, e, err = k.newest(); err != nil {
			return nil, fmt.Errorf("%s: no bundle of it is here yet: %s", p.Remote, howToPullFirst(p.Layer))
		}
		trust.Seen, trust.System = k.seen()
		if p.Locked != nil {
			if s, e, err = at.locked(p, s, e, trust, k); err != nil {
				return nil, err
			}
		}
		if archive, err = s.Read(e); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			mend := howToPull
			if s.Shared {
				mend += " --system, as root"
			}
			return nil, fmt.Errorf("%s (%s): %w: %s", p.Remote, described(e), err, mend)
		}
		p.Path = s.ArchiveFile(e.Digest)
		p.Remote.Fetched = e.Fetched
		p.Remote.Stale, err = age(p.Remote, e, trust.Now)
		return archive, err
	}
	return nil, fmt.Errorf("%s: the bundle that was fetched is gone: %w: %s", p.Remote, err, howToPull)
}

// locked finds the bundle that the lock names, which need not be the newest that was
// fetched: ocjail bundle update keeps a bundle, moves the lock, and only then notes the
// bundle as the newest, so that whenever it is killed launches have one to go by. Until
// it is noted, it is as old as the one before.
func (at Where) locked(p *config.Policy, in store.Store, newest store.Entry, trust *bundle.Trust, k known) (store.Store, store.Entry, error) {
	l := p.Locked
	what := fmt.Sprintf("%s: %s holds it to revision %s (%s)", p.Remote, l.Pos, l.Revision, l.Digest)
	if l.Revision.Compare(trust.Seen) < 0 {
		how := "by name (ocjail bundle pull"
		if trust.System {
			how = "by name, as root (ocjail bundle pull --system"
		}
		return in, newest, fmt.Errorf("%s, and revision %s was seen here before: see what that changes with ocjail bundle update, or allow the older one %s --allow-rollback %s %s)", what, trust.Seen, how, l.Revision, p.Remote)
	}
	if k.undone.Digest == l.Digest && k.machine.Digest != l.Digest {
		return in, newest, fmt.Errorf("%s, and root went back to revision %s on this machine: restore the lock that named that, or remove it and run ocjail bundle update", what, k.machine.Rollback.Revision)
	}
	if newest.Digest == l.Digest {
		return in, newest, nil
	}
	for _, s := range append([]store.Store{in}, at.stores()...) {
		if _, err := os.Stat(s.ArchiveFile(l.Digest)); err == nil {
			e := newest
			e.Digest, e.Revision = l.Digest, l.Revision
			return s, e, nil
		}
	}
	return in, newest, fmt.Errorf("%s, and revision %s (%s) was fetched here: %s, which fetches what the lock names", what, newest.Revision, newest.Digest, howToPull)
}

// described tells entries apart.
func described(e store.Entry) string {
	return fmt.Sprintf("revision %s, %s, signed by %.16s", e.Revision, e.Digest, e.Signer)
}

// age tells how long ago a bundle was fetched, where that is worth a warning, and
// refuses one that is too old. A clock that was set back would make it young.
func age(r *config.Remote, e store.Entry, now time.Time) (stale string, err error) {
	old := now.Sub(e.Fetched)
	what := fmt.Sprintf("%s (%s)", r, described(e))
	switch {
	case old < -time.Hour:
		return "", fmt.Errorf("%s was fetched on %s, and here it is %s: set the clock, or if it is right, %s", what, e.Fetched.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339), howToPull)
	case old > r.RefuseAfter:
		return "", fmt.Errorf("%s was fetched %s ago, and %d are allowed: %s", what, days(old), r.RefuseAfter/(24*time.Hour), howToPull)
	case old > r.WarnAfter:
		return fmt.Sprintf("%s was fetched %s ago, and after %s nothing starts: %s", what, days(old), days(r.RefuseAfter), howToPull), nil
	}
	return "", nil
}

// days counts whole ones in words.
func days(d time.Duration) string {
	if n := d / (24 * time.Hour); n != 1 {
		return fmt.Sprintf("%d days", n)
	}
	return "1 day"
}

// Stale are the warnings of bundles that were fetched long ago.
func Stale(files []*config.File) []string {
	var all []string
	for _, f := range files {
		for _, p := range f.Policies {
			if p.Remote != nil && p.Remote.Stale != "" {
				all = append(all, fmt.Sprintf("policy %q of %s: %s", p.Name, p.Pos, p.Remote.Stale))
			}
		}
	}
	return all
}

// KeyFiles are the files of a policy's keys, which are as much out of others' hands as
// they must be.
func KeyFiles(p *config.Policy, at Where, owners *config.Owners) ([]string, error) {
	var files []string
	for _, k := range p.Keys {
		l, err := at.locate(k)
		if err != nil {
			return nil, err
		}
		if owners != nil {
			if err := owners.Trusted(p.Layer, l.file); err != nil {
				return nil, err
			}
		}
		files = append(files, l.file)
	}
	return files, nil
}
