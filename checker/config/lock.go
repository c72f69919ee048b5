package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// Lock holds the bundles of one configuration file, and of no other, each to one
// archive. It only refuses: what it names is verified like any other, so that one with
// an old revision opens nothing.
type Lock struct {
	Path string // absolute, symbolic links as they were named
	// File is where it really is, absolute: what ocjail bundle update writes.
	File    string
	Bundles []Locked // in the file's order
	Text    []byte
}

// Locked is what a lock says of one source.
type Locked struct {
	Source   string // as Policy.Source has it
	Digest   string // of the archive, "sha256:" and hexadecimal
	Revision bundle.Revision
	// Keys are the IDs of the keys of which one must have signed it, sorted; none when
	// no signature is demanded.
	Keys []string
	Pos  hclfile.Pos
}

// LockFile is where the lock of a configuration file lies: acme.lock beside acme.hcl.
func LockFile(name string) string { return strings.TrimSuffix(name, ".hcl") + ".lock" }

// LockFiles are all places where the lock of f may lie: beside the file as it was
// named, and where links lead. Usually they are one.
func (f *File) LockFiles() []string {
	if f.Path == "" {
		return nil
	}
	return slices.Compact([]string{LockFile(f.Path), LockFile(f.real)})
}

// lock reads the lock of f, of which read reads the file, and tells the policies what
// it says of them.
func (f *File) lock(read func(name string) (src []byte, real string, err error)) error {
	for _, name := range f.LockFiles() {
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		src, real, err := read(name)
		if err != nil { // also of a link that leads nowhere
			return err
		}
		if f.Lock != nil && f.Lock.File != real {
			return fmt.Errorf("there are two locks of %s, %s and %s: remove one", hclfile.Escape(f.Name), hclfile.Escape(f.Lock.Path), hclfile.Escape(name))
		}
		if f.Lock, err = ParseLock(name, src); err != nil {
			return fmt.Errorf("%w: %s", err, mendLock)
		}
		f.Lock.File = real
	}
	f.hold()
	return nil
}

// mendLock is for a lock that can not be read.
const mendLock = "restore the lock, or delete it and have ocjail bundle update write another"

// hold tells the policies what the lock says of them.
func (f *File) hold() {
	for i := range f.Policies {
		p := &f.Policies[i]
		p.Locked = nil
		if f.Lock != nil && p.Bundle {
			p.Locked = f.Lock.Of(p.Source)
		}
	}
}

// Relock puts another lock in the place of the one that was read, to try it.
func (f *File) Relock(l *Lock) {
	f.Lock = l
	f.hold()
}

// Of is what the lock says of a source, nil for nothing.
func (l *Lock) Of(source string) *Locked {
	if i := slices.IndexFunc(l.Bundles, func(b Locked) bool { return b.Source == source }); i >= 0 {
		return &l.Bundles[i]
	}
	return nil
}

// stray are the entries that hold no bundle of f.
func (f *File) stray() []Locked {
	if f.Lock == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(f.Lock.Bundles), func(b Locked) bool {
		return slices.ContainsFunc(f.Policies, func(p Policy) bool { return p.Bundle && p.Source == b.Source })
	})
}

// These structs are the schema of a lock.
type (
	rawLock struct {
		Bundles []rawLocked `hcl:"bundle,block"`
	}
	rawLocked struct {
		Source        string    `hcl:"source,label"`
		Digest        string    `hcl:"digest"`
		DigestRange   hcl.Range `hcl:"digest,attr_value_range"`
		Revision      string    `hcl:"revision"`
		RevisionRange hcl.Range `hcl:"revision,attr_value_range"`
		Keys          *[]string `hcl:"keys,optional"`
		KeysRange     hcl.Range `hcl:"keys,attr_value_range"`
		Range         hcl.Range `hcl:",def_range"`
	}
)

// ParseLock reads the text of a lock of that name. An error is an
// hclfile.Diagnostics.
func ParseLock(name string, src []byte) (*Lock, error) {
	var raw rawLock
	if err := hclfile.Decode(name, src, &raw); err != nil {
		return nil, err
	}
	l := &Lock{Path: name, File: name, Text: src}
	var errs hclfile.Diagnostics
	first := map[string]hclfile.Pos{}
	for _, r := range raw.Bundles {
		b := Locked{Source: r.Source, Digest: r.Digest, Pos: hclfile.Start(r.Range)}
		if before, ok := first[b.Source]; ok {
			errs.Add(r.Range, "this bundle is already locked at %s: keep the right one, or run ocjail bundle update", before)
		}
		first[b.Source] = b.Pos
		if hclfile.Escape(b.Source) != b.Source {
			errs.Add(r.Range, "a source has no such characters: run ocjail bundle update")
		}
		if !bundle.IsDigest(b.Digest) {
			errs.Add(r.DigestRange, "a digest is \"sha256:\" and 64 hexadecimal digits in lower case")
		}
		var err error
		if b.Revision, err = bundle.ParseRevision(r.Revision); err != nil {
			errs.Add(r.RevisionRange, "%v", err)
		}
		if r.Keys != nil {
			b.Keys = *r.Keys
		}
		for i, k := range b.Keys {
			if !bundle.IsDigest("sha256:" + k) {
				errs.Add(r.KeysRange, "keys[%d]: a key's id is the SHA-256 of it in DER, 64 hexadecimal digits in lower case", i)
			}
		}
		l.Bundles = append(l.Bundles, b)
	}
	if errs != nil {
		return nil, errs
	}
	return l, nil
}

// lockHead is what a lock begins with.
const lockHead = `# Which bundles the configuration file beside this goes by. ocjail bundle update writes it:
# commit both, and do not edit this.
`

// EncodeLock writes a lock: equal bundles give equal text, in the order of their
// sources, a key a line.
func EncodeLock(bundles []Locked) []byte {
	var b strings.Builder
	b.WriteString(lockHead)
	for _, l := range slices.SortedFunc(slices.Values(bundles), func(a, b Locked) int { return strings.Compare(a.Source, b.Source) }) {
		fmt.Fprintf(&b, "\nbundle %s {\n  digest   = %q\n  revision = %q\n  keys = [\n", quoted(l.Source), l.Digest, l.Revision)
		for _, k := range slices.Sorted(slices.Values(l.Keys)) {
			fmt.Fprintf(&b, "    %q,\n", k)
		}
		b.WriteString("  ]\n}\n")
	}
	return []byte(b.String())
}

// quoted writes a string that a configuration file may hold as HCL has it
// (https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#template-expressions).
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "${", "$${", "%{", "%%{").Replace(s) + `"`
}

// LockOf reads the lock that is in a place now, nil for none.
func (o Owners) LockOf(l Layer, name string) (*Lock, error) {
	if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	src, real, err := o.read(Place{Layer: l, Path: name})
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	lock, err := ParseLock(filepath.Clean(name), src)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, mendLock)
	}
	lock.File = real
	return lock, nil
}
