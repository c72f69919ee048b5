package builder

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
)

const howToMake = "make one with openssl genpkey -algorithm ed25519 -out KEY.pem"

// ParsePrivateKey reads a private key in PEM: PKCS #8, or SEC 1 as openssl ecparam
// writes it.
func ParsePrivateKey(text []byte) (bundle.Signer, error) {
	block, rest := pem.Decode(text)
	if block != nil && block.Type == "EC PARAMETERS" { // openssl ecparam writes both
		block, _ = pem.Decode(rest)
	}
	if block == nil {
		return nil, fmt.Errorf("no private key in PEM: %s", howToMake)
	}
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		err = errors.New("the key is encrypted, and ocjail asks for no passphrase: decrypt it with openssl pkey to a place that is yours alone")
	default:
		err = fmt.Errorf("a PEM block of type %.40q, not PRIVATE KEY: %s", block.Type, howToMake)
	}
	if err != nil {
		return nil, err
	}
	return signer(key)
}

func signer(key any) (bundle.Signer, error) {
	k, ok := key.(crypto.Signer)
	ec, isEC := key.(*ecdsa.PrivateKey)
	if _, isEd := key.(ed25519.PrivateKey); !ok || !isEd && (!isEC || ec.Curve != elliptic.P256()) {
		return nil, fmt.Errorf("the key is neither Ed25519 (EdDSA) nor P-256 (ES256): %s", howToMake)
	}
	der, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		return nil, err
	}
	public, err := bundle.ParseKeys(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	if err != nil {
		return nil, err
	}
	return private{public[0], k}, nil
}

type private struct {
	public bundle.Key
	key    crypto.Signer
}

func (p private) Public() bundle.Key { return p.public }

// Sign is deterministic with both kinds of key (RFC 8032, RFC 6979).
func (p private) Sign(message []byte) ([]byte, error) {
	if p.public.Algorithm == bundle.EdDSA {
		return p.key.Sign(nil, message, crypto.Hash(0))
	}
	sum := sha256.Sum256(message)
	der, err := p.key.Sign(nil, sum[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var numbers struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &numbers); err != nil {
		return nil, err
	}
	out := make([]byte, 64)
	numbers.R.FillBytes(out[:32])
	numbers.S.FillBytes(out[32:])
	return out, nil
}
