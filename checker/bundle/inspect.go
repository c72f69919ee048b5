package bundle

import "strings"

// Claim is what a signature says of itself, which anybody can have written.
type Claim struct {
	Signed    bool
	Algorithm string
	KeyID     string
}

// Inspect reads an archive to show it, and trusts nothing of it: no rule of a bundle
// that was merely inspected may judge.
func Inspect(archive []byte) (*Bundle, Claim, error) {
	c, err := read(archive)
	if err != nil {
		return nil, Claim{}, err
	}
	if err := canonical(c.files); err != nil {
		return nil, Claim{}, err
	}
	b := &Bundle{Digest: c.digest}
	if b.Manifest, err = parseManifest(c.files[manifestFile]); err != nil {
		return nil, Claim{}, err
	}
	return b, claimOf(c.signature), b.take(c.files)
}

func claimOf(text []byte) Claim {
	c := Claim{Signed: text != nil}
	var s signatures
	if decode(text, &s) != nil || len(s.Signatures) != 1 {
		return c // of an unknown kind
	}
	head, _, _ := strings.Cut(s.Signatures[0], ".")
	var h header
	if doc, err := base.DecodeString(head); err == nil && decode(doc, &h) == nil {
		c.Algorithm, c.KeyID = h.Algorithm, h.KeyID
	}
	return c
}
