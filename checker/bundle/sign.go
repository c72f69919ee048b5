package bundle

import "fmt"

// Signer is a private key.
type Signer interface {
	// Public is its other half.
	Public() Key
	// Sign signs a message as JWS has it (RFC 7518, RFC 8037): for ES256 the
	// signature is both of its numbers, 32 bytes each.
	Sign(message []byte) ([]byte, error)
}

// Sign returns the archive with a signature of all of its files, in the place of
// one that it may have. When the signer is deterministic, so is the archive.
func Sign(archive []byte, key Signer) ([]byte, error) {
	c, err := read(archive)
	if err != nil {
		return nil, err
	}
	if err := canonical(c.files); err != nil {
		return nil, err
	}
	m, err := parseManifest(c.files[manifestFile])
	if err != nil {
		return nil, err
	}
	if c.files[signaturesFile], err = signature(c.files, key); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return pack(c.files, m.Created)
}
