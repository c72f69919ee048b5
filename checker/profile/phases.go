package profile

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// phases is the order of a jail's mounts, of which a later one hides an earlier
// one, and the reason of each place. What the environment needs from the mounts
// comes after them.
var phases = []struct {
	name, reason string
	run          func(*build) error
}{
	{"base", "first: everything else may lie over /proc and /dev", (*build).base},
	{"system", "before the profile, whose own mounts may replace parts of it", (*build).system},
	{"timezone", "after system, into which the link /etc/localtime points", (*build).timezone},
	{"profile", "a profile has no order: parents before children, so that the deeper path decides", (*build).own},
	{"worktree", "after the project, with whose access it comes", (*build).worktree},
	{"program", "after the tmpfs on the home, which would hide a program installed there", (*build).program},
	{"certificates", "as program", (*build).certificates},
	{"additions", "last, in the order typed: who adds a path means it to be seen as added", (*build).additions},
	{"environment", "PATH and SHELL name what the mounts above show", (*build).environment},
}

func (b *build) base() error {
	origin := b.profile.origin(0)
	b.add(mount{origin: origin, option: "--proc", dest: "/proc"})
	b.add(mount{origin: origin, option: "--dev", dest: "/dev"})
	return nil
}

func (b *build) system() error {
	body := &b.profile.body
	if !body.System {
		return nil
	}
	for _, s := range systemPaths {
		if s.network && !b.network.on {
			continue
		}
		if err := b.hostPath(s.path, b.origin(body.SystemAt)); err != nil {
			return b.errorf(body.SystemAt, "%w", err)
		}
	}
	return nil
}

func (b *build) timezone() error {
	body := &b.profile.body
	if !body.Timezone {
		return nil
	}
	for _, p := range timezonePaths {
		if err := b.hostPath(p, b.origin(body.TimezoneAt)); err != nil {
			return b.errorf(body.TimezoneAt, "%w", err)
		}
	}
	return nil
}

// own adds the profile's mounts, tmpfs, caches and project.
func (b *build) own() error {
	list, err := b.declared()
	if err != nil {
		return err
	}
	slices.SortStableFunc(list, func(x, y located) int { return cmp.Compare(depth(x.dest), depth(y.dest)) })
	seen := map[string]located{}
	for _, m := range list {
		before, twice := seen[m.dest]
		same := before.source == m.source && before.option == m.option && before.size == m.size
		if twice && !same {
			return b.errorf(m.at, "%s is already mounted by line %d: keep one of the two",
				hclfile.Escape(m.dest), before.at.Start.Line)
		}
		if !twice {
			b.add(m.mount)
		}
		seen[m.dest] = m
	}
	return nil
}

// located is a mount and the block that asks for it.
type located struct {
	mount
	at hcl.Range
}

func (b *build) declared() ([]located, error) {
	body, h := &b.profile.body, b.host
	var list []located
	put := func(at hcl.Range, m mount) {
		m.origin = b.origin(at)
		list = append(list, located{m, at})
	}
	for _, t := range body.Tmpfs {
		m := mount{option: "--tmpfs", dest: h.expand(t.Path)}
		if t.Size != nil {
			size, err := parseSize(*t.Size)
			if err != nil {
				return nil, b.errorf(t.Block, "%w", err)
			}
			m.size = size
		}
		put(t.Block, m)
	}
	for _, m := range body.Mounts {
		skip, err := b.missing(m)
		if err != nil {
			return nil, err
		}
		if !skip {
			put(m.Block, mount{option: bindOption[m.Access], source: h.expand(m.Path), dest: h.expand(m.dest())})
		}
	}
	for _, c := range body.Caches {
		dest := h.expand(c)
		put(body.CachesAt, mount{option: "--bind", source: h.cache(dest), dest: dest})
	}
	put(body.Project.Block, mount{option: bindOption[body.Project.Access], source: h.Project, dest: h.Project})
	return list, nil
}

// missing tells whether m is to be left out; a source that is absent though
// needed is an error.
func (b *build) missing(m mountBlock) (bool, error) {
	if m.Create {
		return false, nil
	}
	source := b.host.expand(m.Path)
	_, _, err := b.host.resolve(source)
	switch {
	case err == nil:
		return false, nil
	case !errors.Is(err, fs.ErrNotExist):
		return false, b.errorf(m.Block, "%w", err)
	case b.host.Elsewhere:
		return false, nil
	case m.Optional:
		return true, nil
	}
	return false, b.errorf(m.Block, "%s does not exist: create it, or write optional = true or create = true",
		hclfile.Escape(source))
}

func (b *build) additions() error {
	for _, m := range b.added.mounts {
		b.add(m)
	}
	return nil
}
