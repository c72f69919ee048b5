// Package bundle reads, writes and signs bundles of rules: archives in the format
// of OPA (https://www.openpolicyagent.org/docs/management-bundles) with what ocjail
// needs to know beside. What is read is refused for anything that is not known to be
// good; package builder makes bundles out of folders.
package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Bundle is an archive that was read and found to be good.
type Bundle struct {
	Manifest Manifest
	// Digest is that of the whole archive, "sha256:" and hexadecimal.
	Digest string
	// Signer is the ID of the trusted key that signed it, and Algorithm the key's;
	// "" when no key was demanded.
	Signer, Algorithm string
	// Files are rules, what describes them and lists, by path, as a folder of rules
	// has them: *.rego, *.wasm, the *.json of a *.wasm, data/NAME.json.
	Files map[string][]byte
	// Config is the text of its ocjail.hcl, nil without one.
	Config []byte
	// Plan is what the Rego files were compiled to, nil without. It is for the
	// ocjail with the same rule pack; see engine.OpenPlan.
	Plan []byte
}

// Trust says what is accepted.
type Trust struct {
	// Keys are those of which one must have signed the bundle; two while one takes
	// the place of the other.
	Keys []Key
	// Unsigned accepts any bundle, signed or not, for there are no Keys: whoever
	// could write the file is trusted.
	Unsigned bool
	// Least is the lowest revision that was asked for, and Seen the highest that was
	// seen here before; zero for none. Nothing below either is accepted.
	Least, Seen Revision
	// Source is where the bundle was had from, for what Seen refuses. System says that
	// root noted what was seen, for the whole machine.
	Source string
	System bool
	// Now is when it is, for created and expires.
	Now time.Time
	// Version is that of this ocjail, for the least one that the bundle may name.
	Version string
}

// The reasons for which a bundle is refused; the errors of Open and Sign wrap one.
var (
	ErrMalformed = errors.New("malformed bundle")
	ErrNoArchive = fmt.Errorf("%w: no archive", ErrMalformed) // of no bundle, or of half of one
	ErrTooLarge  = errors.New("bundle is too large")
	ErrNoKeys    = errors.New("no key to verify the bundle by")
	ErrUnsigned  = errors.New("bundle is not signed")
	ErrAlgorithm = errors.New("signature algorithm is not accepted")
	ErrSignature = errors.New("signature is not by a trusted key")
	ErrTampered  = errors.New("bundle is not what was signed")
	ErrExpired   = errors.New("bundle has expired")
	ErrFuture    = errors.New("bundle is from the future")
	ErrVersion   = errors.New("bundle is for a newer ocjail")
	ErrOld       = errors.New("bundle is older than was asked for")
	ErrRollback  = errors.New("bundle is older than one seen before")
)

// refusal is an error with what to do about it.
type refusal struct {
	reason error
	what   string
}

func (r *refusal) Error() string { return r.what }
func (r *refusal) Unwrap() error { return r.reason }

func refuse(reason error, format string, args ...any) error {
	return &refusal{reason, fmt.Sprintf(format, args...)}
}

// Open reads an archive and refuses it unless t accepts it. The error names the
// mend, and wraps one of the reasons above.
func Open(archive []byte, t Trust) (*Bundle, error) {
	c, err := read(archive)
	if err != nil {
		return nil, err
	}
	b := &Bundle{Digest: c.digest}
	switch {
	case t.Unsigned && len(t.Keys) == 0:
		if err := canonical(c.files); err != nil {
			return nil, err
		}
	case len(t.Keys) == 0:
		return nil, refuse(ErrNoKeys, "there is no key to verify it by: name the publisher's public key in keys")
	case c.signature == nil:
		return nil, refuse(ErrUnsigned, "it is not signed, and a signature is demanded: have its publisher run ocjail bundle sign")
	default:
		key, err := verify(c.signature, c.files, t.Keys)
		if err != nil {
			return nil, err
		}
		b.Signer, b.Algorithm = key.ID, key.Algorithm
	}
	if b.Manifest, err = parseManifest(c.files[manifestFile]); err != nil {
		return nil, err
	}
	if err := b.Manifest.accepted(t); err != nil {
		return nil, err
	}
	if err := b.take(c.files); err != nil {
		return nil, err
	}
	return b, nil
}

// contents are an archive's, of which nothing has been verified.
type contents struct {
	digest    string
	files     map[string][]byte // without the signature
	signature []byte            // nil for none
}

