package checker

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/release"
)

// OpenBundles reads the bundles that the policies of files name, and returns the
// files with each bundle's own ocjail.hcl, as one of the same layer, right before the
// file that names it: that file has the last word, and neither may loosen more than
// their layer. A trusted layer's keys, and its bundles that need no signature, must
// be as much out of others' hands as its configuration; owners is nil where that does
// not matter.
func OpenBundles(files []*config.File, at Where, owners *config.Owners) ([]*config.File, error) {
	var all []*config.File
	for _, f := range files {
		for i := range f.Policies {
			p := &f.Policies[i]
			if !p.Bundle {
				continue
			}
			if f.Lock != nil && p.Locked == nil {
				return nil, fmt.Errorf("policy %q of %s: the lock %s does not name %s: see what it is with ocjail bundle update, which adds it", p.Name, p.Pos, hclfile.Escape(f.Lock.Path), hclfile.Escape(p.Source))
			}
			more, err := openBundle(p, at, owners)
			if err != nil {
				return nil, fmt.Errorf("policy %q of %s: %w", p.Name, p.Pos, err)
			}
			if more != nil {
				all = append(all, more)
			}
		}
		all = append(all, f)
	}
	return all, nil
}

// openBundle opens the bundle of a policy, and returns its configuration, if any.
func openBundle(p *config.Policy, at Where, owners *config.Owners) (*config.File, error) {
	project := at.Project
	at = at.of(*p)
	trust := bundle.Trust{Now: time.Now(), Version: release.Version, Unsigned: p.Keys == nil && p.Remote == nil}
	var err error
	if trust.Keys, err = Keys(p, at, owners); err != nil {
		return nil, err
	}
	archive, err := archiveOf(p, at, owners, &trust)
	if err != nil {
		return nil, err
	}
	if p.Candidate != nil {
		trust.Now = LastCounted(archive, trust.Now) // what it did is compared with what the next one does
	}
	name := nameOf(p, at)
	if err := asLocked(p, store.DigestOf(archive)); err != nil {
		return nil, err
	}
	trust.Source = hclfile.Escape(name)
	p.Opened, err = bundle.Open(archive, trust)
	if err == nil {
		err = openedAsLocked(p)
	}
	if errors.Is(err, bundle.ErrSignature) && p.Locked != nil {
		err = fmt.Errorf("%w; %s holds it to this one: ocjail bundle update moves that to one that the keys have signed", err, p.Locked.Pos)
	}
	if err != nil {
		p.Opened = nil
		err = fmt.Errorf("the bundle %s (%s): %w", trust.Source, store.DigestOf(archive), err)
		if len(trust.Keys) > 0 {
			err = fmt.Errorf("%w (keys: %s)", err, bundle.KeyIDs(trust.Keys))
		}
		return nil, err
	}
	if p.Opened.Config == nil {
		return nil, nil
	}
	name += "/ocjail.hcl"
	c, err := config.Parse(p.Layer, name, p.Opened.Config)
	if err != nil {
		return nil, err
	}
	if len(c.Policies) > 0 {
		return nil, c.Policies[0].Pos.Errorf("a bundle's configuration can not name further policies: have its publisher put the rules into the bundle")
	}
	if p.Root != "" {
		err = c.Around(p.Root, project)
	}
	return c, err
}

// archiveOf reads the archive of a policy.
func archiveOf(p *config.Policy, at Where, owners *config.Owners, trust *bundle.Trust) ([]byte, error) {
	switch {
	case p.Candidate != nil:
		return p.Candidate, nil
	case p.Remote != nil:
		return fetched(p, at, owners, trust)
	}
	return local(p, at, owners, trust)
}

// asLocked holds an archive to the lock, if there is one.
func asLocked(p *config.Policy, digest string) error {
	l := p.Locked
	if l == nil || l.Digest == digest {
		return nil
	}
	return &UnlockedError{p.Source, digest, *l}
}

// UnlockedError refuses a bundle that is not the one which the lock names.
type UnlockedError struct {
	Source, Digest string
	Locked         config.Locked
}

func (e *UnlockedError) Error() string {
	l := e.Locked
	return fmt.Sprintf("%s is %s, and %s holds it to revision %s, %s: put that back, or see what changes with ocjail bundle update", hclfile.Escape(e.Source), e.Digest, l.Pos, l.Revision, l.Digest)
}

// What is the matter, without what mends it.
func (e *UnlockedError) What() string {
	return fmt.Sprintf("%s holds it to revision %s, %s, and another is there now", e.Locked.Pos, e.Locked.Revision, e.Locked.Digest)
}

// openedAsLocked holds a bundle to what the lock says of it beside the digest: one of
// which that is not true was not written by ocjail bundle update.
func openedAsLocked(p *config.Policy) error {
	l := p.Locked
	if l == nil {
		return nil
	}
	const mend = "somebody has edited it: restore it, or write it anew with ocjail bundle update"
	switch b := p.Opened; {
	case b.Manifest.Revision.Compare(l.Revision) != 0:
		return fmt.Errorf("its revision is %s, and %s says %s: %s", b.Manifest.Revision, l.Pos, l.Revision, mend)
	case b.Signer == "" && len(l.Keys) > 0:
		return fmt.Errorf("%s names keys, and the policy demands no signature: name the publisher's public key in keys of the policy", l.Pos)
	case b.Signer != "" && !slices.Contains(l.Keys, b.Signer):
		return fmt.Errorf("it was signed by the key %s (%s), which %s does not name: %s", b.Signer, b.Algorithm, l.Pos, mend)
	}
	return nil
}

// nameOf is a bundle's for messages: what it was fetched from, or its file.
func nameOf(p *config.Policy, at Where) string {
	if p.Remote != nil {
		return p.Remote.String()
	}
	return at.File(p.Path)
}

// local reads the bundle of a policy that names a file.
func local(p *config.Policy, at Where, owners *config.Owners, trust *bundle.Trust) ([]byte, error) {
	if _, _, err := open(*p, at); err != nil {
		return nil, err
	}
	l, err := at.locate(p.Path)
	if err != nil {
		return nil, err
	}
	if trust.Unsigned && !p.Layer.Untrusted() && owners != nil {
		if err := owners.Trusted(p.Layer, l.file); err != nil {
			return nil, fmt.Errorf("%w; or demand a signature with keys", err)
		}
	}
	if trust.Seen, trust.System, err = seen(p, at, owners); err != nil {
		return nil, err
	}
	return l.read(bundle.MaxArchive)
}

// maxKeyFile bounds a file of keys, in bytes.
const maxKeyFile = 64 << 10

// Keys are those of which one must have signed the bundle of a policy, none where no
// signature is demanded.
func Keys(p *config.Policy, at Where, owners *config.Owners) ([]bundle.Key, error) {
	if _, err := KeyFiles(p, at, owners); err != nil {
		return nil, err
	}
	var keys []bundle.Key
	for _, k := range p.Keys {
		l, err := at.locate(k)
		if err != nil {
			return nil, err
		}
		text, err := l.read(maxKeyFile)
		if err != nil {
			return nil, err
		}
		more, err := bundle.ParseKeys(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", hclfile.Escape(l.file), err)
		}
		keys = append(keys, more...)
	}
	return keys, nil
}
