package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Manifest says what a bundle is. In the archive it is OPA's .manifest, with what
// OPA has no field for below metadata.ocjail.
type Manifest struct {
	Revision Revision
	// Roots are the paths below data that the bundle owns, for OPA.
	Roots []string
	// Entrypoints lead to the rules of policy.wasm, for OPA.
	Entrypoints []Entrypoint
	Created     time.Time
	Expires     time.Time // from when on it is refused; zero for never
	// Ocjail is the least version that can use it, "1.2.3"; "" for any.
	Ocjail string
	// Pack is the SHA-256 of the rule pack that the plan was compiled with, as
	// worker.Identity has it; "" without a plan.
	Pack  string
	Rules []Rule // sorted by ID
}

// Entrypoint is a rule in a WASM module of OPA's.
type Entrypoint struct {
	Entrypoint string `json:"entrypoint"` // path below data
	Module     string `json:"module"`     // "policy.wasm"
}

// Rule is one that the bundle brings.
type Rule struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Severity string `json:"severity"`
}

// format is the version of metadata.ocjail.
const format = 1

type rawManifest struct {
	Revision    Revision     `json:"revision"`
	Roots       []string     `json:"roots"`
	Entrypoints []Entrypoint `json:"wasm,omitempty"`
	RegoVersion int          `json:"rego_version"`
	Metadata    struct {
		Ocjail *rawMetadata `json:"ocjail"`
	} `json:"metadata"`
}

type rawMetadata struct {
	Format  int    `json:"format"`
	Created string `json:"created"`
	Expires string `json:"expires,omitempty"`
	Ocjail  string `json:"ocjail,omitempty"`
	Pack    string `json:"pack,omitempty"`
	Rules   []Rule `json:"rules"`
}

func (m *Manifest) encode() ([]byte, error) {
	raw := rawManifest{Revision: m.Revision, Roots: append([]string{}, m.Roots...), Entrypoints: m.Entrypoints, RegoVersion: 1}
	raw.Metadata.Ocjail = &rawMetadata{Format: format, Created: stamp(m.Created), Ocjail: m.Ocjail, Pack: m.Pack, Rules: append([]Rule{}, m.Rules...)}
	if !m.Expires.IsZero() {
		raw.Metadata.Ocjail.Expires = stamp(m.Expires)
	}
	text, err := json.Marshal(raw)
	if err != nil {
		return nil, err
	}
	_, err = parseManifest(text)
	return text, err
}

func parseManifest(text []byte) (Manifest, error) {
	var raw rawManifest
	if err := decode(text, &raw); err != nil {
		return Manifest{}, foreign(text, err)
	}
	meta := raw.Metadata.Ocjail
	if meta == nil || meta.Format != format {
		return Manifest{}, foreign(text, errors.New("no metadata.ocjail.format"))
	}
	m := Manifest{Revision: raw.Revision, Roots: raw.Roots, Entrypoints: raw.Entrypoints, Ocjail: meta.Ocjail, Pack: meta.Pack, Rules: meta.Rules}
	if raw.RegoVersion != 1 {
		return Manifest{}, refuse(ErrMalformed, "its manifest has rego_version %d, and this ocjail reads version 1 alone", raw.RegoVersion)
	}
	if m.Revision == (Revision{}) {
		return Manifest{}, malformed(errors.New("no revision"))
	}
	var err error
	if m.Created, err = time.Parse(time.RFC3339, meta.Created); err != nil {
		return Manifest{}, malformed(err)
	}
	if meta.Expires != "" {
		if m.Expires, err = time.Parse(time.RFC3339, meta.Expires); err != nil {
			return Manifest{}, malformed(err)
		}
	}
	if m.Ocjail != "" {
		if _, err := releaseOf(m.Ocjail); err != nil {
			return Manifest{}, malformed(fmt.Errorf("the ocjail that it needs, %.40q, is no release such as 1.2.0", m.Ocjail))
		}
	}
	return m, nil
}

// foreign says what a manifest is that could not be read: one of OPA's, one of a newer
// ocjail's, of which more is not known here, or broken.
func foreign(text []byte, err error) error {
	var other struct {
		Metadata struct{ Ocjail *struct{ Format int } }
	}
	switch parsed := json.Unmarshal(text, &other) == nil; {
	case parsed && other.Metadata.Ocjail == nil:
		return refuse(ErrMalformed, "its manifest has no metadata of ocjail's, as when OPA has built it: build it with ocjail bundle build")
	case parsed && other.Metadata.Ocjail.Format > format:
		return refuse(ErrVersion, "its format is %d, and this ocjail knows %d: install a newer ocjail", other.Metadata.Ocjail.Format, format)
	}
	return malformed(err)
}

func malformed(err error) error {
	var r *refusal
	if errors.As(err, &r) {
		return err
	}
	return refuse(ErrMalformed, "its manifest can not be read (%v): build it with ocjail bundle build", err)
}

// decode reads JSON; what it does not know is an error.
func decode(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return unambiguous(json.NewDecoder(bytes.NewReader(text)))
}

// unambiguous refuses an object with a key twice, of which readers take one or the
// other (RFC 8259, 4). What it reads was decoded before.
func unambiguous(d *json.Decoder) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	keys := map[string]bool{}
	switch token {
	case json.Delim('{'):
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return err
			}
			name, _ := key.(string) // nothing else decodes as a key
			if keys[name] {
				return fmt.Errorf("the key %.40q twice in an object", name)
			}
			keys[name] = true
			if err := unambiguous(d); err != nil {
				return err
			}
		}
	case json.Delim('['):
		for d.More() {
			if err := unambiguous(d); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	_, err = d.Token()
	return err
}

// fits tells whether this ocjail is new enough. A build that has no version can
// not be known to be.
func (m *Manifest) fits(version string) error {
	if m.Ocjail == "" {
		return nil
	}
	least, err := releaseOf(m.Ocjail)
	if err != nil {
		return malformed(err)
	}
	own, err := releaseOf(version)
	if err != nil {
		return refuse(ErrVersion, "it needs ocjail %s or newer, and this build is %q, which is no release: install one", m.Ocjail, version)
	}
	if own.Compare(least) < 0 {
		return refuse(ErrVersion, "it needs ocjail %s or newer, and this is %s: install a newer ocjail", m.Ocjail, version)
	}
	return nil
}

// releaseOf reads what git describe writes: v1.2.0, or v1.2.0-5-gabc for what came
// after it, -dirty for what was changed. A commit alone is no release.
func releaseOf(version string) (Revision, error) {
	number, after, _ := strings.Cut(strings.TrimPrefix(version, "v"), "-")
	if !strings.Contains(number, ".") || after != "" && after != "dirty" && (after[0] < '0' || after[0] > '9') {
		return Revision{}, errors.New("no release")
	}
	return ParseRevision(number)
}
