package bundle

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
)

// Algorithms of signatures (RFC 7518, RFC 8037); there are no others.
const (
	ES256 = "ES256" // ECDSA with P-256 and SHA-256
	EdDSA = "EdDSA" // Ed25519
)

// Key is a public key.
type Key struct {
	// ID is the SHA-256 of the key in DER, in hexadecimal: what
	// `openssl pkey -pubin -in KEY.pem -outform DER | sha256sum` prints.
	ID        string
	Algorithm string
	ecdsa     *ecdsa.PublicKey
	ed25519   ed25519.PublicKey
}

// A key in DER (RFC 5280, SubjectPublicKeyInfo) is one of these and the key itself:
// they are compared rather than parsed, for crypto/x509 adds a megabyte and half a
// millisecond to each start.
var (
	prefixP256    = []byte("\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00")
	prefixEd25519 = []byte("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00")
)

// KeyIDs names keys for a message.
func KeyIDs(keys []Key) string {
	ids := make([]string, len(keys))
	for i, k := range keys {
		ids[i] = k.ID[:16]
	}
	return strings.Join(ids, ", ")
}

// maxKeys bounds the keys of one file: two are needed to replace one.
const maxKeys = 8

// ParseKeys reads the public keys in a PEM file, at least one.
func ParseKeys(text []byte) ([]Key, error) {
	var keys []Key
	for len(bytes.TrimSpace(text)) > 0 {
		block, rest := pem.Decode(text)
		switch {
		case block == nil && len(keys) > 0:
			return nil, fmt.Errorf("something that is no PEM follows the key")
		case block == nil:
			return nil, fmt.Errorf("no public key in PEM: write one with openssl pkey -in PRIVATE.pem -pubout")
		case block.Type != "PUBLIC KEY":
			return nil, fmt.Errorf("a PEM block of type %.40q, not PUBLIC KEY: write the public key with openssl pkey -in PRIVATE.pem -pubout", block.Type)
		case len(keys) == maxKeys:
			return nil, fmt.Errorf("more than %d keys", maxKeys)
		}
		k, err := parseKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		keys, text = append(keys, k), rest
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("no public key in PEM: the file is empty")
	}
	return keys, nil
}

func parseKey(der []byte) (Key, error) {
	sum := sha256.Sum256(der)
	k := Key{ID: hex.EncodeToString(sum[:])}
	if point, ok := bytes.CutPrefix(der, prefixP256); ok {
		var err error
		k.Algorithm = ES256
		k.ecdsa, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
		return k, err
	}
	if raw, ok := bytes.CutPrefix(der, prefixEd25519); ok && len(raw) == ed25519.PublicKeySize {
		k.Algorithm, k.ed25519 = EdDSA, raw
		return k, nil
	}
	return k, fmt.Errorf("a key that is neither P-256 (ES256) nor Ed25519 (EdDSA): make one with openssl genpkey -algorithm ed25519")
}

// verifies tells whether a signature of the message is this key's.
func (k Key) verifies(message, signature []byte) bool {
	if k.Algorithm == EdDSA {
		return ed25519.Verify(k.ed25519, message, signature)
	}
	if len(signature) != 2*p256Bytes {
		return false
	}
	sum := sha256.Sum256(message)
	r, s := new(big.Int).SetBytes(signature[:p256Bytes]), new(big.Int).SetBytes(signature[p256Bytes:])
	return ecdsa.Verify(k.ecdsa, sum[:], r, s)
}

const p256Bytes = 32