func read(archive []byte) (*contents, error) {
	files, err := unpack(archive)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(archive)
	c := &contents{digest: "sha256:" + hex.EncodeToString(sum[:]), files: files, signature: files[signaturesFile]}
	delete(files, signaturesFile)
	if files[manifestFile] == nil {
		return nil, refuse(ErrMalformed, "it has no %s: build it with ocjail bundle build", manifestFile)
	}
	return c, nil
}

// clockSkew is how far ahead of this machine's clock the publisher's may be.
const clockSkew = time.Hour

// accepted holds the manifest to what t accepts.
func (m *Manifest) accepted(t Trust) error {
	if err := m.fits(t.Version); err != nil {
		return err
	}
	switch {
	case m.Created.After(t.Now.Add(clockSkew)):
		return refuse(ErrFuture, "it was made on %s, and here it is %s: set the clock", stamp(m.Created), stamp(t.Now))
	case !m.Expires.IsZero() && !t.Now.Before(m.Expires):
		return refuse(ErrExpired, "it expired on %s, and here it is %s: get a newer one from its publisher, or set the clock", stamp(m.Expires), stamp(t.Now))
	case m.Revision.Compare(t.Least) < 0:
		return refuse(ErrOld, "its revision is %s, and at least %s was asked for: get a newer one from its publisher", m.Revision, t.Least)
	case m.Revision.Compare(t.Seen) < 0:
		return &RollbackError{m.Revision, t.Seen, t.Source, t.System}
	}
	return nil
}

// RollbackError refuses a revision that is older than one that was seen. It wraps
// ErrRollback.
type RollbackError struct {
	Revision, Seen Revision
	Source         string // where it was had from
	System         bool   // root noted Seen, whom no user's word goes behind
}

func (e *RollbackError) Error() string {
	where, how := "was seen here before", "by name (ocjail bundle pull"
	if e.System {
		where, how = "was seen here before, which root noted for this machine", "by name, as root (ocjail bundle pull --system"
	}
	return fmt.Sprintf("its revision is %s, and %s %s: get that or a newer one, or allow the older one %s --allow-rollback %[1]s %[5]s)", e.Revision, e.Seen, where, how, e.Source)
}

// NotNamed refuses a revision in the place of another that was allowed by name: whoever
// named that would take it for rolled back.
func NotNamed(r, allowed Revision) error {
	return fmt.Errorf("its revision is %s, and --allow-rollback names %s: have that put back first, or leave the flag out to take what is there", r, allowed)
}

func (e *RollbackError) Unwrap() error { return ErrRollback }

// LastDay is the day, in UTC, at whose end a bundle with that Manifest.Expires stops to
// count; where others' tools had it end within a day, the time.
func LastDay(expires time.Time) string {
	if at := expires.UTC(); !at.Equal(at.Truncate(24 * time.Hour)) {
		return stamp(at)
	}
	return expires.UTC().Add(-time.Second).Format(time.DateOnly)
}

// stamp writes a time as the manifest does.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// maxConfig bounds the configuration, as it is bounded elsewhere.
const maxConfig = 1 << 20

// take sorts the files into what a folder of rules would hold, and the rest.
func (b *Bundle) take(files map[string][]byte) error {
	b.Config, b.Plan = files[configFile], files[planFile]
	if len(b.Config) > maxConfig {
		return refuse(ErrTooLarge, "its %s has more than %d KiB: this is no configuration", configFile, maxConfig>>10)
	}
	lists, err := splitData(files[dataFile])
	if err != nil {
		return err
	}
	b.Files = lists
	for name, text := range files {
		switch kindOf(name) {
		case special:
		case rule:
			b.Files[name] = text
		case description:
			if _, ok := files[strings.TrimSuffix(name, ".json")+".wasm"]; !ok {
				return refuse(ErrMalformed, "it holds %s, which describes no WASM module and is no list: build it with ocjail bundle build", name)
			}
			b.Files[name] = text
		default:
			return refuse(ErrMalformed, "it holds %s, which ocjail does not know: build it with ocjail bundle build", name)
		}
	}
	if b.Plan != nil && !b.HasRego() {
		return refuse(ErrMalformed, "it holds %s without the .rego files that it was compiled from: build it with ocjail bundle build", planFile)
	}
	return nil
}

// HasRego tells whether there is any Rego among the files.
func (b *Bundle) HasRego() bool {
	for name := range b.Files {
		if strings.HasSuffix(name, ".rego") {
			return true
		}
	}
	return false
}
